import { hash } from "../caller.ts";
import { failedPrecondition, notFound, permissionDenied } from "../errors.ts";
import { authMethodsOf, authTimeOf } from "../oidc/auth_methods.ts";
import type { Application, AuthRequest, Project, Session } from "../model.ts";
import { type Call, details, type Service } from "../service.ts";
import type { Store } from "../store.ts";
import { needActive } from "./sessions.ts";

interface Callback {
  authRequestId: string;
  session?: { sessionId: string; sessionToken: string };
  error?: { error?: string; errorDescription?: string; errorUri?: string };
}

export const orgScope = "urn:zitadel:iam:org:id:";

export const oidc: Service = {
  GetAuthRequest({ store, caller }: Call, { authRequestId }: { authRequestId: string }) {
    caller.need("session.read");
    const request = store.seen("auth_request", authRequestId);
    if (!request) throw notFound("QUERY-Ee3wi", "Errors.AuthRequest.NotExisting");
    return {
      authRequest: {
        id: request.id,
        creationDate: request.createdAt,
        clientId: request.clientId,
        scope: request.scope,
        redirectUri: request.redirectUri,
        prompt: request.prompt.map((prompt) => `PROMPT_${prompt.toUpperCase()}`),
        uiLocales: request.uiLocales,
        ...(request.loginHint ? { loginHint: request.loginHint } : {}),
        ...(request.maxAge === undefined ? {} : { maxAge: `${request.maxAge}s` }),
        ...(request.hintUserId ? { hintUserId: request.hintUserId } : {}),
      },
    };
  },

  /** Links and answers once. No factor is asked for: a session that only knows its user will do. */
  async CreateCallback(call: Call, request: Callback) {
    const { store, caller, instance } = call;
    const authRequest = store.get("auth_request", request.authRequestId);
    if (!authRequest) throw notFound("COMMAND-jae5P", "Errors.AuthRequest.NotExisting");
    if (authRequest.state !== "added") {
      throw failedPrecondition("COMMAND-Sx208nt", "Errors.AuthRequest.AlreadyHandled");
    }
    caller.need("session.link");
    if (request.error) {
      const at = store.push(caller.userId, [
        event(instance.id, authRequest.id, "auth_request.failed", {
          reason: request.error.error,
        }),
      ]);
      store.patch("auth_request", authRequest.id, { state: "failed", changedAt: at });
      return {
        details: details(instance.id, at),
        callbackUrl: errorUrl(authRequest, request.error),
      };
    }
    const { sessionId, sessionToken } = request.session!;
    const session = needActive(store, sessionId);
    if (session.tokenHash !== hash(sessionToken)) {
      throw permissionDenied("COMMAND-sGr42", "Errors.Session.Token.Invalid");
    }
    mayEnter(store, authRequest, session);
    const at = store.push(caller.userId, [
      event(instance.id, authRequest.id, "auth_request.session.linked", {
        session_id: session.id,
        user_id: session.user!.id,
        auth_time: authTimeOf(session),
        auth_methods: authMethodsOf(session),
      }),
      event(instance.id, authRequest.id, "auth_request.code.added"),
    ]);
    store.patch("auth_request", authRequest.id, { state: "linked", changedAt: at });
    return {
      details: details(instance.id, at),
      callbackUrl: await call.oidc.issueCode(authRequest.id, session),
    };
  },
};

export const event = (
  instanceId: string,
  id: string,
  type: string,
  payload: Record<string, unknown> = {},
) => ({ aggregateType: "auth_request", aggregateId: id, type, resourceOwner: instanceId, payload });

export function applicationOf(store: Store, clientId: string): Application | undefined {
  return store.all("application").find((application) => application.clientId === clientId);
}

function mayEnter(store: Store, authRequest: AuthRequest, session: Session): void {
  if (!session.user) throw failedPrecondition("COMMAND-Sjo3a", "Errors.Session.UserMissing");
  const scope = authRequest.scope.find((scope) => scope.startsWith(orgScope));
  if (scope !== undefined && scope.slice(orgScope.length) !== session.user.organizationId) {
    throw permissionDenied("COMMAND-59ljd", "Errors.User.NotAllowedOrg");
  }
  const project = store.get("project", applicationOf(store, authRequest.clientId)?.projectId ?? "");
  if (!project || !hasAccess(store, project, session.user)) {
    throw permissionDenied("OIDC-foSyH49RvL", "Errors.PermissionDenied");
  }
}

function hasAccess(
  store: Store,
  project: Project,
  user: { id: string; organizationId: string },
): boolean {
  const byOrganization = !project.projectAccessRequired ||
    project.organizationId === user.organizationId || user.organizationId in project.grants;
  const byAuthorization = !project.authorizationRequired ||
    store.all("authorization").some((authorization) =>
      authorization.userId === user.id && authorization.projectId === project.id &&
      authorization.state === "active"
    );
  return byOrganization && byAuthorization;
}

function errorUrl(
  { redirectUri, responseState }: AuthRequest,
  { error = "ERROR_REASON_SERVER_ERROR", errorDescription, errorUri }: NonNullable<
    Callback["error"]
  >,
): string {
  const url = new URL(redirectUri);
  const reason = error.replace("ERROR_REASON_", "").toLowerCase();
  // The proto's name lacks the -ily of OAuth's.
  url.searchParams.set(
    "error",
    reason === "temporary_unavailable" ? "temporarily_unavailable" : reason,
  );
  if (errorDescription) url.searchParams.set("error_description", errorDescription);
  if (errorUri) url.searchParams.set("error_uri", errorUri);
  if (responseState) url.searchParams.set("state", responseState);
  return url.href;
}
