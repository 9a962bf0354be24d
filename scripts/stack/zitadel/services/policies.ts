/**
 * Domain, login, lockout and complexity policies: one of the instance, and one of an organization where it made its own.
 * Next: policy_methods.ts (v1 writes them), settings.ts (v2 reads them).
 */
import type { Policy } from "../model.ts";
import type { Store } from "../store.ts";

export type PolicyKind = "domain" | "login" | "lockout" | "complexity";

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
  },
  lockout: { maxPasswordAttempts: 0, maxOtpAttempts: 0 },
  complexity: {
    minLength: 8,
    hasUppercase: true,
    hasLowercase: true,
    hasNumber: true,
    hasSymbol: true,
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
  const found = own ?? read(`instance/${kind}`) ?? store.get("policy", `instance/${kind}`)!;
  return { ...found, isDefault: own === undefined };
}
