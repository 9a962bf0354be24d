import { wire } from "./call.ts";
import { isZitadelError, ZitadelError } from "./errors.ts";
import {
  externalKind,
  readOptions,
  suggestedUser,
  type WireHuman,
  type WireOptions,
} from "./external_user.ts";
import type { IntentClient, RetrievedIntent, StartedIntent, ZitadelConfig } from "./types.ts";
import { userService } from "./users.ts";

const settings = "zitadel.settings.v2.SettingsService";
const idps = "zitadel.idp.v2.IdentityProviderService";

interface Started {
  authUrl?: string;
  formData?: { url?: string; fields?: Record<string, string> };
  idpIntent?: { idpIntentId?: string; idpIntentToken?: string; userId?: string };
}
export interface WireIdp {
  name?: string;
  type?: string;
  config?: { options?: WireOptions };
}
interface Retrieved {
  idpInformation?: {
    idpId?: string;
    userId?: string;
    userName?: string;
    rawInformation?: Record<string, unknown>;
  };
  userId?: string;
  /** Which of these is there depends on ZITADEL's version and on whether the account is linked. */
  createUser?: { username?: string; human?: WireHuman };
  updateUser?: { username?: string; human?: WireHuman };
  addHumanUser?: WireHuman;
  updateHumanUser?: WireHuman;
}

/** Signing in at providers; the credential of an IAM_LOGIN_CLIENT. What comes back proves who somebody is elsewhere, nothing more. */
export function intentClient(config: ZitadelConfig): IntentClient {
  const { connect } = wire(config);

  async function idp(id: string): Promise<WireIdp> {
    const answer = await connect<{ idp?: WireIdp }>(idps, "GetIDPByID", { id }, { settle: true });
    return answer.idp ?? {};
  }

  return {
    async activeProviders(orgId) {
      const { identityProviders = [] } = await connect<
        {
          identityProviders?: { id: string; name?: string; type?: string; options?: WireOptions }[];
        }
      >(settings, "GetActiveIdentityProviders", { ctx: { orgId } });
      return identityProviders.map(({ id, name = "", type = "", options = {} }) => ({
        idpId: id,
        name,
        kind: externalKind(type),
        options: readOptions(options),
      }));
    },

    async startIntent(input) {
      if ("ldap" in input) refuseUnsearchable(input.ldap);
      const { idpId, ...content } = input;
      return readStarted(
        await connect<Started>(userService, "StartIdentityProviderIntent", { idpId, ...content }),
      );
    },

    async retrieveIntent({ id, token }): Promise<RetrievedIntent> {
      const answer = await connect<Retrieved>(userService, "RetrieveIdentityProviderIntent", {
        idpIntentId: id,
        idpIntentToken: token,
      });
      const { idpId = "", userId = "", userName = "", rawInformation = {} } =
        answer.idpInformation ?? {};
      const provider = await idp(idpId);
      return {
        idpId,
        external: { userId, userName: userName || userId },
        ...(answer.userId ? { linkedUserId: answer.userId } : {}),
        suggested: suggestedUser(
          externalKind(provider.type ?? ""),
          personOf(answer),
          rawInformation,
        ),
        options: readOptions(provider.config?.options ?? {}),
      };
    },
  };
}

function personOf(answer: Retrieved): WireHuman {
  const { username, human } = answer.createUser ?? answer.updateUser ?? {};
  if (human !== undefined) return { ...human, ...(username ? { username } : {}) };
  return answer.addHumanUser ?? answer.updateHumanUser ?? {};
}

function readStarted({ authUrl, formData, idpIntent }: Started): StartedIntent {
  if (authUrl) return { authUrl };
  if (formData?.url) return { formPost: { url: formData.url, fields: formData.fields ?? {} } };
  if (idpIntent?.idpIntentId && idpIntent.idpIntentToken) {
    const { idpIntentId: id, idpIntentToken: token, userId } = idpIntent;
    return { intent: { id, token, ...(userId ? { userId } : {}) } };
  }
  throw new ZitadelError({
    code: "internal",
    message: "ZITADEL began a sign-in in a way that we do not know",
  });
}

/**
 * ZITADEL puts the user name into the directory's search filter as it is ([S] internal/idp/providers/ldap/session.go): `*` would
 * find somebody. And an empty password makes an LDAP bind succeed without any (RFC 4513, 5.1.2).
 */
function refuseUnsearchable({ username, password }: { username: string; password: string }): void {
  // deno-lint-ignore no-control-regex -- RFC 4515 lists NUL among what a filter must escape
  if (username.trim() !== "" && password !== "" && !/[*()\\\x00]/.test(username)) return;
  throw new ZitadelError({
    code: "invalid_argument",
    id: ldapRefused,
    message: "The directory cannot be asked for this user name and password",
  });
}

const ldapRefused = "COMMAND-nzun2i";

/** True: the directory does not know user name and password. False: something else failed, such as the way to the directory. */
export const directoryRefused = (error: unknown): boolean =>
  isZitadelError(error, "invalid_argument", ldapRefused);
