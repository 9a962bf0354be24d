// The widget function over our database and the double of ZITADEL, and a browser that keeps its cookies.
import assert from "node:assert/strict";
import { join } from "node:path";
import { loginClient } from "../../functions/_shared/zitadel/login_client.ts";
import { createApp } from "../../functions/widget/app.ts";
import { databaseClients } from "../../functions/widget/clients.ts";
import { databaseRefusals } from "../../functions/widget/refusals.ts";
import { cookieKeys } from "../../functions/widget/cookie_keys.ts";
import { eventually } from "../support/eventually.ts";
import { House } from "./provision_support.ts";

export const redirectUri = "https://shop.example/callback";
const publicUrl = "http://127.0.0.1:8000";

export interface Tenant {
  id: string;
  organizationId: string;
  clientId: string;
}

export interface Answer {
  status: number;
  /** Of a refusal. */
  slug: string | undefined;
  callbackUrl: string | undefined;
  body: Record<string, unknown>;
}

export class SignInHouse implements AsyncDisposable {
  readonly app;
  /** Replaced by a test that moves the clock. */
  now = () => new Date();
  refusalFloorMs = 0;

  private constructor(readonly house: House) {
    const functions = house.database.connect("gatehouse_functions");
    const tokenFile = join(house.dir, "login-client.pat");
    const keyring = cookieKeys(() => Deno.readTextFile(tokenFile));
    const zitadel = loginClient({
      profile: "embedded",
      issuer: house.issuer,
      tokenFile,
      platformOrganizationId: () => Promise.resolve(null),
    });
    this.app = createApp(() => ({
      zitadel,
      clients: databaseClients(() => functions),
      refusals: databaseRefusals(() => functions),
      publicUrl,
      keyring,
      now: this.now,
      refusalFloorMs: this.refusalFloorMs,
    }));
  }

  static async open(): Promise<SignInHouse> {
    return new SignInHouse(await House.open());
  }

  async tenant(slug: string): Promise<Tenant> {
    const id = await this.house.createTenant({ slug, apps: [{ name: "Shop", redirectUri }] });
    await this.house.reconcile(id);
    const [row] = await this.house.database.sql`
      select t.organization_id, a.client_id, t.status from public.tenants t
        join public.apps a on a.tenant_id = t.id where t.id = ${id}`;
    assert.equal(row!.status, "active", JSON.stringify(await this.house.steps(id)));
    return { id, organizationId: row!.organization_id, clientId: row!.client_id };
  }

  async person(
    { organizationId: orgId }: Pick<Tenant, "organizationId">,
    name: string,
    { emailVerified = true }: { emailVerified?: boolean } = {},
  ): Promise<{ id: string; password: string; email: string; loginName: string }> {
    const password = `${crypto.randomUUID()}-Aa1`;
    const email = `${name}@mail.example`;
    const { id } = await this.house.zitadel.ensureHuman({
      ...{ orgId, id: `user-${name}`, userName: name, email, emailVerified, password },
      ...{ givenName: name, familyName: "Example" },
    });
    // ZITADEL's reads lag behind its writes.
    const user = await eventually(`user ${id}`, () => this.house.zitadel.getUser(id));
    return { id, password, email, loginName: user.preferredLoginName };
  }

  async portalClientId(): Promise<string> {
    const [row] = await this.house.database.sql`
      select private.get_setting('zitadel.portal_client_id') #>> '{}' as id`;
    return row!.id;
  }

  /** What an application's page does: the auth request's id, from where ZITADEL sends the browser. */
  async authorize(clientId: string, more: Record<string, string> = {}): Promise<string> {
    const url = new URL(`${this.house.issuer}/oauth/v2/authorize`);
    url.search = new URLSearchParams({
      response_type: "code",
      client_id: clientId,
      redirect_uri: redirectUri,
      scope: "openid profile",
      state: "xyz",
      code_challenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
      code_challenge_method: "S256",
      ...more,
    }).toString();
    const response = await fetch(url, { redirect: "manual" });
    const text = await response.text();
    const location = new URL(response.headers.get("location") ?? assert.fail(text));
    assert.equal(location.origin + location.pathname, `${publicUrl}/functions/v1/widget/login`);
    return location.searchParams.get("authRequest")!;
  }

  /** Opens the sign-in page as a browser does and keeps its cookie. */
  async open(authRequest: string): Promise<{ page: Response; browser: Browser }> {
    const page = await this.app.request(`/widget/login?authRequest=${authRequest}`);
    await page.body?.cancel();
    const cookie = page.headers.getSetCookie().map((line) => line.split(";")[0]).join("; ");
    return { page, browser: new Browser(this, authRequest, cookie) };
  }

  /** A fresh sign-in to a client, up to its answer. */
  async signIn(clientId: string, loginName: string, password: string, more = {}): Promise<Answer> {
    const { browser } = await this.open(await this.authorize(clientId, more));
    return await browser.sendPassword(loginName, password);
  }

  /** As an operator of ZITADEL, for what our adapter has no word for. */
  async manage(method: string, path: string, body: object, orgId = ""): Promise<void> {
    const response = await fetch(`${this.house.issuer}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${(await Deno.readTextFile(this.house.tokenFile)).trim()}`,
        "content-type": "application/json",
        ...(orgId ? { "x-zitadel-orgid": orgId } : {}),
      },
      body: JSON.stringify(body),
    });
    assert.ok(response.ok, `${path}: ${response.status} ${await response.text()}`);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.house[Symbol.asyncDispose]();
  }
}

export class Browser {
  constructor(
    private readonly signIn: SignInHouse,
    readonly authRequest: string,
    readonly cookie: string,
  ) {}

  async flow(): Promise<Answer> {
    return await read(
      await this.signIn.app.request(`/widget/flows/${this.authRequest}`, {
        headers: { cookie: this.cookie },
      }),
    );
  }

  async sendPassword(loginName: string, password: string): Promise<Answer> {
    return await read(
      await this.signIn.app.request("/widget/flows/password", {
        method: "POST",
        headers: {
          "content-type": "application/json",
          cookie: this.cookie,
          origin: publicUrl,
          "user-agent": "Test browser",
          "x-forwarded-for": "192.0.2.7",
        },
        body: JSON.stringify({ authRequest: this.authRequest, loginName, password }),
      }),
    );
  }
}

async function read(response: Response): Promise<Answer> {
  const body = await response.json();
  const { request_id: _, ...rest } = body;
  return {
    status: response.status,
    slug: body.type?.split(":").pop(),
    callbackUrl: body.callbackUrl,
    body: rest,
  };
}
