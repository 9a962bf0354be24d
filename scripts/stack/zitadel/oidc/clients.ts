import type { Application } from "../model.ts";
import { redirectProblem } from "../services/compliance.ts";
import { applicationOf } from "../services/oidc.ts";
import type { Store } from "../store.ts";

const authMethods: Record<string, string> = {
  OIDC_AUTH_METHOD_TYPE_BASIC: "client_secret_basic",
  OIDC_AUTH_METHOD_TYPE_POST: "client_secret_post",
  OIDC_AUTH_METHOD_TYPE_NONE: "none",
};
const grantTypes: Record<string, string> = {
  OIDC_GRANT_TYPE_AUTHORIZATION_CODE: "authorization_code",
  OIDC_GRANT_TYPE_REFRESH_TOKEN: "refresh_token",
};

/** An application that may be used; nothing for one that is off, or whose project or organization is. */
export function usableApplication(store: Store, clientId: string): Application | undefined {
  const application = applicationOf(store, clientId);
  const project = application && store.get("project", application.projectId);
  const organization = project && store.get("organization", project.organizationId);
  return [application, project, organization].every((part) => part?.state === "active")
    ? application
    : undefined;
}

/** In oidc-provider's terms. Redirect URIs that ZITADEL finds wrong are not there, so nobody is sent to them. */
export function clientMetadata(
  store: Store,
  clientId: string,
): Record<string, unknown> | undefined {
  const application = usableApplication(store, clientId);
  if (!application) return undefined;
  const { oidc, clientSecret } = application;
  const redirectUris = oidc.redirectUris.filter((uri) => redirectProblem(oidc, uri) === null);
  const custom = redirectUris.some((uri) => !/^https?:/.test(uri));
  return {
    client_id: clientId,
    ...(clientSecret ? { client_secret: clientSecret } : {}),
    redirect_uris: redirectUris,
    post_logout_redirect_uris: oidc.postLogoutRedirectUris,
    response_types: ["code"],
    grant_types: oidc.grantTypes.flatMap((type) => grantTypes[type] ?? []),
    token_endpoint_auth_method: authMethods[oidc.authMethodType] ?? "client_secret_basic",
    application_type: custom ? "native" : "web",
    id_token_signed_response_alg: "RS256",
  };
}

/** Browsers may call from where the application lives. */
export function originAllowed(store: Store, clientId: string, origin: string): boolean {
  const oidc = usableApplication(store, clientId)?.oidc;
  return [...oidc?.redirectUris ?? [], ...oidc?.additionalOrigins ?? []]
    .some((uri) => URL.parse(uri)?.origin === origin);
}
