/**
 * Domain, login, lockout, complexity, age and privacy policies: one of the instance, and one of an organization where it made its own.
 * Next: policy_methods.ts (v1 writes them), settings.ts (v2 reads them).
 */
import type { Policy } from "../model.ts";
import type { Store } from "../store.ts";

export type PolicyKind = "domain" | "login" | "lockout" | "complexity" | "age" | "privacy";

/** Of a new instance; [S] cmd/defaults.yaml. */
export const defaultPolicies: Record<PolicyKind, Record<string, unknown>> = {
  domain: {
    userLoginMustBeDomain: false,
    validateOrgDomains: false,
    smtpSenderAddressMatchesInstanceDomain: false,
  },
  login: {
    allowUsernamePassword: true,
    allowRegister: true,
    allowExternalIdp: true,
    forceMfa: false,
    forceMfaLocalOnly: false,
    passwordlessType: "PASSWORDLESS_TYPE_ALLOWED",
    hidePasswordReset: false,
    ignoreUnknownUsernames: false,
    defaultRedirectUri: "",
    passwordCheckLifetime: "864000s",
    externalLoginCheckLifetime: "864000s",
    mfaInitSkipLifetime: "2592000s",
    secondFactorCheckLifetime: "64800s",
    multiFactorCheckLifetime: "43200s",
    allowDomainDiscovery: true,
    disableLoginWithEmail: false,
    disableLoginWithPhone: false,
    secondFactors: ["SECOND_FACTOR_TYPE_OTP", "SECOND_FACTOR_TYPE_U2F"],
    multiFactors: ["MULTI_FACTOR_TYPE_U2F_WITH_VERIFICATION"],
  },
  lockout: { maxPasswordAttempts: 0, maxOtpAttempts: 0 },
  complexity: {
    minLength: 8,
    hasUppercase: true,
    hasLowercase: true,
    hasNumber: true,
    hasSymbol: true,
  },
  age: { maxAgeDays: 0, expireWarnDays: 0 },
  privacy: {
    tosLink: "",
    privacyLink: "",
    helpLink: "",
    supportEmail: "",
    docsLink: "",
    customLink: "",
    customLinkText: "",
  },
};

/** An organization's own policy, else the instance's. */
export function policyOf(
  store: Store,
  organizationId: string | undefined,
  kind: PolicyKind,
  seen = false,
): Policy & { isDefault: boolean } {
  const read = (id: string) => seen ? store.seen("policy", id) : store.get("policy", id);
  const own = organizationId === undefined ? undefined : read(`${organizationId}/${kind}`);
  const found = own ?? read(`instance/${kind}`) ?? store.get("policy", `instance/${kind}`) ??
    unwritten(store, kind);
  return { ...found, isDefault: own === undefined };
}

/** Of an instance that was made before the double knew this kind. */
function unwritten(store: Store, kind: PolicyKind): Policy {
  const { createdAt } = store.get("instance", "instance")!;
  return {
    id: `instance/${kind}`,
    createdAt,
    changedAt: createdAt,
    values: defaultPolicies[kind],
  };
}
