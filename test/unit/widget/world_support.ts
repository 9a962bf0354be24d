// The widget's app over a world in memory, and browsers whose every state can be gone back to.
import { createApp } from "../../../functions/widget/app.ts";
import type { Action, State } from "../../../functions/widget/contract.ts";
import { derivedKeys } from "../../../functions/widget/cookie_keys.ts";
import type { WidgetParts } from "../../../functions/widget/parts.ts";
import { organizationOf, type Person, World } from "./world.ts";

export const publicUrl = "https://id.gatehouse.example/some/prefix";
export const ownOrigin = "https://id.gatehouse.example";
export const shopOrigin = "https://shop.example";

export function makeWorld(): World {
  const world = new World();
  const moment = new Date(world.now * 1000).toISOString();
  const person = (id: string, orgId: string, change: Partial<Person> = {}): void => {
    world.people.set(id, {
      user: {
        ...{ id, orgId, kind: "human", state: "active", userName: id, loginNames: [id] },
        preferredLoginName: id,
        profile: {
          ...{ givenName: id, familyName: "Example", displayName: id },
          email: id.includes("@") ? id : `${id}@mail.example`,
          ...{ emailVerified: true, passwordChangeRequired: false, passwordChangedAt: moment },
        },
      },
      password: `password of ${id}`,
      recovery: [],
      emailOtp: false,
      pending: new Map(),
      ...change,
    });
  };
  person("alice", "acme");
  person("bob", "acme", { totp: "totpofbob", recovery: ["bob-1", "bob-2"] });
  person("carol", "acme", { passkey: "carolskey" });
  person("dan", "acme", { emailOtp: true, key: "danskey" });
  person("erin@mail.example", "acme");
  person("eve", "evil", { totp: "totpofeve" });
  person("fay", "acme");
  world.people.get("fay")!.user.profile!.passwordChangeRequired = true;
  for (const org of ["acme", "evil"]) {
    world.settings.set(org, {
      ...{ allowLocalAuthentication: true, allowRegister: true, allowExternalIdp: false },
      ...{ passkeysAllowed: true, forceMfa: false, forceMfaLocalOnly: false },
      ...{ hidePasswordReset: false, ignoreUnknownUsernames: true, allowDomainDiscovery: false },
      ...{ disableLoginWithEmail: false, disableLoginWithPhone: true, defaultRedirectUri: "" },
      secondFactors: ["totp", "u2f", "otp_email", "recovery_code"],
      multiFactors: ["u2f_with_verification"],
      ...{ passwordCheckLifetimeSeconds: 7200, externalLoginCheckLifetimeSeconds: 7200 },
      ...{ secondFactorCheckLifetimeSeconds: 20_000, multiFactorCheckLifetimeSeconds: 7200 },
      mfaInitSkipLifetimeSeconds: 3600,
    });
  }
  return world;
}

export function appOf(world: World, more: Partial<WidgetParts> = {}) {
  const parts: WidgetParts = {
    zitadel: world.client(),
    intents: {} as WidgetParts["intents"],
    providers: { list: () => Promise.resolve([]) },
    authorize: () => Promise.resolve({ authRequest: world.request({}) }),
    oauth: {} as WidgetParts["oauth"],
    issuer: "https://issuer.example",
    jwks: () => Promise.resolve([]),
    clients: {
      find: (id) =>
        Promise.resolve({
          ...{ kind: "app", tenantId: "tenant", tenantName: "Acme", tenantStatus: "active" },
          ...{ organizationId: organizationOf[id]!, appId: "app", appName: "Shop", enabled: true },
          ...{ inlineEnabled: true, inlineOrigins: [shopOrigin] },
        }),
      findTenant: () => Promise.resolve(null),
      findLoginOrganization: () => Promise.resolve(null),
      isAppOrigin: (origin) => Promise.resolve(origin === shopOrigin),
      isAdministrator: (id) => Promise.resolve(id === "carol"),
    },
    looks: {
      find: () => {
        const on = { password: true, passkey: true, register: true, reset: true };
        const look = { tokens: {}, layout: "card", texts: {} } as const;
        const flows = { ...on, email_code: world.emailCodeAlone };
        return Promise.resolve({ hash: "", look, languages: ["en"], flows });
      },
    },
    refusals: { report: () => Promise.resolve() },
    permits: { take: () => Promise.resolve(0), giveBack: () => Promise.resolve() },
    mailer: {
      available: true,
      send: (mail) =>
        Promise.resolve(
          void ("code" in mail && world.mails.push({ to: mail.userId, code: mail.code })),
        ),
    },
    publicUrl,
    ...derivedKeys(() => Promise.resolve("token")),
    now: () => new Date(world.now * 1000),
    refusalFloorMs: 0,
    ...more,
  };
  return createApp(() => parts);
}

/** What a browser has at one moment. It never changes: acting gives another one. */
export interface Moment {
  cookies: ReadonlyMap<string, string>;
  flow: string;
  origin: string | undefined;
  state: State | undefined;
}

export interface Answered {
  status: number;
  slug: string | undefined;
  moment: Moment;
  state: State | undefined;
}

export class Visitor {
  constructor(readonly app: ReturnType<typeof createApp>) {}

  async arrive(authRequest: string, cookies: Moment["cookies"] = new Map()): Promise<Answered> {
    const page = await this.app.request(`/widget/login?authRequest=${authRequest}`);
    await page.body?.cancel();
    const kept = merged(cookies, page);
    const moment = { cookies: kept, flow: authRequest, origin: ownOrigin, state: undefined };
    return await this.open(moment);
  }

  open(from: Moment): Promise<Answered> {
    return this.post(from, "open", { mode: "page", authRequest: from.flow });
  }

  openInline(origin: string | undefined = shopOrigin): Promise<Answered> {
    const from = { cookies: new Map(), flow: "", origin, state: undefined };
    return this.post(from, "open", {
      ...{ mode: "inline", clientId: "shop", redirectUri: `${shopOrigin}/cb` },
      ...{ codeChallenge: "x".repeat(43), state: "12345678", nonce: "12345678" },
    });
  }

  act(from: Moment, action: Action): Promise<Answered> {
    return this.post(from, "act", action);
  }

  async post(from: Moment, path: string, body: unknown): Promise<Answered> {
    const cookie = [...from.cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    const response = await this.app.request(`/widget/flows/${path}`, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        "x-gatehouse-flow": from.flow,
        ...(cookie ? { cookie } : {}),
        ...(from.origin === undefined ? {} : { origin: from.origin }),
      },
      body: JSON.stringify(body),
    });
    const answer = await response.json();
    const state: State | undefined = answer.state;
    return {
      status: response.status,
      slug: answer.type?.split(":").pop(),
      state,
      moment: {
        ...from,
        cookies: merged(from.cookies, response),
        flow: answer.flow ?? from.flow,
        state: state ?? from.state,
      },
    };
  }
}

function merged(cookies: Moment["cookies"], response: Response): Map<string, string> {
  const kept = new Map(cookies);
  for (const line of response.headers.getSetCookie()) {
    const [name = "", value = ""] = line.split(";")[0]!.split(/=(.*)/s);
    if (/; Max-Age=0(;|$)/.test(line)) kept.delete(name);
    else kept.set(name, value);
  }
  return kept;
}
