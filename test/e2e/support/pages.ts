// What people do on the pages, in their words.
import type { Page } from "playwright-core";

export interface Login {
  login: string;
  password: string;
}

/** Types user name and password into the widget and sends them; the name alone first, where its domain may lead elsewhere. */
export async function typePassword(page: Page, { login, password }: Login): Promise<void> {
  await page.getByText(/^to continue to /).waitFor();
  await page.getByLabel("User name or e-mail").fill(login);
  const next = page.getByRole("button", { name: "Continue", exact: true });
  if (await next.isVisible()) await next.click();
  const signIn = page.getByRole("button", { name: "Sign in", exact: true });
  await signIn.waitFor();
  await page.getByLabel("Password", { exact: true }).fill(password);
  await signIn.click();
  await putOffSecondFactor(page);
}

/** A second factor may be offered; who comes for something else says not now. Ends on the next page, or where a refusal stands. */
async function putOffSecondFactor(page: Page): Promise<void> {
  const later = page.getByRole("button", { name: "Not now", exact: true });
  const gone = page.locator("body:not(:has(gatehouse-login[flow]))");
  const refused = page.getByRole("alert").filter({ hasText: /./ });
  await later.or(gone).or(refused).first().waitFor();
  if (await later.isVisible()) await later.click();
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
