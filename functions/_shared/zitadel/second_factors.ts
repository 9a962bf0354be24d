// Second factors that are codes: of an authenticator application, over e-mail, written down.
import type { LoginWire } from "./platform_guard.ts";
import type { AuthenticationMethod, CredentialCalls } from "./types.ts";
import { userService } from "./users.ts";

export function secondFactors({ connect }: LoginWire) {
  const call = <T = unknown>(method: string, body: object) => connect<T>(userService, method, body);

  return {
    async authenticationMethods(userId) {
      const { authMethodTypes = [] } = await call<{ authMethodTypes?: string[] }>(
        "ListAuthenticationMethodTypes",
        { userId },
      );
      return authMethodTypes.map((type) =>
        type.replace("AUTHENTICATION_METHOD_TYPE_", "").toLowerCase() as AuthenticationMethod
      );
    },

    async startTotp(userId) {
      const { uri, secret } = await call<{ uri: string; secret: string }>("RegisterTOTP", {
        userId,
      });
      return { uri, secret };
    },

    async verifyTotp(userId, code) {
      await call("VerifyTOTPRegistration", { userId, code });
    },

    async removeTotp(userId) {
      await call("RemoveTOTP", { userId });
    },

    async addOtpEmail(userId) {
      await call("AddOTPEmail", { userId });
    },

    async removeOtpEmail(userId) {
      await call("RemoveOTPEmail", { userId });
    },

    async makeRecoveryCodes(userId, count) {
      const { recoveryCodes = [] } = await call<{ recoveryCodes?: string[] }>(
        "GenerateRecoveryCodes",
        { userId, count },
      );
      return recoveryCodes;
    },

    async removeRecoveryCodes(userId) {
      await call("RemoveRecoveryCodes", { userId });
    },
  } satisfies Partial<CredentialCalls>;
}
