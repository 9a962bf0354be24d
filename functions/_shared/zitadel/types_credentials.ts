// What a person holds beside a password: second factors, passkeys, links to other providers.
import type { WebAuthnCreationOptions, WebAuthnRegistration } from "./types_webauthn.ts";

/** What a user can sign in with or confirm by; an unfinished registration is none. */
export type AuthenticationMethod =
  | "password"
  | "passkey"
  | "idp"
  | "totp"
  | "u2f"
  | "otp_sms"
  | "otp_email"
  | "recovery_code";

/** A passkey or a security key. */
export interface Authenticator {
  id: string;
  /** As the person named it. */
  name: string;
  /** False: registration was begun and not finished. */
  ready: boolean;
}

export interface IdpLink {
  idpId: string;
  /** The user's id at the provider. */
  externalUserId: string;
  externalUserName: string;
}

/** `domain` is the relying-party id: the page's host or a parent domain of it. ZITADEL believes any origin, so callers check it. */
export interface CredentialCalls {
  authenticationMethods(userId: string): Promise<AuthenticationMethod[]>;

  /** Not usable until verifyTotp. One that was begun is replaced. @throws {ZitadelError} `already_exists`: there is one that works */
  startTotp(userId: string): Promise<{ uri: string; secret: string }>;
  /** @throws {ZitadelError} `codeRefusal` in refusals.ts */
  verifyTotp(userId: string, code: string): Promise<void>;
  /** @throws {ZitadelError} `not_found` */
  removeTotp(userId: string): Promise<void>;

  startPasskey(
    userId: string,
    input: { domain: string },
  ): Promise<{ passkeyId: string; options: WebAuthnCreationOptions }>;
  /** @throws {ZitadelError} `webAuthnRefused` in refusals.ts */
  finishPasskey(
    userId: string,
    input: { passkeyId: string; name: string; credential: WebAuthnRegistration },
  ): Promise<void>;
  listPasskeys(userId: string): Promise<Authenticator[]>;
  /** @throws {ZitadelError} `not_found` */
  removePasskey(userId: string, passkeyId: string): Promise<void>;

  startU2f(
    userId: string,
    input: { domain: string },
  ): Promise<{ u2fId: string; options: WebAuthnCreationOptions }>;
  /** @throws {ZitadelError} `webAuthnRefused` in refusals.ts */
  finishU2f(
    userId: string,
    input: { u2fId: string; name: string; credential: WebAuthnRegistration },
  ): Promise<void>;
  listU2f(userId: string): Promise<Authenticator[]>;
  /** @throws {ZitadelError} `not_found` */
  removeU2f(userId: string, u2fId: string): Promise<void>;

  /** Codes to the person's address, which must be verified. @throws {ZitadelError} `failed_precondition` it is not, `already_exists` */
  addOtpEmail(userId: string): Promise<void>;
  /** @throws {ZitadelError} `not_found` */
  removeOtpEmail(userId: string): Promise<void>;

  /** Shown this once; each is good once. Added to those there are. @throws {ZitadelError} `failed_precondition`: more than ZITADEL keeps */
  makeRecoveryCodes(userId: string, count: number): Promise<string[]>;
  /** @throws {ZitadelError} `failed_precondition`: there are none */
  removeRecoveryCodes(userId: string): Promise<void>;

  listIdpLinks(userId: string): Promise<IdpLink[]>;
  /** @throws {ZitadelError} `already_exists`, id V3-DKcYh: linked to somebody of this instance already */
  addIdpLink(userId: string, link: IdpLink): Promise<void>;
  /** @throws {ZitadelError} `not_found` */
  removeIdpLink(userId: string, link: Pick<IdpLink, "idpId" | "externalUserId">): Promise<void>;
}
