// The private key of our own issuer, and what it signs. Only this process has it.
import {
  calculateJwkThumbprint,
  exportJWK,
  generateKeyPair,
  importJWK,
  type JWK,
  SignJWT,
} from "jose";
import { ConfigError } from "../_shared/config.ts";

export interface SigningKey {
  kid: string;
  key: CryptoKey;
  /** What GET /session/keys shows. */
  publicJwk: JWK;
}

/** Tokens of ours live ten minutes at most, the anonymous key excepted: it names nobody. */
export const maxLifetimeSeconds = 600;
const anonymousYears = 10;

/**
 * A new ES256 key as a private JWK; its kid is the RFC 7638 thumbprint. Never RS256: ZITADEL's keys are RSA, and by the type of
 * a key PostgREST's hook knows that neither issuer spoke in the other's name (sql/80_operations/30_verification_keys.sql).
 */
export async function generateSigningKey(): Promise<JWK> {
  const { privateKey } = await generateKeyPair("ES256", { extractable: true });
  const jwk = await exportJWK(privateKey);
  return { ...jwk, kid: await calculateJwkThumbprint(jwk), alg: "ES256", use: "sig" };
}

/** Reads a private JWK. @throws {ConfigError} */
export async function parseSigningKey(
  text: string,
  variable = "GATEHOUSE_SIGNING_KEY_FILE",
): Promise<SigningKey> {
  try {
    const { kty, crv, x, y, d, kid } = JSON.parse(text) as JWK;
    if (kty !== "EC" || crv !== "P-256" || !x || !y || !d || !kid) {
      throw new TypeError("incomplete");
    }
    const key = await importJWK({ kty, crv, x, y, d }, "ES256");
    if (!(key instanceof CryptoKey)) throw new TypeError("symmetric");
    return { kid, key, publicJwk: { kty, crv, x, y, kid, alg: "ES256", use: "sig" } };
  } catch {
    // The parser's own message could quote the key.
    throw new ConfigError(variable, "expected a private EC P-256 key as JWK with a kid");
  }
}

export interface TokenContent {
  issuer: string;
  audience: string;
  subject: string;
  /** 1 to 600. */
  lifetimeSeconds: number;
  claims?: Record<string, unknown>;
}

/** A short-lived token of our own issuer. @throws {RangeError} */
export async function signToken(key: SigningKey, content: TokenContent): Promise<string> {
  const { lifetimeSeconds } = content;
  if (!(lifetimeSeconds > 0 && lifetimeSeconds <= maxLifetimeSeconds)) {
    throw new RangeError(`A token lives 1 to ${maxLifetimeSeconds} s, not ${lifetimeSeconds}`);
  }
  return await new SignJWT({ ...content.claims })
    .setProtectedHeader({ alg: "ES256", kid: key.kid, typ: "JWT" })
    .setIssuer(content.issuer)
    .setAudience(content.audience)
    .setSubject(content.subject)
    .setJti(crypto.randomUUID())
    .setIssuedAt()
    .setExpirationTime(`${lifetimeSeconds}s`)
    .sign(key.key);
}

/** The anonymous key: role anon and nothing more, so it may be public. */
export async function signAnonymousKey(
  key: SigningKey,
  { issuer, audience }: { issuer: string; audience: string },
): Promise<string> {
  return await new SignJWT({ role: "anon" })
    .setProtectedHeader({ alg: "ES256", kid: key.kid, typ: "JWT" })
    .setIssuer(issuer)
    .setAudience(audience)
    .setIssuedAt()
    .setExpirationTime(`${anonymousYears} years`)
    .sign(key.key);
}
