// The widget function over our database and the double of ZITADEL, and a browser that keeps its cookies.
import assert from "node:assert/strict";
import { join } from "node:path";
import type { Mail } from "../../functions/_shared/mailer.ts";
import { intentClient } from "../../functions/_shared/zitadel/intents.ts";
import { fetchJwks } from "../../functions/_shared/zitadel/keys.ts";
import { loginClient } from "../../functions/_shared/zitadel/login_client.ts";
import { oauth } from "../../functions/_shared/zitadel/oauth.ts";
import type { LoginClient } from "../../functions/_shared/zitadel/types.ts";
import { createApp } from "../../functions/widget/app.ts";
import { authorizer } from "../../functions/widget/authorize.ts";
import { databaseClients } from "../../functions/widget/clients.ts";
import type { Action, State } from "../../functions/widget/contract.ts";
import { derivedKeys } from "../../functions/widget/cookie_keys.ts";
import type { WidgetParts } from "../../functions/widget/parts.ts";
import { databasePermits } from "../../functions/widget/permits.ts";
import { databaseProviders } from "../../functions/widget/providers.ts";
import { databaseRefusals } from "../../functions/widget/refusals.ts";
import { eventually } from "../support/eventually.ts";
import { House } from "./provision_support.ts";

export const redirectUri = "https://shop.example/callback";
export const publicUrl = "http://127.0.0.1:8000";

export interface Tenant {
  id: string;
  organizationId: string;
  clientId: string;
}

export interface Answer {
  status: number;
  /** Of a refusal. */
  slug: string | undefined;
  state: State | undefined;
  callbackUrl: string | undefined;
  body: Record<string, unknown>;
  headers: Headers;
}

export class SignInHouse implements AsyncDisposable {
  readonly app;
  /** As the function has it: for looking. */
  readonly zitadel: LoginClient;
  /** Replaced by a test that moves the clock. */
  now = () => new Date();
  refusalFloorMs = 0;
  /** Replaced by a test that is about something else than the widget's own. */
  parts: Partial<WidgetParts> = {};
  /** What was given to the mailer, oldest first. */
  readonly mails: Mail[] = [];

  private constructor(readonly house: House) {
    const functions = house.database.connect("gatehouse_functions");
    const address = { profile: "embedded", issuer: house.issuer } as const;
    const tokenFile = join(house.dir, "login-client.pat");
    const keys = derivedKeys(() => Deno.readTextFile(tokenFile));
    const intents = intentClient({ ...address, tokenFile });
    const zitadel = this.zitadel = loginClient({
      ...address,
      tokenFile,
      platformOrganizationId: () => Promise.resolve("the platform's"),
    });
    this.app = createApp(() => ({
      zitadel,
      intents,
      providers: databaseProviders(() => functions),
      authorize: authorizer(address),
      oauth: oauth(address),
      issuer: house.issuer,
      jwks: () => fetchJwks(address),
      clients: databaseClients(() => functions),
      looks: { find: () => Promise.resolve(null) },
      refusals: databaseRefusals(() => functions),
      permits: databasePermits(() => functions),
      mailer: {
        available: true,
        send: (mail) => Promise.resolve(void this.mails.push(mail)),
      },
      publicUrl,
      ...keys,
      now: this.now,
      refusalFloorMs: this.refusalFloorMs,
      ...this.parts,
    }));
  }

  static async open(options: Parameters<typeof House.open>[0] = {}): Promise<SignInHouse> {
    return new SignInHouse(await House.open(options));
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

  /** Opens the sign-in page as a browser does and keeps its cookies; the flow is opened with the first action, or by `openFlow`. */
  async open(authRequest: string, browser = new Browser(this)): Promise<{
    page: Response;
    browser: Browser;
  }> {
    const page = await browser.get(`login?authRequest=${authRequest}`);
    browser.flow = authRequest;
    return { page, browser };
  }

  /** A fresh sign-in to a client, as far as it comes with a password. */
  async signIn(clientId: string, loginName: string, password: string, more = {}): Promise<Answer> {
    const { browser } = await this.open(await this.authorize(clientId, more));
    return await browser.signIn(loginName, password);
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
  readonly cookies = new Map<string, string>();
  /** What goes as `x-gatehouse-flow`. */
  flow = "";
  /** Of the page that sends; undefined: a program. */
  origin: string | undefined = publicUrl;

  constructor(private readonly house: SignInHouse) {}

  get cookie(): string {
    return [...this.cookies].map(([name, value]) => `${name}=${value}`).join("; ");
  }

  /** As the address bar does, coming from another site: our cookies are SameSite=Strict. */
  async get(path: string, { sameSite = false } = {}): Promise<Response> {
    const page = await this.house.app.request(`/widget/${path}`, {
      headers: sameSite ? { cookie: this.cookie } : {},
    });
    this.#keep(page);
    return page;
  }

  async post(path: string, body: unknown, headers: Record<string, string> = {}): Promise<Answer> {
    const response = await this.house.app.request(`/widget/flows/${path}`, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        ...(this.cookies.size > 0 ? { cookie: this.cookie } : {}),
        ...(this.origin === undefined ? {} : { origin: this.origin }),
        "x-gatehouse-flow": this.flow,
        "user-agent": "Test browser",
        "x-forwarded-for": "192.0.2.7",
        ...headers,
      },
      body: JSON.stringify(body),
    });
    this.#keep(response);
    const answer = await read(response);
    if (typeof answer.body.flow === "string") this.flow = answer.body.flow;
    return answer;
  }

  openFlow(): Promise<Answer> {
    return this.post("open", { mode: "page", authRequest: this.flow });
  }

  act(action: Action): Promise<Answer> {
    return this.post("act", action);
  }

  sendPassword(loginName: string, password: string): Promise<Answer> {
    return this.act({ action: "password", loginName, password });
  }

  /** Up to the end, for whom the policy lets: "later" to the offer of a second factor. */
  async signIn(loginName: string, password: string): Promise<Answer> {
    const answer = await this.sendPassword(loginName, password);
    const { state } = answer;
    const offered = state?.screen === "setup_factor" && state.skippable;
    return offered ? await this.act({ action: "skip" }) : answer;
  }

  /** A second browser with the same cookies: what somebody copied, or a tab that was left open. */
  copy(): Browser {
    const copy = new Browser(this.house);
    for (const [name, value] of this.cookies) copy.cookies.set(name, value);
    copy.flow = this.flow;
    copy.origin = this.origin;
    return copy;
  }

  #keep(response: Response): void {
    for (const line of response.headers.getSetCookie()) {
      const [name = "", value = ""] = line.split(";")[0]!.split(/=(.*)/s);
      if (/; Max-Age=0(;|$)/.test(line)) this.cookies.delete(name);
      else this.cookies.set(name, value);
    }
  }
}

async function read(response: Response): Promise<Answer> {
  const body = await response.json();
  const { request_id: _, ...rest } = body;
  return {
    status: response.status,
    slug: body.type?.split(":").pop(),
    state: body.state,
    callbackUrl: body.state?.callbackUrl,
    body: rest,
    headers: response.headers,
  };
}
