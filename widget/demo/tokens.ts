/** The whole of what an application must know about tokens: exchange a code, check a signature, ask who it is. */
import { createRemoteJWKSet, errors, jwtVerify } from "jose";
import type { StorefrontConfig } from "./config.ts";

export interface Tokens {
  access_token: string;
  id_token: string;
  expires_in: number;
}

export interface Person {
  id: string;
  name: string;
  email: string | undefined;
}

/** A code or token that is not good, and why; the answer is a 401. */
export class TokenRefused extends Error {}

interface Endpoints {
  token_endpoint: string;
  userinfo_endpoint: string;
  end_session_endpoint: string;
  jwks_uri: string;
}

const discovered = new Map<
  string,
  Promise<Endpoints & { keys: ReturnType<typeof createRemoteJWKSet> }>
>();

export function discover(issuer: string) {
  const known = discovered.get(issuer) ?? (async () => {
    const endpoints = await json<Endpoints>(
      await fetch(`${issuer}/.well-known/openid-configuration`),
    );
    return { ...endpoints, keys: createRemoteJWKSet(new URL(endpoints.jwks_uri)) };
  })();
  discovered.set(issuer, known);
  known.catch(() => discovered.delete(issuer));
  return known;
}

/** @throws {TokenRefused} */
export async function exchangeCode(
  config: StorefrontConfig,
  answer: { code: string; codeVerifier: string; nonce: string; redirectUri: string },
): Promise<Tokens> {
  const { token_endpoint, keys } = await discover(config.issuer);
  const tokens = await json<Tokens>(
    await fetch(token_endpoint, {
      method: "POST",
      body: new URLSearchParams({
        grant_type: "authorization_code",
        client_id: config.clientId,
        code: answer.code,
        code_verifier: answer.codeVerifier,
        redirect_uri: answer.redirectUri,
      }),
    }),
  );
  const { payload } = await verify(tokens.id_token, keys, config);
  if (payload.nonce !== answer.nonce) throw new TokenRefused("The ID token is for another sign-in");
  await verifyAccessToken(config, tokens.access_token);
  return tokens;
}

/** iss, aud, exp and alg, and that it is an access token of ours. @throws {TokenRefused} */
export async function verifyAccessToken(config: StorefrontConfig, token: string): Promise<string> {
  const { keys } = await discover(config.issuer);
  const { payload } = await verify(token, keys, config);
  if (payload.client_id !== config.clientId || typeof payload.sub !== "string") {
    throw new TokenRefused("The token is no access token of this application");
  }
  return payload.sub;
}

/** Names are not in access tokens; the issuer tells them. @throws {TokenRefused} */
export async function whoIs(config: StorefrontConfig, token: string): Promise<Person> {
  const id = await verifyAccessToken(config, token);
  const { userinfo_endpoint } = await discover(config.issuer);
  const profile = await json<{ name?: string; email?: string; preferred_username?: string }>(
    await fetch(userinfo_endpoint, { headers: { authorization: `Bearer ${token}` } }),
  );
  return { id, name: profile.name ?? profile.preferred_username ?? id, email: profile.email };
}

async function verify(
  token: string,
  keys: ReturnType<typeof createRemoteJWKSet>,
  config: StorefrontConfig,
) {
  try {
    return await jwtVerify(token, keys, {
      issuer: config.issuer,
      audience: config.clientId,
      algorithms: ["RS256"],
      requiredClaims: ["exp", "sub"],
    });
  } catch (cause) {
    if (cause instanceof errors.JOSEError) throw new TokenRefused(cause.code, { cause });
    throw cause;
  }
}

async function json<T>(response: Response): Promise<T> {
  if (response.ok) return await response.json();
  const text = await response.text();
  if (response.status < 500) {
    throw new TokenRefused(`The issuer answered ${response.status}: ${text}`);
  }
  throw new Error(`${response.url} answered ${response.status}`);
}
