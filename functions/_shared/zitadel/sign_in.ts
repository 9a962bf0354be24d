// ZITADEL's sessions, auth requests and login settings in our words.
import type { AuthRequest, LoginSettings, Session } from "./types.ts";

interface Factor {
  verifiedAt?: string;
}
export interface WireSession {
  id: string;
  creationDate?: string;
  expirationDate?: string;
  factors?: {
    user?: Factor & {
      id?: string;
      loginName?: string;
      displayName?: string;
      organizationId?: string;
    };
    password?: Factor;
    webAuthN?: Factor;
    intent?: Factor;
    totp?: Factor;
    otpSms?: Factor;
    otpEmail?: Factor;
    recoveryCode?: Factor;
  };
}

export function readSession(session: WireSession): Session {
  const { user, password, ...others } = session.factors ?? {};
  const names = {
    webAuthN: "web_authn",
    intent: "intent",
    totp: "totp",
    otpSms: "otp_sms",
    otpEmail: "otp_email",
    recoveryCode: "recovery_code",
  } as const;
  return {
    id: session.id,
    createdAt: session.creationDate ?? "",
    ...(session.expirationDate ? { expiresAt: session.expirationDate } : {}),
    ...(user?.id
      ? {
        user: {
          id: user.id,
          orgId: user.organizationId ?? "",
          loginName: user.loginName ?? "",
          displayName: user.displayName ?? "",
          verifiedAt: user.verifiedAt ?? "",
        },
      }
      : {}),
    ...(password?.verifiedAt ? { passwordVerifiedAt: password.verifiedAt } : {}),
    otherFactors: Object.entries(names).flatMap(([key, kind]) => {
      const verifiedAt = others[key as keyof typeof names]?.verifiedAt;
      return verifiedAt ? [{ kind, verifiedAt }] : [];
    }),
  };
}

export function readAuthRequest(request: {
  id: string;
  clientId?: string;
  scope?: string[];
  redirectUri?: string;
  prompt?: string[];
  uiLocales?: string[];
  loginHint?: string;
  maxAge?: string;
  hintUserId?: string;
}): AuthRequest {
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
    ...(request.maxAge ? { maxAgeSeconds: seconds(request.maxAge) } : {}),
    ...(request.hintUserId ? { hintUserId: request.hintUserId } : {}),
    ...(orgId ? { orgId } : {}),
  };
}

type Flag =
  | "allowLocalAuthentication"
  | "allowRegister"
  | "allowExternalIdp"
  | "forceMfa"
  | "forceMfaLocalOnly"
  | "hidePasswordReset"
  | "ignoreUnknownUsernames"
  | "allowDomainDiscovery"
  | "disableLoginWithEmail"
  | "disableLoginWithPhone";

export function readLoginSettings(
  settings: Partial<Record<Flag, boolean>> & {
    passwordCheckLifetime?: string;
    mfaInitSkipLifetime?: string;
  },
): LoginSettings {
  const flag = (name: Flag) => settings[name] ?? false;
  return {
    allowLocalAuthentication: flag("allowLocalAuthentication"),
    allowRegister: flag("allowRegister"),
    allowExternalIdp: flag("allowExternalIdp"),
    forceMfa: flag("forceMfa"),
    forceMfaLocalOnly: flag("forceMfaLocalOnly"),
    hidePasswordReset: flag("hidePasswordReset"),
    ignoreUnknownUsernames: flag("ignoreUnknownUsernames"),
    allowDomainDiscovery: flag("allowDomainDiscovery"),
    disableLoginWithEmail: flag("disableLoginWithEmail"),
    disableLoginWithPhone: flag("disableLoginWithPhone"),
    passwordCheckLifetimeSeconds: seconds(settings.passwordCheckLifetime ?? "0s"),
    mfaInitSkipLifetimeSeconds: seconds(settings.mfaInitSkipLifetime ?? "0s"),
  };
}

/** A protobuf duration in JSON, such as "864000s". */
const seconds = (duration: string) => Math.trunc(Number(duration.replace(/s$/, "")));
