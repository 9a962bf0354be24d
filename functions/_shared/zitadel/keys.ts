import type { JWK } from "jose";
import { apiAddress } from "./address.ts";
import { ZitadelError } from "./errors.ts";
import type { ZitadelAddress } from "./types.ts";

/** The issuer's public keys, as it publishes them now. Throws rather than give an empty list that would remove every key. */
export async function fetchJwks(config: ZitadelAddress): Promise<JWK[]> {
  const { url, headers } = apiAddress(config);
  let keys: unknown;
  try {
    const response = await fetch(`${url}/oauth/v2/keys`, {
      headers: { ...headers, accept: "application/json" },
      redirect: "error",
      signal: AbortSignal.timeout(10_000),
    });
    keys = (await response.json() as { keys?: unknown }).keys;
  } catch (cause) {
    throw new ZitadelError({
      code: "unavailable",
      message: `Cannot read the keys of "${config.issuer}"`,
      cause,
    });
  }
  const usable = Array.isArray(keys) ? keys.filter(isSigningKey) : [];
  if (usable.length === 0) {
    throw new ZitadelError({
      code: "unavailable",
      message: `"${config.issuer}" publishes no signing key`,
    });
  }
  return usable.map(publicPart);
}

function isSigningKey(key: unknown): key is JWK {
  const jwk = key as JWK | null;
  return typeof jwk === "object" && jwk !== null && typeof jwk.kid === "string" &&
    (jwk.use === undefined || jwk.use === "sig") && jwk.kty !== "oct";
}

/** Only public members are passed on, whatever was sent. */
function publicPart({ kty, kid, use, alg, n, e, crv, x, y }: JWK): JWK {
  return JSON.parse(JSON.stringify({ kty, kid, use, alg, n, e, crv, x, y })) as JWK;
}
