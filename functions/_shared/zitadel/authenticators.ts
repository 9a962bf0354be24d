// Passkeys, and security keys as second factors: WebAuthn in two roles that ZITADEL keeps apart.
import type { LoginWire } from "./platform_guard.ts";
import type { Authenticator, CredentialCalls, WebAuthnCreationOptions } from "./types.ts";
import { userService } from "./users.ts";

interface Started {
  passkeyId?: string;
  u2fId?: string;
  publicKeyCredentialCreationOptions: { publicKey: WebAuthnCreationOptions };
}
interface WireAuthenticator {
  id?: string;
  name?: string;
}
interface Passkey extends WireAuthenticator {
  id: string;
  state?: string;
}
interface AuthFactor {
  state?: string;
  u2f?: WireAuthenticator;
}

const states = ["AUTH_FACTOR_STATE_READY", "AUTH_FACTOR_STATE_NOT_READY"];

export function authenticators({ connect }: LoginWire) {
  const call = <T = unknown>(method: string, body: object) => connect<T>(userService, method, body);

  return {
    async startPasskey(userId, { domain }) {
      // A code made and spent here: registering for somebody else takes one.
      const { code } = await call<{ code: object }>("CreatePasskeyRegistrationLink", {
        userId,
        returnCode: {},
      });
      const started = await call<Started>("RegisterPasskey", { userId, code, domain });
      return {
        passkeyId: started.passkeyId ?? "",
        options: started.publicKeyCredentialCreationOptions.publicKey,
      };
    },

    async finishPasskey(userId, { passkeyId, name, credential }) {
      await call("VerifyPasskeyRegistration", {
        userId,
        passkeyId,
        passkeyName: name,
        publicKeyCredential: credential,
      });
    },

    async listPasskeys(userId) {
      const { result = [] } = await call<{ result?: Passkey[] }>("ListPasskeys", { userId });
      return result.map((passkey) => asAuthenticator(passkey, passkey.state));
    },

    async removePasskey(userId, passkeyId) {
      await call("RemovePasskey", { userId, passkeyId });
    },

    async startU2f(userId, { domain }) {
      const started = await call<Started>("RegisterU2F", { userId, domain });
      return {
        u2fId: started.u2fId ?? "",
        options: started.publicKeyCredentialCreationOptions.publicKey,
      };
    },

    async finishU2f(userId, { u2fId, name, credential }) {
      await call("VerifyU2FRegistration", {
        userId,
        u2fId,
        tokenName: name,
        publicKeyCredential: credential,
      });
    },

    async listU2f(userId) {
      const { result = [] } = await call<{ result?: AuthFactor[] }>("ListAuthenticationFactors", {
        userId,
        authFactors: ["U2F"],
        states,
      });
      return result.flatMap(({ u2f, state }) => u2f ? [asAuthenticator(u2f, state)] : []);
    },

    async removeU2f(userId, u2fId) {
      await call("RemoveU2F", { userId, u2fId });
    },
  } satisfies Partial<CredentialCalls>;
}

const asAuthenticator = (
  { id = "", name = "" }: WireAuthenticator,
  state: string | undefined,
): Authenticator => ({ id, name, ready: state === "AUTH_FACTOR_STATE_READY" });
