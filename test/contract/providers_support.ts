// Providers of the suite: played ones that a double can reach. A real ZITADEL cannot reach this machine, so with one these tests are left out.
import { intentClient } from "../../functions/_shared/zitadel/intents.ts";
import type {
  IntentToken,
  LinkingOptions,
  ProviderInput,
  ProviderSettings,
} from "../../functions/_shared/zitadel/types.ts";
import { type PlayedProviders, playProviders } from "../../scripts/stack/providers/server.ts";
import { people } from "../../scripts/stack/providers/people.ts";
import { signInAt } from "../support/providers.ts";
import type { RunningDouble } from "./double.ts";
import type { Suite } from "./support.ts";

export const home = "http://127.0.0.1:3999/back";
export const urls = { successUrl: `${home}/ok`, failureUrl: `${home}/failed` };
export const secret = "a-client-secret";
export const options: LinkingOptions = {
  linkingAllowed: true,
  creationAllowed: true,
  autoCreation: false,
  autoUpdate: false,
  autoLinking: "none",
};

export const credentials = (key: string) => {
  const { password } = people.find((person) => person.key === key)!;
  return { username: key, password };
};

export async function play(suite: Suite): Promise<PlayedProviders> {
  const played = await playProviders({
    clients: [
      { id: "gatehouse", secret, redirectUris: [`${suite.instance.issuer}/idps/callback`] },
    ],
  });
  await (suite.instance as RunningDouble).turn({ played: played.url });
  return played;
}

/** Of each kind that the browser goes to, one. */
export function settingsOf(played: PlayedProviders): Record<string, ProviderSettings> {
  const client = { clientId: "gatehouse", scopes: [] as string[] };
  const saml = {
    metadataXml: played.samlMetadata,
    signedRequests: false,
    nameIdFormat: "persistent" as const,
  };
  return {
    google: { kind: "google", settings: { ...client, scopes: ["openid", "profile", "email"] } },
    github: { kind: "github", settings: client },
    "github enterprise": { kind: "github", settings: { ...client, baseUrl: played.enterpriseUrl } },
    microsoft: {
      kind: "microsoft",
      settings: { ...client, tenant: "common", emailVerified: false },
    },
    oidc: {
      kind: "oidc",
      settings: { ...client, issuer: played.oidcIssuer, idTokenMapping: false, pkce: false },
    },
    "oidc with pkce": {
      kind: "oidc",
      settings: {
        clientId: "gatehouse",
        scopes: ["openid", "profile", "email"],
        issuer: played.oidcIssuer,
        idTokenMapping: true,
        pkce: true,
      },
    },
    "saml by post": { kind: "saml", settings: { ...saml, binding: "post" } },
    "saml by redirect": { kind: "saml", settings: { ...saml, binding: "redirect" } },
  };
}

export class Providers {
  readonly intents;

  constructor(readonly suite: Suite) {
    this.intents = intentClient(suite.instance.config("login-client"));
  }

  async make(orgId: string, name: string, settings: ProviderSettings, more: object = {}) {
    const input = { orgId, name, options, ...settings, ...more } as ProviderInput;
    const given = settings.kind === "saml" ? input : { secret, ...input };
    const { id } = await this.suite.provisioner.ensureProvider(given);
    await this.suite.provisioner.ensureProviderActive(orgId, id);
    await this.suite.settle();
    return id;
  }

  /** Starts, signs in at the provider, and comes back. */
  async comeBack(idpId: string, who: Parameters<typeof signInAt>[1]): Promise<URL> {
    const way = await this.intents.startIntent({ idpId, urls });
    if ("intent" in way) throw new Error("That was a directory");
    return await signInAt(way, who, home);
  }

  async succeed(idpId: string, key: string): Promise<IntentToken & { user: string | null }> {
    const back = await this.comeBack(idpId, credentials(key));
    if (back.pathname !== "/back/ok") throw new Error(`Came back to ${back}`);
    return {
      id: back.searchParams.get("id")!,
      token: back.searchParams.get("token")!,
      user: back.searchParams.get("user"),
    };
  }
}
