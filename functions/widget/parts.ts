import { config, readSecretFile } from "../_shared/config.ts";
import { database } from "../_shared/db.ts";
import type { Keyring } from "../_shared/secrets.ts";
import { cookieKeys } from "./cookie_keys.ts";
import { loginClient } from "../_shared/zitadel/login_client.ts";
import type { LoginClient } from "../_shared/zitadel/types.ts";
import { type Clients, databaseClients } from "./clients.ts";
import { databaseRefusals, type Refusals } from "./refusals.ts";

/** What the app works with; tests hand in their own. */
export interface WidgetParts {
  zitadel: LoginClient;
  clients: Clients;
  refusals: Refusals;
  publicUrl: string;
  /** Seals the cookies of the sign-in page. */
  keyring: () => Promise<Keyring>;
  now: () => Date;
  /** No refusal of a password comes sooner, so that its time tells nothing of why. */
  refusalFloorMs: number;
}

let real: WidgetParts | undefined;

export function processParts(): WidgetParts {
  const { profile, zitadelIssuer, zitadelUrl, loginClientTokenFile, publicUrl } = config();
  return real ??= {
    zitadel: loginClient({
      profile,
      issuer: zitadelIssuer,
      url: zitadelUrl,
      tokenFile: loginClientTokenFile,
      platformOrganizationId: async () => {
        const [row] = await database()<{ id: string | null }[]>`
          select private.get_setting('zitadel.platform_organization_id') #>> '{}' as id`;
        return row?.id ?? null;
      },
    }),
    clients: databaseClients(database),
    refusals: databaseRefusals(database),
    publicUrl,
    keyring: cookieKeys(() =>
      readSecretFile("ZITADEL_LOGIN_CLIENT_TOKEN_FILE", loginClientTokenFile)
    ),
    now: () => new Date(),
    refusalFloorMs: 700,
  };
}
