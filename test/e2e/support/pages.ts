// What people do on the pages, in their words.
import type { Page } from "playwright-core";

export interface Login {
  login: string;
  password: string;
}

/** Types user name and password into the widget and sends them. */
export async function typePassword(page: Page, { login, password }: Login): Promise<void> {
  await page.getByText(/^to continue to /).waitFor();
  await page.getByLabel("User name or e-mail").fill(login);
  await page.getByLabel("Password", { exact: true }).fill(password);
  await page.getByRole("button", { name: "Sign in" }).click();
}

export async function signInToPortal(page: Page, portalUrl: string, login: Login): Promise<void> {
  await page.goto(portalUrl);
  await page.getByRole("button", { name: "Sign in" }).click();
  await typePassword(page, login);
  await page.getByRole("heading", { name: "Tenants" }).waitFor();
}

export interface NewTenant {
  name: string;
  slug: string;
  admin: { givenName: string; familyName: string; email: string };
  app: { name: string; redirectUri: string };
}

/** Fills in the portal's dialog; `create` sends it. */
export async function fillInTenant(page: Page, { name, slug, admin, app }: NewTenant) {
  await page.getByRole("button", { name: "New tenant" }).click();
  const dialog = page.getByRole("dialog", { name: "New tenant" });
  const field = (id: string) => dialog.locator(`#create-${id}`);
  await field("name").fill(name);
  await field("slug").fill(slug);
  await field("given_name").fill(admin.givenName);
  await field("family_name").fill(admin.familyName);
  await field("email").fill(admin.email);
  await field("app_name").fill(app.name);
  await field("redirect_uri").fill(app.redirectUri);
  return {
    dialog,
    create: () => dialog.getByRole("button", { name: "Create tenant" }).click(),
  };
}

/** What the tenant's panel says of it. */
export const shownStatus = (page: Page, status: string) =>
  page.locator(`.detail .title .badge[data-state="${status}"]`);
