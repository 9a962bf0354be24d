// People: found, registered, described, and how their address and password are proved and set.
import type { User } from "./types.ts";
import type { IdpLink } from "./types_credentials.ts";

export interface RegisterInput {
  orgId: string;
  /** Default: the e-mail address. Taken: `already_exists`, id V3-DKcYh. */
  userName?: string;
  givenName: string;
  familyName: string;
  displayName?: string;
  /** BCP 47, such as `de`. */
  preferredLanguage?: string;
  email: string;
  /** Only where a provider vouched for the address; else the answer holds a code to prove it by. */
  emailVerified?: boolean;
  /** Without one the person signs in by passkey, provider or invitation. */
  password?: string;
  idpLinks?: IdpLink[];
}

export interface ProfileChanges {
  givenName?: string;
  familyName?: string;
  displayName?: string;
  nickName?: string;
  preferredLanguage?: string;
}

/** Codes of ZITADEL's that we mail or hand over ourselves. Each lives as long as ZITADEL's generator says, and is good once. */
export interface PersonCalls {
  /** At most two, so that a caller can tell one from several. Matches any login name, then e-mail where policy allows. */
  findUsers(input: { orgId: string; loginName: string; byEmail?: boolean }): Promise<User[]>;
  getUser(id: string): Promise<User | null>;

  /** @throws {ZitadelError} of a password that is too weak: `passwordRefusal` in refusals.ts */
  createUser(input: RegisterInput): Promise<{ userId: string; emailCode?: string }>;
  updateProfile(userId: string, changes: ProfileChanges): Promise<void>;

  /** @throws {ZitadelError} `codeRefusal` in refusals.ts */
  verifyEmail(userId: string, code: string): Promise<void>;
  /** Replaces the code before it. */
  newEmailCode(userId: string): Promise<string>;
  /** The new address counts at once, unverified until the code is shown. @throws {ZitadelError} `failed_precondition`: it is the present one */
  changeEmail(userId: string, email: string): Promise<string>;

  /** A code for setPassword; of somebody without a password, for their first one. */
  requestPasswordReset(userId: string): Promise<string>;
  /**
   * With the current password or a code, never with neither. Ends the demand to change; whom wrong passwords locked stays locked.
   * @throws {ZitadelError} of the password that proves it `signInRefusal`, of the code `codeRefusal`, of the new one `passwordRefusal`
   */
  setPassword(
    input:
      & { userId: string; newPassword: string }
      & ({ currentPassword: string } | { verificationCode: string }),
  ): Promise<void>;

  /** For somebody without any credential. @throws {ZitadelError} `failed_precondition`: they have one already */
  createInvite(userId: string): Promise<string>;
  /** Proves the e-mail address too. Setting the first password then takes a code of requestPasswordReset. @throws {ZitadelError} `codeRefusal` */
  verifyInvite(userId: string, code: string): Promise<void>;

  /** "Later", said to the offer of a second factor; `profile.mfaInitSkippedAt` remembers it. Platform users may. */
  skipMfaInit(userId: string): Promise<void>;
}
