// What an application asked for, and the one answer that goes back to it.
import type { LoginWire } from "./platform_guard.ts";
import { secondsOf } from "./durations.ts";
import type { AuthRequest, SessionCalls } from "./types.ts";

const service = "zitadel.oidc.v2.OIDCService";

const callbackErrors = {
  access_denied: "ERROR_REASON_ACCESS_DENIED",
  login_required: "ERROR_REASON_LOGIN_REQUIRED",
  interaction_required: "ERROR_REASON_INTERACTION_REQUIRED",
  account_selection_required: "ERROR_REASON_ACCOUNT_SELECTION_REQUIRED",
  server_error: "ERROR_REASON_SERVER_ERROR",
  temporarily_unavailable: "ERROR_REASON_TEMPORARY_UNAVAILABLE",
} as const;

interface WireAuthRequest {
  id: string;
  clientId?: string;
  scope?: string[];
  redirectUri?: string;
  prompt?: string[];
  uiLocales?: string[];
  loginHint?: string;
  maxAge?: string;
  hintUserId?: string;
}

export function authRequests({ connect }: LoginWire) {
  return {
    async getAuthRequest(id) {
      const { authRequest } = await connect<{ authRequest: WireAuthRequest }>(
        service,
        "GetAuthRequest",
        { authRequestId: id },
        { settle: "once" }, // a browser may be here before the projection is; strangers' ids must not wait long
      );
      return readAuthRequest(authRequest);
    },

    async createCallback(authRequestId, outcome) {
      const answer = "error" in outcome
        ? {
          error: {
            error: callbackErrors[outcome.error],
            ...(outcome.description === undefined ? {} : { errorDescription: outcome.description }),
          },
        }
        : { session: { sessionId: outcome.sessionId, sessionToken: outcome.sessionToken } };
      const { callbackUrl } = await connect<{ callbackUrl: string }>(service, "CreateCallback", {
        authRequestId,
        ...answer,
      });
      return { callbackUrl };
    },
  } satisfies Partial<SessionCalls>;
}

function readAuthRequest(request: WireAuthRequest): AuthRequest {
  const orgScope = "urn:zitadel:iam:org:id:";
  const orgId = request.scope?.find((scope) => scope.startsWith(orgScope))?.slice(orgScope.length);
  return {
    id: request.id,
    clientId: request.clientId ?? "",
    scopes: request.scope ?? [],
    redirectUri: request.redirectUri ?? "",
    prompts: (request.prompt ?? []).map((prompt) =>
      prompt.replace("PROMPT_", "").toLowerCase() as AuthRequest["prompts"][number]
    ),
    uiLocales: request.uiLocales ?? [],
    ...(request.loginHint ? { loginHint: request.loginHint } : {}),
    ...(request.maxAge ? { maxAgeSeconds: secondsOf(request.maxAge) } : {}),
    ...(request.hintUserId ? { hintUserId: request.hintUserId } : {}),
    ...(orgId ? { orgId } : {}),
  };
}
