// What a sign-in page says and hears: auth requests, sessions and what they were checked by.
import type { CredentialCalls } from "./types_credentials.ts";
import type { LoginPolicyCalls } from "./types_login_policies.ts";
import type { PersonCalls } from "./types_people.ts";
import type { WebAuthnAssertion, WebAuthnRequestOptions } from "./types_webauthn.ts";

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

/** What is shown to a session, all in one call or one after another. What fails leaves the session as it was. */
export interface SessionChecks {
  password?: string;
  /** Of an authenticator application. Each code is good once. */
  totp?: string;
  /** Of the newest challenge `otpEmail` of this session. */
  otpEmail?: string;
  recoveryCode?: string;
  /** The browser's answer to the newest challenge `webAuthn` of this session. Check `clientDataJSON`'s origin first: ZITADEL does not. */
  webAuthn?: WebAuthnAssertion;
  /** A succeeded intent of this session's user; used up by this. */
  idpIntent?: { id: string; token: string };
}

/** What a session asks to be answered in a later call. One of each kind at a time: a new one replaces the old. */
export interface SessionChallenges {
  webAuthn?: {
    /** The relying-party id: the page's host or a parent domain of it. */
    domain: string;
    /** `required` for passkeys, `discouraged` for second factors. */
    userVerification: "required" | "discouraged";
  };
  /** The code comes back to the caller, who mails it. */
  otpEmail?: true;
}

export interface ChangedSession extends SessionToken {
  /** Answers to the challenges of this very call. */
  challenges: { webAuthn?: WebAuthnRequestOptions; otpEmailCode?: string };
}

export type OtherFactor =
  | { kind: "web_authn"; verifiedAt: string; userVerified: boolean }
  | {
    kind: "intent" | "totp" | "otp_sms" | "otp_email" | "recovery_code";
    verifiedAt: string;
  };

export interface Session {
  id: string;
  createdAt: string;
  changedAt?: string;
  expiresAt?: string;
  userAgent?: UserAgent;
  user?: { id: string; orgId: string; loginName: string; displayName: string; verifiedAt: string };
  /** When the password was checked; absent: it never was. */
  passwordVerifiedAt?: string;
  /** Second factors and passkeys, when last checked. */
  otherFactors: OtherFactor[];
}

export type CallbackError =
  | "access_denied"
  | "login_required"
  | "interaction_required"
  | "account_selection_required"
  | "server_error"
  | "temporarily_unavailable";

export interface SessionCalls {
  getAuthRequest(id: string): Promise<AuthRequest>;
  /** Once only: the second call throws COMMAND-Sx208nt. `session` or `error`, never both. */
  createCallback(
    authRequestId: string,
    outcome: SessionToken | { error: CallbackError; description?: string },
  ): Promise<{ callbackUrl: string }>;

  /**
   * What a throw says: `signInRefusal` in refusals.ts; of a wrong password `failedAttempts`. A user who was just created is
   * waited for (3.5 s at most), so ask only for users who are known to exist.
   */
  createSession(
    input: SessionChecks & {
      userId: string;
      challenges?: SessionChallenges;
      lifetimeSeconds: number;
      userAgent?: UserAgent;
    },
  ): Promise<ChangedSession>;
  /** Throws as createSession. @throws {ZitadelError} `failed_precondition`: the session ended or expired */
  setSession(
    input: SessionChecks & {
      sessionId: string;
      challenges?: SessionChallenges;
      lifetimeSeconds?: number;
    },
  ): Promise<ChangedSession>;
  /** With a token, a wrong one is refused: `permission_denied`. Ended: `not_found`. */
  getSession(input: { sessionId: string; sessionToken?: string }): Promise<Session>;
  /** Live ones, newest first, at most 1000. Ids that are no session's are passed over; no ids: none. */
  searchSessions(by: { userId: string } | { ids: string[] }): Promise<Session[]>;
  deleteSession(input: { sessionId: string; sessionToken?: string }): Promise<void>;
}

/**
 * Credential: IAM_LOGIN_CLIENT. ZITADEL checks no policy in the session API: the caller must, before createCallback.
 *
 * Every call that changes a user or what they sign in with is refused for users of the platform organization before ZITADEL is
 * asked: code `platform_user_refused` (platform_guard.ts).
 */
export interface LoginClient extends SessionCalls, LoginPolicyCalls, PersonCalls, CredentialCalls {}
