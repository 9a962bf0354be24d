// What the double remembers of a person and of what they sign in with. A real ZITADEL keeps secrets encrypted and codes hashed.

export interface Code {
  code: string;
  createdAt: string;
  /** 0: it does not expire. */
  expirySeconds: number;
}

export interface Human {
  givenName: string;
  familyName: string;
  nickName?: string;
  displayName: string;
  preferredLanguage: string;
  gender?: string;
  email: string;
  emailVerified: boolean;
  emailCode?: Code;
  phone?: string;
  phoneVerified?: boolean;
  passwordHash?: string;
  passwordChangeRequired: boolean;
  passwordChangedAt?: string;
  passwordCode?: Code;
  failedAttempts: number;
  mfaInitSkippedAt?: string;
  inviteCode?: Code;
  totp?: Totp;
  otpEmail?: boolean;
  /** Hashes of those that were not used. */
  recoveryCodes?: string[];
  /** Of codes other than passwords, since one was right. */
  failedChecks?: Partial<Record<"totp" | "otpEmail" | "recoveryCode", number>>;
  authenticators?: Authenticator[];
  /** By id: for registering a passkey. */
  passkeyCodes?: Record<string, Code>;
}

export interface Totp {
  secret: string;
  ready: boolean;
  /** Codes that were right, and when: none is taken twice. */
  used: { codeHash: string; at: string }[];
}

/** A passkey, or a security key as second factor. Until it is ready it only has the challenge. */
export interface Authenticator {
  id: string;
  kind: "passkey" | "u2f";
  rpId: string;
  name: string;
  ready: boolean;
  challenge?: string;
  /** Both base64url. */
  credentialId?: string;
  publicKey?: string;
  counter: number;
}

/** As `zitadel.session.v2.Factors` spells them. */
export interface SessionFactors {
  webAuthN?: { verifiedAt: string; userVerified: boolean };
  intent?: { verifiedAt: string };
  totp?: { verifiedAt: string };
  otpEmail?: { verifiedAt: string };
  recoveryCode?: { verifiedAt: string };
}

export interface WebAuthnChallenge {
  challenge: string;
  rpId: string;
  userVerification: "required" | "preferred" | "discouraged";
}
