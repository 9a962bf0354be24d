import { apiAddress } from "../_shared/zitadel/address.ts";
import { ZitadelError } from "../_shared/zitadel/errors.ts";
import type { ZitadelAddress } from "../_shared/zitadel/types.ts";

export interface Authorization {
  clientId: string;
  redirectUri: string;
  codeChallenge: string;
  state: string;
  nonce: string;
  scope: string;
  loginHint?: string | undefined;
}

/** The auth request's id, or why ZITADEL makes none: an OAuth error code. */
export type Authorized = { authRequest: string } | { error: string };

/** Begins a sign-in as an application's page would, with no browser on the way: the inline mode. */
export function authorizer(config: ZitadelAddress) {
  return async (input: Authorization): Promise<Authorized> => {
    const { url, headers } = apiAddress(config);
    const address = new URL(`${url}/oauth/v2/authorize`);
    address.search = new URLSearchParams({
      response_type: "code",
      client_id: input.clientId,
      redirect_uri: input.redirectUri,
      scope: input.scope,
      state: input.state,
      nonce: input.nonce,
      code_challenge: input.codeChallenge,
      code_challenge_method: "S256",
      ...(input.loginHint === undefined ? {} : { login_hint: input.loginHint }),
    }).toString();
    const response = await fetch(address, {
      // Any value asks for an auth request of the new kind, whatever the instance's settings are; who may answer it is a role.
      headers: { ...headers, "x-zitadel-login-client": "gatehouse" },
      redirect: "manual",
      signal: AbortSignal.timeout(10_000),
    }).catch((cause) => {
      throw new ZitadelError({
        code: "unavailable",
        message: "ZITADEL's authorize endpoint cannot be reached",
        cause,
      });
    });
    await response.body?.cancel();
    const location = response.headers.get("location");
    const answer = location === null ? undefined : new URL(location, address).searchParams;
    const authRequest = answer?.get("authRequest");
    return authRequest ? { authRequest } : { error: answer?.get("error") ?? "invalid_request" };
  };
}
