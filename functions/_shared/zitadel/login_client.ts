import { wire } from "./call.ts";
import { ZitadelError } from "./errors.ts";
import { readAuthRequest, readLoginSettings, readSession, type WireSession } from "./sign_in.ts";
import type { AuthenticationMethod, LoginClient, LoginClientConfig } from "./types.ts";
import { findUser, readUser, userService, type WireUser } from "./users.ts";

const sessions = "zitadel.session.v2.SessionService";
const oidc = "zitadel.oidc.v2.OIDCService";
const settings = "zitadel.settings.v2.SettingsService";

const callbackErrors = {
  access_denied: "ERROR_REASON_ACCESS_DENIED",
  login_required: "ERROR_REASON_LOGIN_REQUIRED",
  interaction_required: "ERROR_REASON_INTERACTION_REQUIRED",
  account_selection_required: "ERROR_REASON_ACCOUNT_SELECTION_REQUIRED",
  server_error: "ERROR_REASON_SERVER_ERROR",
  temporarily_unavailable: "ERROR_REASON_TEMPORARY_UNAVAILABLE",
} as const;

/** What a sign-in page needs; the credential of an IAM_LOGIN_CLIENT, the only role that may link a session to an auth request. */
export function loginClient(config: LoginClientConfig): LoginClient {
  const { connect } = wire(config);

  /** The login client could set any password in the instance; whoever takes it over must not become platform staff. */
  async function refusePlatformUser(userId: string): Promise<void> {
    const [platform, user] = await Promise.all([
      config.platformOrganizationId(),
      findUser({ connect }, userId),
    ]);
    const owner = user?.details?.resourceOwner;
    if (platform !== null && owner !== undefined && owner !== platform) return;
    throw new ZitadelError({
      code: user === null ? "not_found" : "platform_user_refused",
      message: user === null
        ? `There is no user "${userId}"`
        : `The sign-in page sets no credential of user "${userId}"`,
    });
  }

  async function search(orgId: string, ...queries: object[]) {
    const { result = [] } = await connect<{ result?: WireUser[] }>(userService, "ListUsers", {
      query: { limit: 2 },
      queries: [{ organizationIdQuery: { organizationId: orgId } }, { orQuery: { queries } }],
    });
    return result.map(readUser);
  }

  return {
    async getAuthRequest(id) {
      const { authRequest } = await connect<{ authRequest: Parameters<typeof readAuthRequest>[0] }>(
        oidc,
        "GetAuthRequest",
        { authRequestId: id },
        { settle: "once" }, // a browser may be here before the projection is; strangers' ids must not wait long
      );
      return readAuthRequest(authRequest);
    },

    async findUsers({ orgId, loginName, byEmail = false }) {
      const method = "TEXT_QUERY_METHOD_EQUALS_IGNORE_CASE";
      // Under userLoginMustBeDomain the login name has the organization's domain behind it; people type what stands before.
      const found = await search(
        orgId,
        { loginNameQuery: { loginName, method } },
        { userNameQuery: { userName: loginName, method } },
      );
      if (found.length > 0 || !byEmail) return found;
      return await search(orgId, { emailQuery: { emailAddress: loginName, method } });
    },

    async getUser(id) {
      const user = await findUser({ connect }, id);
      return user === null ? null : readUser(user);
    },

    async createSession({ userId, password, lifetimeSeconds, userAgent }) {
      return await connect<{ sessionId: string; sessionToken: string }>(sessions, "CreateSession", {
        checks: {
          user: { userId },
          ...(password === undefined ? {} : { password: { password } }),
        },
        lifetime: `${lifetimeSeconds}s`, // without one it would never end
        ...(userAgent === undefined ? {} : { userAgent }),
      }).then(({ sessionId, sessionToken }) => ({ sessionId, sessionToken }));
    },

    async setSession({ sessionId, password, lifetimeSeconds }) {
      const { sessionToken } = await connect<{ sessionToken: string }>(sessions, "SetSession", {
        sessionId,
        ...(password === undefined ? {} : { checks: { password: { password } } }),
        ...(lifetimeSeconds === undefined ? {} : { lifetime: `${lifetimeSeconds}s` }),
      });
      return { sessionId, sessionToken };
    },

    async getSession({ sessionId, sessionToken }) {
      const { session } = await connect<{ session: WireSession }>(
        sessions,
        "GetSession",
        { sessionId, ...(sessionToken === undefined ? {} : { sessionToken }) },
        { settle: true },
      );
      return readSession(session);
    },

    async deleteSession({ sessionId, sessionToken }) {
      await connect(sessions, "DeleteSession", {
        sessionId,
        ...(sessionToken === undefined ? {} : { sessionToken }),
      });
    },

    async loginSettings(orgId) {
      const answer = await connect<{ settings?: Parameters<typeof readLoginSettings>[0] }>(
        settings,
        "GetLoginSettings",
        { ctx: { orgId } },
      );
      return readLoginSettings(answer.settings ?? {});
    },

    async lockoutSettings(orgId) {
      const answer = await connect<{ settings?: { maxPasswordAttempts?: string } }>(
        settings,
        "GetLockoutSettings",
        { ctx: { orgId } },
      );
      return { maxPasswordAttempts: Number(answer.settings?.maxPasswordAttempts ?? 0) };
    },

    async authenticationMethods(userId) {
      const { authMethodTypes = [] } = await connect<{ authMethodTypes?: string[] }>(
        userService,
        "ListAuthenticationMethodTypes",
        { userId },
      );
      return authMethodTypes.map((type) =>
        type.replace("AUTHENTICATION_METHOD_TYPE_", "").toLowerCase() as AuthenticationMethod
      );
    },

    async createCallback(authRequestId, outcome) {
      const answer = "error" in outcome
        ? {
          error: {
            error: callbackErrors[outcome.error],
            ...(outcome.description === undefined ? {} : { errorDescription: outcome.description }),
          },
        }
        : { session: { sessionId: outcome.sessionId, sessionToken: outcome.sessionToken } };
      const { callbackUrl } = await connect<{ callbackUrl: string }>(oidc, "CreateCallback", {
        authRequestId,
        ...answer,
      });
      return { callbackUrl };
    },

    async setPassword({ userId, newPassword, currentPassword, verificationCode }) {
      await refusePlatformUser(userId);
      await connect(userService, "SetPassword", {
        userId,
        newPassword: { password: newPassword },
        ...(currentPassword === undefined ? {} : { currentPassword }),
        ...(verificationCode === undefined ? {} : { verificationCode }),
      });
    },
  };
}
