// What ZITADEL's tokens say, claim by claim.
import type { Application, OidcSession, User } from "../model.ts";
import type { Store } from "../store.ts";
import { amrOf } from "./auth_methods.ts";
import { loginNames } from "../services/login_names.ts";

const audienceScope = /^urn:zitadel:iam:org:project:id:(.+):aud$/;

/** All clients of the project, the project, and the projects that scopes ask for (`zitadel` is ZITADEL's own). */
export function audienceOf(
  store: Store,
  application: Application | undefined,
  scope: string[],
): string[] {
  const own = application
    ? [
      ...store.all("application").filter(({ projectId }) => projectId === application.projectId)
        .map(({ clientId }) => clientId),
      application.projectId,
    ]
    : [];
  return [...new Set([...own, ...requestedProjects(store, scope)])];
}

export function requestedProjects(store: Store, scope: string[]): string[] {
  return scope.flatMap((value) => {
    const id = audienceScope.exec(value)?.[1];
    if (id === undefined) return [];
    return [id === "zitadel" ? store.get("instance", "instance")!.apiProjectId : id];
  });
}

/** Claims that scopes and flags put into tokens: organization, resource owner, metadata, roles. */
export function scopeClaims(
  store: Store,
  user: User,
  scope: string[],
  application: Application | undefined,
  rolesAsserted: boolean,
): Record<string, unknown> {
  const claims: Record<string, unknown> = {};
  const organization = store.get("organization", user.organizationId);
  for (const value of scope) {
    const org = /^urn:zitadel:iam:org:id:(.+)$/.exec(value);
    if (org) claims["urn:zitadel:iam:org:id"] = org[1];
    const domain = /^urn:zitadel:iam:org:domain:primary:(.+)$/.exec(value);
    if (domain) claims["urn:zitadel:iam:org:domain:primary"] = domain[1];
    if (value === "urn:zitadel:iam:user:resourceowner") {
      claims["urn:zitadel:iam:user:resourceowner:id"] = user.organizationId;
      claims["urn:zitadel:iam:user:resourceowner:name"] = organization?.name ?? "";
      claims["urn:zitadel:iam:user:resourceowner:primary_domain"] = organization?.primaryDomain ??
        "";
    }
    if (value === "urn:zitadel:iam:user:metadata") {
      claims["urn:zitadel:iam:user:metadata"] = user.metadata;
    }
  }
  if (
    application &&
    (rolesAsserted || scope.some((value) =>
      value.startsWith("urn:zitadel:iam:org:project") &&
      value.includes(":role")
    ))
  ) {
    Object.assign(claims, roleClaims(store, user, application.projectId));
  }
  return claims;
}

function roleClaims(store: Store, user: User, projectId: string): Record<string, unknown> {
  const roles: Record<string, Record<string, string>> = {};
  for (const grant of store.all("authorization")) {
    if (grant.userId !== user.id || grant.projectId !== projectId || grant.state !== "active") {
      continue;
    }
    const domain = store.get("organization", grant.organizationId)?.primaryDomain ?? "";
    for (const key of grant.roleKeys) (roles[key] ??= {})[grant.organizationId] = domain;
  }
  if (Object.keys(roles).length === 0) return {};
  return {
    "urn:zitadel:iam:org:project:roles": roles,
    [`urn:zitadel:iam:org:project:${projectId}:roles`]: roles,
  };
}

/** Of the userinfo endpoint, and of ID tokens with idTokenUserinfoAssertion. */
export function profileClaims(store: Store, user: User, scope: string[]): Record<string, unknown> {
  const { human, machine } = user;
  return {
    ...(scope.includes("profile")
      ? {
        name: human?.displayName ?? machine?.name,
        preferred_username: loginNames(store, user)[0],
        updated_at: Math.floor(Date.parse(user.changedAt) / 1000),
        ...(human
          ? {
            given_name: human.givenName,
            family_name: human.familyName,
            locale: human.preferredLanguage,
          }
          : {}),
      }
      : {}),
    ...(scope.includes("email") && human
      ? { email: human.email, email_verified: human.emailVerified }
      : {}),
  };
}

/** An ID token's, without iss, iat, exp and at_hash. */
export function idTokenClaims(
  store: Store,
  session: OidcSession,
  application: Application,
  user: User,
): Record<string, unknown> {
  const project = store.get("project", application.projectId);
  return {
    sub: user.id,
    aud: audienceOf(store, application, session.scope),
    auth_time: session.authTime,
    amr: amrOf(session.authMethods),
    azp: application.clientId,
    client_id: application.clientId,
    sid: session.sessionId,
    ...(session.nonce ? { nonce: session.nonce } : {}),
    ...(application.oidc.idTokenUserinfoAssertion ? profileClaims(store, user, session.scope) : {}),
    ...scopeClaims(
      store,
      user,
      session.scope,
      application,
      application.oidc.idTokenRoleAssertion || (project?.projectRoleAssertion ?? false),
    ),
  };
}
