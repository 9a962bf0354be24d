// What an organization's policies say about signing in. ZITADEL stores them; the sign-in page keeps them.

export type SecondFactor = "totp" | "u2f" | "otp_email" | "otp_sms" | "recovery_code";

export interface LoginSettings {
  allowLocalAuthentication: boolean;
  allowRegister: boolean;
  allowExternalIdp: boolean;
  passkeysAllowed: boolean;
  forceMfa: boolean;
  /** Second factors are demanded of people who signed in with a password, not of those whom a provider vouched for. */
  forceMfaLocalOnly: boolean;
  hidePasswordReset: boolean;
  ignoreUnknownUsernames: boolean;
  allowDomainDiscovery: boolean;
  disableLoginWithEmail: boolean;
  disableLoginWithPhone: boolean;
  /** Where to go after a sign-in that no application asked for; empty: nowhere in particular. */
  defaultRedirectUri: string;
  /** What people may set up and use beside a password. */
  secondFactors: SecondFactor[];
  /** `u2f_with_verification`: a passkey, which needs nothing beside it. */
  multiFactors: "u2f_with_verification"[];
  /** How long a check counts, from the moment it was made. */
  passwordCheckLifetimeSeconds: number;
  externalLoginCheckLifetimeSeconds: number;
  secondFactorCheckLifetimeSeconds: number;
  multiFactorCheckLifetimeSeconds: number;
  /** How long nobody is asked again to set up a second factor after they said "later"; 0: setting one up is not offered at all. */
  mfaInitSkipLifetimeSeconds: number;
}

export interface LockoutSettings {
  /** 0: never locked. */
  maxPasswordAttempts: number;
  /** Of wrong TOTP and e-mail codes; 0: never locked. */
  maxOtpAttempts: number;
}

export interface PasswordComplexity {
  minLength: number;
  requiresUppercase: boolean;
  requiresLowercase: boolean;
  requiresNumber: boolean;
  requiresSymbol: boolean;
}

export interface PasswordExpiry {
  /** 0: passwords do not expire. Measured from `passwordChangedAt`; ZITADEL itself lets old ones in. */
  maxAgeDays: number;
  /** How many days before the end to warn; 0: not at all. */
  expireWarnDays: number;
}

export interface LegalSettings {
  tosLink?: string;
  privacyPolicyLink?: string;
  helpLink?: string;
  supportEmail?: string;
}

/** An organization's own policy, else the instance's. */
export interface LoginPolicyCalls {
  loginSettings(orgId: string): Promise<LoginSettings>;
  lockoutSettings(orgId: string): Promise<LockoutSettings>;
  /** Without an organization: the instance's own. */
  passwordComplexity(orgId?: string): Promise<PasswordComplexity>;
  passwordExpiry(orgId: string): Promise<PasswordExpiry>;
  legalSettings(orgId: string): Promise<LegalSettings>;
}
