/**
 * What the rest of Gatehouse says to ZITADEL, in our words. Nothing outside this folder knows ZITADEL's API.
 * Next: call.ts (the wire), provisioner.ts, login_client.ts, event_reader.ts (who may call what).
 */

/** Where ZITADEL is. Outside the embedded profile an `http:` or loopback issuer is refused. */
export interface ZitadelAddress {
  profile: "embedded" | "standard";
  /** Exactly the `iss` of its tokens: no trailing slash. */
  issuer: string;
  /** Where the API answers when that is not the issuer; then `x-zitadel-instance-host` names the instance. */
  url?: string;
}

export interface ZitadelConfig extends ZitadelAddress {
  /** A file with one personal access token; read again whenever it changes. */
  tokenFile: string;
  /** Per attempt. Default 10 000. */
  timeoutMs?: number;
  guard?: WriteGuard;
}

/** Awaited around each call that writes, `method` as in AddOrganization. What they throw passes on as it is. */
export interface WriteGuard {
  /** A throw keeps the call from being made. */
  beforeWrite(method: string): void | Promise<void>;
  /** ZITADEL has done it. */
  afterWrite(method: string): void | Promise<void>;
}

export interface LoginClientConfig extends ZitadelConfig {
  /** Users of this organization get no credential set by the login client. Unknown: nobody's is set. */
  platformOrganizationId: () => Promise<string | null>;
}

export interface User {
  id: string;
  orgId: string;
  kind: "human" | "machine";
  state: "active" | "inactive" | "deleted" | "locked" | "initial" | "unspecified";
  userName: string;
  loginNames: string[];
  preferredLoginName: string;
  /** Humans only. */
  profile?: {
    givenName: string;
    familyName: string;
    displayName: string;
    preferredLanguage?: string;
    email: string;
    emailVerified: boolean;
    /** The password must be changed at the next sign-in. */
    passwordChangeRequired: boolean;
    /** Absent: there is no password. What PasswordExpiry counts from. */
    passwordChangedAt?: string;
    /** When they last put off setting up a second factor. */
    mfaInitSkippedAt?: string;
  };
}

export type * from "./types_credentials.ts";
export type * from "./types_events.ts";
export type * from "./types_intents.ts";
export type * from "./types_login_policies.ts";
export type * from "./types_people.ts";
export type * from "./types_providers.ts";
export type * from "./types_provisioner.ts";
export type * from "./types_sign_in.ts";
export type * from "./types_webauthn.ts";
