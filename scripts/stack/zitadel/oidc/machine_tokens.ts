// Machine users at the token endpoint: JWT profile and client_credentials.
import { Buffer } from "node:buffer";
import { decodeJwt, decodeProtectedHeader, importSPKI, jwtVerify } from "jose";
import { randomBytes } from "node:crypto";
import { hash } from "../caller.ts";
import { methodNumbers } from "./auth_methods.ts";
import type { OidcSession, User } from "../model.ts";
import type { Store } from "../store.ts";
import { audienceOf, requestedProjects, scopeClaims } from "./claims.ts";
import { sign } from "./keys.ts";
import { lifetimeSeconds, nowSeconds } from "./lifetimes.ts";
import { recordTokens } from "./tokens.ts";

export interface TokenAnswer {
  status: number;
  body: Record<string, unknown>;
}

const jwtProfile = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/** Null: a grant of applications, which oidc-provider answers. */
export async function machineToken(
  store: Store,
  issuer: string,
  form: URLSearchParams,
  authorization: string | undefined,
): Promise<TokenAnswer | null> {
  const grantType = form.get("grant_type");
  if (grantType !== jwtProfile && grantType !== "client_credentials") return null;
  const user = grantType === jwtProfile
    ? await byAssertion(store, issuer, form.get("assertion") ?? "")
    : bySecret(store, form, authorization);
  if (!user) {
    return grantType === jwtProfile
      ? refusal(400, "invalid_grant", "assertion is invalid")
      : refusal(401, "invalid_client", "client authentication failed");
  }
  return await issue(store, issuer, user, (form.get("scope") ?? "").split(" ").filter(Boolean));
}

const refusal = (status: number, error: string, description: string): TokenAnswer => ({
  status,
  body: { error, error_description: description },
});

async function byAssertion(store: Store, issuer: string, assertion: string): Promise<User | null> {
  try {
    const { kid = "" } = decodeProtectedHeader(assertion);
    const user = store.get("user", decodeJwt(assertion).sub ?? "");
    const key = user?.machine?.keys[kid];
    if (!user || !key || Date.parse(key.expiresAt) < Date.now() || user.state !== "active") {
      return null;
    }
    const { payload } = await jwtVerify(assertion, await importSPKI(key.publicKey, "RS256"), {
      algorithms: ["RS256"],
      issuer: user.id,
      subject: user.id,
      audience: issuer,
      maxTokenAge: "1h",
    });
    return payload.exp !== undefined && payload.exp - payload.iat! <= 3600 ? user : null;
  } catch {
    return null;
  }
}

/** The client id of a machine user is its user name. */
function bySecret(
  store: Store,
  form: URLSearchParams,
  authorization: string | undefined,
): User | null {
  const [id, secret] = basic(authorization) ?? [form.get("client_id"), form.get("client_secret")];
  const user = store.all("user").find(({ userName, machine }) => machine && userName === id);
  const known = user?.machine?.secretHash;
  return user && user.state === "active" && known !== undefined && known === hash(secret ?? "")
    ? user
    : null;
}

export function basic(authorization: string | undefined): [id: string, secret: string] | null {
  const encoded = /^Basic (\S+)$/i.exec(authorization ?? "")?.[1];
  if (encoded === undefined) return null;
  const text = Buffer.from(encoded, "base64").toString();
  const at = text.indexOf(":");
  return [decodeURIComponent(text.slice(0, at)), decodeURIComponent(text.slice(at + 1))];
}

async function issue(
  store: Store,
  issuer: string,
  user: User,
  scope: string[],
): Promise<TokenAnswer> {
  const now = nowSeconds();
  const lifetime = lifetimeSeconds(store, "accessTokenLifetime");
  const session: OidcSession = {
    id: `V2_${store.newId()}`,
    userId: user.id,
    organizationId: user.organizationId,
    sessionId: "",
    authRequestId: "",
    clientId: user.userName,
    scope,
    authMethods: [methodNumbers.privateKey],
    authTime: now,
    createdAt: store.now(),
    begun: false,
  };
  store.put("oidc_session", session.id, session);
  const claims = {
    iss: issuer,
    sub: user.id,
    aud: audienceOf(store, undefined, scope),
    exp: now + lifetime,
    iat: now,
    nbf: now,
    jti: `${session.id}-at_${store.newId()}`,
    client_id: user.userName,
    ...scopeClaims(store, user, scope, undefined, false),
  };
  const token = user.machine!.accessTokenType === "ACCESS_TOKEN_TYPE_JWT"
    ? await sign(store, claims)
    : opaque(store, user, claims, lifetime);
  recordTokens(store, session, { refreshed: false, withRefreshToken: false });
  await store.flush();
  return {
    status: 200,
    body: { access_token: token, token_type: "Bearer", expires_in: lifetime },
  };
}

function opaque(
  store: Store,
  user: User,
  claims: Record<string, unknown>,
  lifetime: number,
): string {
  const token = randomBytes(54).toString("base64url");
  const id = hash(token);
  const { apiProjectId } = store.get("instance", "instance")!;
  const scope = store.get("oidc_session", String(claims.jti).split("-at_")[0]!)!.scope;
  store.put("token", id, {
    id,
    tokenId: String(claims.jti),
    userId: user.id,
    expiresAt: new Date(Date.now() + lifetime * 1000).toISOString(),
    personal: false,
    createdAt: store.now(),
    forApi: requestedProjects(store, scope).includes(apiProjectId),
    claims,
  });
  return token;
}
