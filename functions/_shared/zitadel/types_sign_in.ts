// What a sign-in page says and hears: inputs and answers of login_client.ts.
import type { User } from "./types.ts";

export interface AuthRequest {
  id: string;
  clientId: string;
  scopes: string[];
  redirectUri: string;
  prompts: ("none" | "login" | "consent" | "select_account" | "create")[];
  uiLocales: string[];
  loginHint?: string;
  maxAgeSeconds?: number;
  hintUserId?: string;
  /** From the scope urn:zitadel:iam:org:id:{id}. */
  orgId?: string;
}

export interface UserAgent {
  fingerprintId?: string;
  ip?: string;
  description?: string;
}

export interface SessionToken {
  sessionId: string;
  /** Each setSession makes a new one and kills the old. */
  sessionToken: string;
}

export interface Session {
  id: string;
  createdAt: string;
  expiresAt?: string;
  user?: { id: string; orgId: string; loginName: string; displayName: string; verifiedAt: string };
  /** When the password was checked; absent: it never was. */
  passwordVerifiedAt?: string;
  /** Second factors and passkeys, when checked. */
  otherFactors: {
    kind: "web_authn" | "intent" | "totp" | "otp_sms" | "otp_email" | "recovery_code";
    verifiedAt: string;
  }[];
}

export interface LoginSettings {
  allowLocalAuthentication: boolean;
  allowRegister: boolean;
  allowExternalIdp: boolean;
  forceMfa: boolean;
  forceMfaLocalOnly: boolean;
  hidePasswordReset: boolean;
  ignoreUnknownUsernames: boolean;
  allowDomainDiscovery: boolean;
  disableLoginWithEmail: boolean;
  disableLoginWithPhone: boolean;
  /** How long a session lives after a password check. */
  passwordCheckLifetimeSeconds: number;
  mfaInitSkipLifetimeSeconds: number;
}

export interface LockoutSettings {
  /** 0: never locked. */
  maxPasswordAttempts: number;
}

export type AuthenticationMethod =
  | "password"
  | "passkey"
  | "idp"
  | "totp"
  | "u2f"
  | "otp_sms"
  | "otp_email"
  | "recovery_code";

/** Credential: IAM_LOGIN_CLIENT. ZITADEL checks no policy in the session API: the caller must, before createCallback. */
export interface LoginClient {
  getAuthRequest(id: string): Promise<AuthRequest>;
  /** At most two, so that a caller can tell one from several. Matches any login name, then e-mail where policy allows. */
  findUsers(input: { orgId: string; loginName: string; byEmail?: boolean }): Promise<User[]>;
  getUser(id: string): Promise<User | null>;
  /** What a throw says about the user: `signInRefusal` in sign_in.ts; of a wrong password `failedAttempts`. */
  createSession(
    input: { userId: string; password?: string; lifetimeSeconds: number; userAgent?: UserAgent },
  ): Promise<SessionToken>;
  setSession(
    input: { sessionId: string; password?: string; lifetimeSeconds?: number },
  ): Promise<SessionToken>;
  /** With a token, a wrong one is refused. */
  getSession(input: { sessionId: string; sessionToken?: string }): Promise<Session>;
  deleteSession(input: { sessionId: string; sessionToken?: string }): Promise<void>;
  loginSettings(orgId: string): Promise<LoginSettings>;
  lockoutSettings(orgId: string): Promise<LockoutSettings>;
  authenticationMethods(userId: string): Promise<AuthenticationMethod[]>;
  /** Once only: the second call throws COMMAND-Sx208nt. `session` or `error`, never both. */
  createCallback(
    authRequestId: string,
    outcome: SessionToken | { error: CallbackError; description?: string },
  ): Promise<{ callbackUrl: string }>;
  /** Refused for users of the platform organization, before ZITADEL is asked: code `platform_user_refused`. */
  setPassword(
    input: {
      userId: string;
      newPassword: string;
      currentPassword?: string;
      verificationCode?: string;
    },
  ): Promise<void>;
}

export type CallbackError =
  | "access_denied"
  | "login_required"
  | "interaction_required"
  | "account_selection_required"
  | "server_error"
  | "temporarily_unavailable";
