// Policies of an organization as the sign-in page reads them; ZITADEL leaves out what is false, zero or empty.
import type { LoginWire } from "./platform_guard.ts";
import { secondsOf } from "./durations.ts";
import type { LoginPolicyCalls, LoginSettings, SecondFactor } from "./types.ts";

const service = "zitadel.settings.v2.SettingsService";

/** `OTP` is what ZITADEL has always called TOTP; the proto has both names. */
const secondFactors: Record<string, SecondFactor> = {
  SECOND_FACTOR_TYPE_OTP: "totp",
  SECOND_FACTOR_TYPE_TOTP: "totp",
  SECOND_FACTOR_TYPE_U2F: "u2f",
  SECOND_FACTOR_TYPE_OTP_EMAIL: "otp_email",
  SECOND_FACTOR_TYPE_OTP_SMS: "otp_sms",
  SECOND_FACTOR_TYPE_RECOVERY_CODES: "recovery_code",
};

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
type Lifetime = "passwordCheck" | "externalLoginCheck" | "secondFactorCheck" | "multiFactorCheck";

type WireLoginSettings =
  & Partial<Record<Flag, boolean>>
  & Partial<Record<`${Lifetime | "mfaInitSkip"}Lifetime`, string>>
  & {
    passkeysType?: string;
    defaultRedirectUri?: string;
    secondFactors?: string[];
    multiFactors?: string[];
  };

export function loginPolicies({ connect }: LoginWire) {
  const read = async <T extends object>(method: string, orgId?: string): Promise<Partial<T>> => {
    const ctx = orgId === undefined ? { instance: true } : { orgId };
    return (await connect<{ settings?: T }>(service, method, { ctx })).settings ?? {};
  };

  return {
    async loginSettings(orgId) {
      return readLoginSettings(await read<WireLoginSettings>("GetLoginSettings", orgId));
    },

    async lockoutSettings(orgId) {
      const { maxPasswordAttempts = "0", maxOtpAttempts = "0" } = await read<
        { maxPasswordAttempts: string; maxOtpAttempts: string }
      >("GetLockoutSettings", orgId);
      return {
        maxPasswordAttempts: Number(maxPasswordAttempts),
        maxOtpAttempts: Number(maxOtpAttempts),
      };
    },

    async passwordComplexity(orgId) {
      const { minLength = "0", ...rules } = await read<
        & { minLength: string }
        & Record<`requires${"Uppercase" | "Lowercase" | "Number" | "Symbol"}`, boolean>
      >("GetPasswordComplexitySettings", orgId);
      return {
        minLength: Number(minLength),
        requiresUppercase: rules.requiresUppercase ?? false,
        requiresLowercase: rules.requiresLowercase ?? false,
        requiresNumber: rules.requiresNumber ?? false,
        requiresSymbol: rules.requiresSymbol ?? false,
      };
    },

    async passwordExpiry(orgId) {
      const { maxAgeDays = "0", expireWarnDays = "0" } = await read<
        { maxAgeDays: string; expireWarnDays: string }
      >("GetPasswordExpirySettings", orgId);
      return { maxAgeDays: Number(maxAgeDays), expireWarnDays: Number(expireWarnDays) };
    },

    async legalSettings(orgId) {
      const { tosLink, privacyPolicyLink, helpLink, supportEmail } = await read<
        Record<"tosLink" | "privacyPolicyLink" | "helpLink" | "supportEmail", string>
      >("GetLegalAndSupportSettings", orgId);
      return {
        ...(tosLink ? { tosLink } : {}),
        ...(privacyPolicyLink ? { privacyPolicyLink } : {}),
        ...(helpLink ? { helpLink } : {}),
        ...(supportEmail ? { supportEmail } : {}),
      };
    },
  } satisfies LoginPolicyCalls;
}

function readLoginSettings(settings: WireLoginSettings): LoginSettings {
  const flag = (name: Flag) => settings[name] ?? false;
  return {
    allowLocalAuthentication: flag("allowLocalAuthentication"),
    allowRegister: flag("allowRegister"),
    allowExternalIdp: flag("allowExternalIdp"),
    passkeysAllowed: settings.passkeysType === "PASSKEYS_TYPE_ALLOWED",
    forceMfa: flag("forceMfa"),
    forceMfaLocalOnly: flag("forceMfaLocalOnly"),
    hidePasswordReset: flag("hidePasswordReset"),
    ignoreUnknownUsernames: flag("ignoreUnknownUsernames"),
    allowDomainDiscovery: flag("allowDomainDiscovery"),
    disableLoginWithEmail: flag("disableLoginWithEmail"),
    disableLoginWithPhone: flag("disableLoginWithPhone"),
    defaultRedirectUri: settings.defaultRedirectUri ?? "",
    secondFactors: [
      ...new Set((settings.secondFactors ?? []).flatMap((type) => secondFactors[type] ?? [])),
    ],
    multiFactors: (settings.multiFactors ?? []).includes("MULTI_FACTOR_TYPE_U2F_WITH_VERIFICATION")
      ? ["u2f_with_verification"]
      : [],
    passwordCheckLifetimeSeconds: secondsOf(settings.passwordCheckLifetime),
    externalLoginCheckLifetimeSeconds: secondsOf(settings.externalLoginCheckLifetime),
    secondFactorCheckLifetimeSeconds: secondsOf(settings.secondFactorCheckLifetime),
    multiFactorCheckLifetimeSeconds: secondsOf(settings.multiFactorCheckLifetime),
    mfaInitSkipLifetimeSeconds: secondsOf(settings.mfaInitSkipLifetime),
  };
}
