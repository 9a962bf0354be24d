/** What happens to tokens afterwards: renewed, or given up. */
import { createLocalJWKSet, decodeJwt, errors, jwtVerify } from "jose";
import type { z } from "zod";
import { Problem } from "../../_shared/problem.ts";
import { isZitadelError } from "../../_shared/zitadel/errors.ts";
import { endSession } from "../flow/next.ts";
import type { WidgetParts } from "../parts.ts";
import type { Refresh, SignOut, Tokens } from "./contract.ts";
import { type Asked, clientOf, readTokens, refuseClient } from "./sign_in.ts";

/** @throws {Problem} refresh_refused, client_credentials_refused */
export async function refresh(
  { c, parts }: Asked,
  { clientId, refreshToken }: z.output<typeof Refresh>,
): Promise<Tokens> {
  return readTokens(
    await parts.oauth.refresh(clientOf(c, clientId), refreshToken).catch((error) => {
      if (isZitadelError(error, "failed_precondition")) {
        throw new Problem(
          "refresh_refused",
          "The refresh token was used, has run out, was revoked or is another application's",
          { cause: error },
        );
      }
      return refuseClient(error);
    }),
  );
}

/** @throws {Problem} invalid_request, client_credentials_refused, logout_refused */
export async function signOut(
  { c, parts }: Asked,
  { clientId, refreshToken, idToken }: z.output<typeof SignOut>,
): Promise<void> {
  if (refreshToken === undefined && idToken === undefined) {
    throw new Problem("invalid_request", "Nothing to sign out of: refreshToken or idToken");
  }
  const session = idToken && await sessionOf(parts, clientId, idToken);
  if (refreshToken !== undefined) {
    await parts.oauth.revoke(clientOf(c, clientId), refreshToken).catch(refuseClient);
  }
  if (session) await endSession({ parts }, { sessionId: session });
}

/** An ID token says whose session it is of, also after it has run out; only to the application that it was made for. */
async function sessionOf(
  { issuer, jwks }: WidgetParts,
  clientId: string,
  idToken: string,
): Promise<string> {
  const keys = createLocalJWKSet({ keys: await jwks() });
  try {
    const { iat = 0 } = decodeJwt(idToken);
    const { payload } = await jwtVerify(idToken, keys, {
      issuer,
      audience: clientId,
      algorithms: ["RS256", "RS384", "RS512", "ES256", "ES384", "ES512", "EdDSA"],
      currentDate: new Date(iat * 1000),
    });
    if (typeof payload.sid === "string" && payload.nonce !== undefined) return payload.sid;
    throw refused();
  } catch (error) {
    throw error instanceof errors.JOSEError ? refused(error) : error;
  }
}

const refused = (cause?: unknown) =>
  new Problem("logout_refused", "The ID token is none of the issuer's to this application", {
    cause,
  });
