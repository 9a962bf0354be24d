import type { OidcSession } from "../model.ts";
import { event as authRequestEvent } from "../services/oidc.ts";
import type { Store } from "../store.ts";
import { audienceOf, idTokenClaims, scopeClaims } from "./claims.ts";
import { usableApplication } from "./clients.ts";
import { halfHash, sign } from "./keys.ts";
import type { Context } from "./library.ts";
import { lifetimeSeconds, nowSeconds } from "./lifetimes.ts";

/** iss, sub, aud, exp, iat, nbf, jti, client_id and what scopes and roles add. No email, sid, scope, azp. */
export function accessTokenPayload(
  store: Store,
  issuer: string,
  oidcSessionId: string,
): Record<string, unknown> {
  const session = store.get("oidc_session", oidcSessionId)!;
  const application = usableApplication(store, session.clientId)!;
  const project = store.get("project", application.projectId)!;
  const user = store.get("user", session.userId)!;
  const now = nowSeconds();
  return {
    iss: issuer,
    sub: session.userId,
    aud: audienceOf(store, application, session.scope),
    exp: now + lifetimeSeconds(store, "accessTokenLifetime"),
    iat: now,
    nbf: now,
    jti: `${session.id}-at_${store.newId()}`,
    client_id: session.clientId,
    ...scopeClaims(
      store,
      user,
      session.scope,
      application,
      application.oidc.accessTokenRoleAssertion || project.projectRoleAssertion,
    ),
  };
}

/** ZITADEL's ID token in place of the library's, and ZITADEL's events. */
export async function asZitadelAnswers(
  store: Store,
  issuer: string,
  context: Context,
): Promise<void> {
  const answer = context.body as { access_token?: string; id_token?: string } | undefined;
  const { params = {}, entities = {} } = context.oidc ?? {};
  const session = store.get("oidc_session", entities.AccessToken?.grantId ?? "");
  if (context.status !== 200 || !answer?.access_token || !session) return;
  if (answer.id_token !== undefined) {
    const application = usableApplication(store, session.clientId)!;
    const now = nowSeconds();
    answer.id_token = await sign(store, {
      iss: issuer,
      ...idTokenClaims(store, session, application, store.get("user", session.userId)!),
      iat: now,
      exp: now + lifetimeSeconds(store, "idTokenLifetime"),
      at_hash: halfHash(answer.access_token),
    });
  }
  recordTokens(store, session, {
    refreshed: params.grant_type === "refresh_token",
    withRefreshToken: entities.RefreshToken !== undefined,
  });
  await store.flush();
}

export function recordTokens(
  store: Store,
  session: OidcSession,
  { refreshed, withRefreshToken }: { refreshed: boolean; withRefreshToken: boolean },
): void {
  const event = (type: string, payload: Record<string, unknown> = {}) => ({
    aggregateType: "oidc_session",
    aggregateId: session.id,
    type: `oidc_session.${type}`,
    resourceOwner: session.organizationId,
    payload,
  });
  const application = usableApplication(store, session.clientId);
  const accessToken = event("access_token.added", {
    id: `at_${store.newId()}`,
    scope: session.scope,
    lifetime: lifetimeSeconds(store, "accessTokenLifetime") * 1e9,
  });
  const idleLifetime = lifetimeSeconds(store, "refreshTokenIdleExpiration") * 1e9;
  if (refreshed) {
    store.push(session.userId, [
      accessToken,
      event("refresh_token.renewed", { id: `rt_${store.newId()}`, idleLifetime }),
    ]);
    return;
  }
  const { id: instanceId } = store.get("instance", "instance")!;
  const begun = session.begun ? [] : [event("added", {
    userID: session.userId,
    userResourceOwner: session.organizationId,
    sessionID: session.sessionId,
    clientID: session.clientId,
    audience: audienceOf(store, application, session.scope),
    scope: session.scope,
    authMethods: session.authMethods,
    authTime: new Date(session.authTime * 1000).toISOString(),
    ...(session.nonce ? { nonce: session.nonce } : {}),
  })];
  store.push(session.userId, [
    ...(session.sessionId
      ? [authRequestEvent(instanceId, session.authRequestId, "auth_request.code.exchanged")]
      : []),
    ...begun,
    accessToken,
    ...(withRefreshToken
      ? [event("refresh_token.added", {
        id: `rt_${store.newId()}`,
        lifetime: lifetimeSeconds(store, "refreshTokenExpiration") * 1e9,
        idleLifetime,
      })]
      : []),
    ...(session.sessionId
      ? [authRequestEvent(instanceId, session.authRequestId, "auth_request.succeeded")]
      : []),
  ]);
  store.patch("oidc_session", session.id, { begun: true });
}
