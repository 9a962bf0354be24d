/**
 * Authorization Code at Google, GitHub, Microsoft and OIDC servers, and who came back.
 * [S] internal/idp/providers/{google,github,azuread,oidc,oauth}
 */
import { createHash, randomBytes } from "node:crypto";
import { createLocalJWKSet, type JSONWebKeySet, type JWTPayload, jwtVerify } from "jose";
import { invalidArgument } from "../errors.ts";
import type { ExternalPerson, Idp, Intent } from "../model_idps.ts";
import type { Begun } from "./begin.ts";
import { fromClaims, fromGithub, fromMicrosoft } from "./persons.ts";
import { ask, type Idps, reach } from "./reach.ts";

interface Endpoints {
  authorization: string;
  token: string;
  user: string;
  /** OpenID Connect: the ID token counts, and is checked. */
  oidc?: { issuer: string; keys: string };
}
interface Discovery {
  issuer: string;
  authorization_endpoint: string;
  token_endpoint: string;
  userinfo_endpoint: string;
  jwks_uri: string;
}

const text = (idp: Idp, field: string) => String(idp.fields[field] ?? "");

async function endpointsOf(idps: Idps, idp: Idp): Promise<Endpoints> {
  switch (idp.type) {
    case "GITHUB":
      return {
        authorization: "https://github.com/login/oauth/authorize",
        token: "https://github.com/login/oauth/access_token",
        user: "https://api.github.com/user",
      };
    case "GITHUB_ES":
      return {
        authorization: text(idp, "authorizationEndpoint"),
        token: text(idp, "tokenEndpoint"),
        user: text(idp, "userEndpoint"),
      };
    case "AZURE_AD": {
      const base = `https://login.microsoftonline.com/${tenantOf(idp)}/oauth2/v2.0`;
      return {
        authorization: `${base}/authorize`,
        token: `${base}/token`,
        user: "https://graph.microsoft.com/v1.0/me",
      };
    }
    case "GOOGLE":
    case "OIDC": {
      const issuer = idp.type === "GOOGLE" ? "https://accounts.google.com" : text(idp, "issuer");
      const found = await ask<Discovery>(idps, `${issuer}/.well-known/openid-configuration`);
      if (found.issuer !== issuer) throw new Error(`${issuer} says it is ${found.issuer}`);
      return {
        authorization: found.authorization_endpoint,
        token: found.token_endpoint,
        user: found.userinfo_endpoint,
        oidc: { issuer, keys: found.jwks_uri },
      };
    }
    default:
      throw invalidArgument("IDP-7rPBbls4Zn", "Errors.ExternalIDP.IDPTypeNotImplemented");
  }
}

function tenantOf(idp: Idp): string {
  const tenant = (idp.fields.tenant ?? {}) as { tenantType?: string; tenantId?: string };
  if (tenant.tenantId) return tenant.tenantId;
  const names: Record<string, string> = { ORGANISATIONS: "organizations", CONSUMERS: "consumers" };
  return names[(tenant.tenantType ?? "").replace("AZURE_AD_TENANT_TYPE_", "")] ?? "common";
}

/** ZITADEL's defaults where none are given; Microsoft's always hold what reading the person takes. */
function scopesOf(idp: Idp): string[] {
  const given = (idp.fields.scopes ?? []) as string[];
  if (idp.type === "AZURE_AD") {
    return given.length === 0
      ? ["openid", "profile", "email", "phone", "User.Read"]
      : [...new Set([...given, "openid", "User.Read"])];
  }
  if (idp.type.startsWith("GITHUB")) return given;
  return given.length === 0 ? ["openid", "profile", "email"] : given;
}

const callback = ({ issuer }: Idps) => `${issuer}/idps/callback`;

export async function authorizationUrl(
  idps: Idps,
  idp: Idp,
  state: string,
  loginHint: string | undefined,
): Promise<Begun> {
  const { authorization } = await endpointsOf(idps, idp);
  const url = new URL(reach(idps, authorization));
  const codeVerifier = idp.fields.usePkce ? randomBytes(32).toString("base64url") : undefined;
  const query = {
    client_id: text(idp, "clientId"),
    redirect_uri: callback(idps),
    response_type: "code",
    scope: scopesOf(idp).join(" "),
    state,
    ...(idp.type.startsWith("GITHUB") ? {} : { prompt: "select_account" }),
    ...(loginHint ? { login_hint: loginHint } : {}),
    ...(codeVerifier
      ? {
        code_challenge: createHash("sha256").update(codeVerifier).digest("base64url"),
        code_challenge_method: "S256",
      }
      : {}),
  };
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
  return { step: { authUrl: url.href }, parameters: codeVerifier ? { codeVerifier } : {} };
}

interface Tokens {
  access_token?: string;
  id_token?: string;
  error?: string;
}

/** @throws Error with the reason; the intent fails by it */
export async function personOfCode(
  idps: Idps,
  idp: Idp,
  intent: Intent,
  code: string,
): Promise<ExternalPerson> {
  const endpoints = await endpointsOf(idps, idp);
  const { codeVerifier } = intent.parameters;
  const tokens = await ask<Tokens>(idps, endpoints.token, {
    method: "POST",
    body: new URLSearchParams({
      grant_type: "authorization_code",
      code,
      redirect_uri: callback(idps),
      client_id: text(idp, "clientId"),
      ...(idp.secret ? { client_secret: idp.secret } : {}),
      ...(codeVerifier ? { code_verifier: codeVerifier } : {}),
    }),
  });
  if (!tokens.access_token) throw new Error(tokens.error ?? "no access token"); // GitHub says 200 and an error
  const user = <T>() =>
    ask<T>(idps, endpoints.user, { headers: { authorization: `Bearer ${tokens.access_token}` } });
  const access = {
    oauth: {
      accessToken: tokens.access_token,
      ...(tokens.id_token ? { idToken: tokens.id_token } : {}),
    },
  };
  if (idp.type.startsWith("GITHUB")) return { ...fromGithub(await user()), access };
  if (idp.type === "AZURE_AD") {
    return { ...fromMicrosoft(await user(), idp.fields.emailVerified === true), access };
  }
  const claims = await checkedIdToken(idps, idp, endpoints.oidc!, tokens.id_token ?? "");
  if (idp.fields.isIdTokenMapping) return { ...fromClaims(claims, idp.type), access };
  const info = await user<JWTPayload>();
  if (info.sub !== claims.sub) throw new Error("userinfo is about somebody else");
  return { ...fromClaims(info, idp.type), access };
}

async function checkedIdToken(
  idps: Idps,
  idp: Idp,
  { issuer, keys }: NonNullable<Endpoints["oidc"]>,
  idToken: string,
): Promise<JWTPayload> {
  const set = createLocalJWKSet(await ask<JSONWebKeySet>(idps, keys));
  const { payload } = await jwtVerify(idToken, set, { issuer, audience: text(idp, "clientId") });
  return payload;
}
