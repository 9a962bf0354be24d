import { config, readSecretFile } from "../_shared/config.ts";
import { database } from "../_shared/db.ts";
import { databaseMailer, type Mailer, mailKeyring } from "../_shared/mailer.ts";
import type { Keyring } from "../_shared/secrets.ts";
import { intentClient } from "../_shared/zitadel/intents.ts";
import { fetchJwks } from "../_shared/zitadel/keys.ts";
import { loginClient } from "../_shared/zitadel/login_client.ts";
import { oauth, type OAuthCalls } from "../_shared/zitadel/oauth.ts";
import type { IntentClient, LoginClient } from "../_shared/zitadel/types.ts";
import { type Authorization, type Authorized, authorizer } from "./authorize.ts";
import { type Clients, databaseClients } from "./clients.ts";
import { derivedKeys } from "./cookie_keys.ts";
import { databaseLooks, type Looks } from "./look.ts";
import { databasePermits, type Permits } from "./permits.ts";
import { databaseProviders, type SignInProviders } from "./providers.ts";
import { databaseRefusals, type Refusals } from "./refusals.ts";

/** What the app works with; tests hand in their own. */
export interface WidgetParts {
  zitadel: LoginClient;
  intents: IntentClient;
  providers: SignInProviders;
  /** Makes an auth request for an inline flow. */
  authorize: (input: Authorization) => Promise<Authorized>;
  /** Exchanges an inline flow's code, for programs. */
  oauth: OAuthCalls;
  /** ZITADEL's `iss`, and its public keys: who sends people to `/logout`. */
  issuer: string;
  jwks: () => ReturnType<typeof fetchJwks>;
  clients: Clients;
  looks: Looks;
  refusals: Refusals;
  permits: Permits;
  mailer: Mailer;
  publicUrl: string;
  /** Seals what browsers keep for us. */
  keyring: () => Promise<Keyring>;
  /** For what is made up to look like somebody's. */
  pseudonym: (text: string) => Promise<string>;
  now: () => Date;
  /** No refusal of a password comes sooner, so that its time tells nothing of why. */
  refusalFloorMs: number;
}

let real: WidgetParts | undefined;

export function processParts(): WidgetParts {
  return real ??= makeParts();
}

function makeParts(): WidgetParts {
  const { profile, zitadelIssuer, zitadelUrl, loginClientTokenFile, publicUrl } = config();
  const address = { profile, issuer: zitadelIssuer, url: zitadelUrl };
  const credential = { ...address, tokenFile: loginClientTokenFile };
  return {
    zitadel: loginClient({
      ...credential,
      platformOrganizationId: async () => {
        const [row] = await database()<{ id: string | null }[]>`
          select private.get_setting('zitadel.platform_organization_id') #>> '{}' as id`;
        return row?.id ?? null;
      },
    }),
    intents: intentClient(credential),
    providers: databaseProviders(database),
    authorize: authorizer(address),
    oauth: oauth(address),
    issuer: zitadelIssuer,
    jwks: () => fetchJwks(address),
    clients: databaseClients(database),
    looks: databaseLooks(database, publicUrl),
    refusals: databaseRefusals(database),
    permits: databasePermits(database),
    mailer: databaseMailer({ sql: database, keyring: mailKeyring() }),
    publicUrl,
    ...derivedKeys(() => readSecretFile("ZITADEL_LOGIN_CLIENT_TOKEN_FILE", loginClientTokenFile)),
    now: () => new Date(),
    refusalFloorMs: 700,
  };
}
