/**
 * Whether a bearer token is genuine: RS256 (ZITADEL) or ES256 (our own issuer), a known issuer's key, not expired. Everything else (audience, kind of token, client,
 * person, tenant) is `private.check_request`, which asCaller runs: one truth for PostgREST and functions.
 */
import type { MiddlewareHandler } from "hono";
import { decodeJwt, decodeProtectedHeader, errors, importJWK, type JWK, jwtVerify } from "jose";
import type { App } from "./app.ts";
import { database, type Sql } from "./db.ts";
import { Problem } from "./problem.ts";
import { log } from "./telemetry.ts";

export interface Claims {
  iss: string;
  exp: number;
  sub?: string;
  aud?: string | string[];
  [claim: string]: unknown;
}

/** A verified token and what asCaller hands to SQL. */
export interface Caller {
  claims: Claims;
  token: string;
  /** Lower-case names, authorization among them; no cookie or apikey; x-forwarded-for is the one address we trust. */
  headers: Record<string, string>;
}

/** A row of private.list_verification_keys(). */
export interface VerificationKey {
  issuer: string;
  kid: string;
  jwk: JWK;
}

export interface VerifierOptions {
  loadKeys: () => Promise<VerificationKey[]>;
  /** Calls back when keys changed; keys are also read again when older than `maxAgeMs`. */
  watch?: (changed: () => void) => Promise<void>;
  now?: () => number;
  /** Default 15 000. */
  maxAgeMs?: number;
  /** Verified tokens kept. Default 5 000 (about 1 KiB each). */
  cacheSize?: number;
}

export interface Verifier {
  /** @throws {Problem} token_invalid, token_expired */
  verify(token: string): Promise<Claims>;
  /** Forgets keys and verified tokens. */
  drop(): void;
}

/** As PostgREST: a token is taken this long after its `exp`, for clocks that differ. */
const clockToleranceSeconds = 30;
const maxCachedMs = 60_000;
const unknownKeyCooldownMs = 1_000;

interface Key {
  key: CryptoKey;
  /** The only one it verifies. */
  alg: string;
}

type Keys = Map<string, Key>;

/** Type of key → algorithm. */
const algorithms: Record<string, string> = { RSA: "RS256", EC: "ES256" };

export function verifier(options: VerifierOptions): Verifier {
  const now = options.now ?? Date.now;
  const maxAgeMs = options.maxAgeMs ?? 15_000;
  const cacheSize = options.cacheSize ?? 5_000;
  const verified = new Map<string, { claims: Claims; until: number }>();
  let keys: Keys = new Map();
  let fingerprint = "";
  let loadedAt = -Infinity;
  let generation = 0;
  let loading: Promise<void> | undefined;
  let watching: Promise<void> | undefined;

  const drop = () => {
    generation++;
    loadedAt = -Infinity;
    verified.clear();
  };

  async function load() {
    watching ??= options.watch?.(drop).catch((error) => {
      watching = undefined;
      log("warn", "verification keys are not watched, only read again by age", { error });
    });
    const atGeneration = generation;
    const rows = await options.loadKeys();
    const print = JSON.stringify(rows.map(({ issuer, kid, jwk }) => [issuer, kid, jwk]).sort());
    if (print !== fingerprint) {
      const imported = await Promise.all(rows.map(importRow));
      keys = new Map(imported.filter((entry) => entry !== null));
      fingerprint = print;
      verified.clear();
    }
    // A change heard of while the rows were read may not be in them.
    if (atGeneration === generation) loadedAt = now();
  }

  const reload = () => loading ??= load().finally(() => loading = undefined);

  async function keyFor(issuer: string, kid: string): Promise<Key | undefined> {
    if (now() - loadedAt >= maxAgeMs) await reload();
    const key = keys.get(keyName(issuer, kid));
    if (key !== undefined || now() - loadedAt < unknownKeyCooldownMs) return key;
    await reload();
    return keys.get(keyName(issuer, kid));
  }

  async function verify(token: string): Promise<Claims> {
    if (now() - loadedAt >= maxAgeMs) await reload();
    const hit = verified.get(token);
    if (hit && hit.until > now()) return hit.claims;
    const { issuer, kid } = readNames(token);
    const key = await keyFor(issuer, kid);
    if (key === undefined) throw invalid("The token's issuer or key is not known");
    const atGeneration = generation;
    const claims = await check(token, key, issuer, now());
    const until = Math.min(claims.exp * 1000, now() + maxCachedMs);
    if (until > now() && atGeneration === generation) {
      if (verified.size >= cacheSize) verified.delete(verified.keys().next().value!);
      verified.set(token, { claims, until });
    }
    return claims;
  }

  return { verify, drop };
}

const keyName = (issuer: string, kid: string) => `${issuer}\n${kid}`;

async function importRow(
  { issuer, kid, jwk }: VerificationKey,
): Promise<[string, Key] | null> {
  try {
    const alg = algorithms[jwk.kty ?? ""];
    if (!alg || jwk.d !== undefined || jwk.use === "enc") throw new TypeError(jwk.kty);
    const { n, e, crv, x, y } = jwk;
    const key = alg === "RS256"
      ? await importJWK({ kty: "RSA", n: n!, e: e! }, alg)
      : await importJWK({ kty: "EC", crv: crv!, x: x!, y: y! }, alg);
    return [keyName(issuer, kid), { key: key as CryptoKey, alg }];
  } catch (error) {
    log("warn", "a verification key cannot be used", { issuer, kid, error });
    return null;
  }
}

function readNames(token: string): { issuer: string; kid: string } {
  try {
    const { kid, alg } = decodeProtectedHeader(token);
    const { iss } = decodeJwt(token);
    if (!Object.values(algorithms).includes(alg ?? "")) {
      throw invalid("The token must be signed with RS256 or ES256");
    }
    if (typeof kid === "string" && typeof iss === "string") return { issuer: iss, kid };
  } catch (cause) {
    if (cause instanceof Problem) throw cause;
    throw invalid("The token is not a JSON Web Token", cause);
  }
  throw invalid("The token must name its issuer and key");
}

async function check(
  token: string,
  { key, alg }: Key,
  issuer: string,
  at: number,
): Promise<Claims> {
  try {
    const { payload } = await jwtVerify(token, key, {
      algorithms: [alg],
      issuer,
      requiredClaims: ["exp"],
      clockTolerance: clockToleranceSeconds,
      currentDate: new Date(at),
    });
    return payload as Claims;
  } catch (cause) {
    if (cause instanceof errors.JWTExpired) {
      throw new Problem("token_expired", "The token has expired", {
        cause,
        headers: challenge("invalid_token"),
      });
    }
    if (cause instanceof errors.JOSEError || cause instanceof TypeError) {
      throw invalid("The token's signature or times do not hold", cause);
    }
    throw cause;
  }
}

const challenge = (error?: string) => ({
  "www-authenticate": error ? `Bearer error="${error}"` : "Bearer",
});

function invalid(detail: string, cause?: unknown): Problem {
  return new Problem("token_invalid", detail, { cause, headers: challenge("invalid_token") });
}

/** Keys of the database, dropped the moment it says that they changed (the channel that PostgREST listens to). */
export function databaseVerifier(sql: Sql, options: Partial<VerifierOptions> = {}): Verifier {
  return verifier({
    loadKeys: async () =>
      await sql<VerificationKey[]>`select issuer, kid, jwk from private.list_verification_keys()`,
    watch: async (changed) => {
      await sql.listen("pgrst", changed, changed);
    },
    ...options,
  });
}

let shared: Verifier | undefined;

/** Puts a verified `caller` on the context, else 401. */
export const authenticate: MiddlewareHandler<App> = async (c, next) => {
  shared ??= databaseVerifier(database());
  c.set("caller", await callerOf(c.req.raw, c.var.request, shared));
  await next();
};

const withheld = /^(proxy-authorization|cookie|apikey|x-forwarded-.*|forwarded)$/;

/** The caller of a request. @throws {Problem} token_missing, token_invalid, token_expired */
export async function callerOf(
  request: Request,
  context: { id: string; traceparent: string; address: string | undefined },
  keys: Verifier,
): Promise<Caller> {
  const token = /^Bearer +([^\s]+) *$/i.exec(request.headers.get("authorization") ?? "")?.[1];
  if (token === undefined) {
    throw new Problem("token_missing", "This address needs a bearer token", {
      headers: challenge(),
    });
  }
  if (token.length > 16_384) throw invalid("The token is too long");
  const claims = await keys.verify(token);
  const headers = Object.fromEntries(
    [...request.headers].filter(([name]) => !withheld.test(name)),
  );
  return {
    claims,
    token,
    headers: {
      ...headers,
      "x-correlation-id": context.id,
      traceparent: context.traceparent,
      ...(context.address ? { "x-forwarded-for": context.address } : {}),
    },
  };
}
