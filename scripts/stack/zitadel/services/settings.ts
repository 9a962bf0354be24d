// zitadel.settings.v2: reading policies, and the security policy.
import { noChanges } from "../errors.ts";
import type { Instance } from "../model.ts";
import { type Call, details, type Service } from "../service.ts";
import { type PolicyKind, policyOf } from "./policies.ts";

interface Context {
  ctx?: { orgId?: string; instance?: boolean };
}

function read(call: Call, { ctx }: Context, kind: PolicyKind) {
  const owner = ctx?.orgId ?? (ctx?.instance ? undefined : call.caller.organizationId);
  const { values, isDefault, changedAt, createdAt } = policyOf(call.store, owner, kind, true);
  return {
    values,
    resourceOwnerType: isDefault ? "RESOURCE_OWNER_TYPE_INSTANCE" : "RESOURCE_OWNER_TYPE_ORG",
    details: details(isDefault ? call.instance.id : owner!, changedAt, createdAt),
  };
}

export const settings: Service = {
  GetGeneralSettings({ store }: Call) {
    const { defaultOrganizationId } = store.get("instance", "instance")!;
    return {
      defaultOrgId: defaultOrganizationId,
      defaultOrganizationId,
      defaultLanguage: "en",
      supportedLanguages: ["de", "en", "es", "fr", "it"],
      allowedLanguages: ["de", "en", "es", "fr", "it"],
    };
  },

  GetLoginSettings(call: Call, request: Context) {
    const { values, ...rest } = read(call, request, "login");
    // What an organization left out of its own policy is zero.
    const {
      allowUsernamePassword = false,
      passwordlessType = "PASSWORDLESS_TYPE_NOT_ALLOWED",
      ...policy
    } = values;
    return {
      details: rest.details,
      settings: {
        ...policy,
        allowUsernamePassword,
        allowLocalAuthentication: allowUsernamePassword,
        passkeysType: String(passwordlessType).replace("PASSWORDLESS_", "PASSKEYS_"),
        resourceOwnerType: rest.resourceOwnerType,
      },
    };
  },

  GetPasswordComplexitySettings(call: Call, request: Context) {
    const { values, details, resourceOwnerType } = read(call, request, "complexity");
    return {
      details,
      settings: {
        minLength: String(values.minLength),
        requiresUppercase: values.hasUppercase,
        requiresLowercase: values.hasLowercase,
        requiresNumber: values.hasNumber,
        requiresSymbol: values.hasSymbol,
        resourceOwnerType,
      },
    };
  },

  GetPasswordExpirySettings(call: Call, request: Context) {
    const { values, details, resourceOwnerType } = read(call, request, "age");
    return {
      details,
      settings: {
        maxAgeDays: String(values.maxAgeDays),
        expireWarnDays: String(values.expireWarnDays),
        resourceOwnerType,
      },
    };
  },

  GetDomainSettings(call: Call, request: Context) {
    const { values, details, resourceOwnerType } = read(call, request, "domain");
    return {
      details,
      settings: {
        loginNameIncludesDomain: values.userLoginMustBeDomain,
        requireOrgDomainVerification: values.validateOrgDomains,
        smtpSenderAddressMatchesInstanceDomain: values.smtpSenderAddressMatchesInstanceDomain,
        resourceOwnerType,
      },
    };
  },

  GetLockoutSettings(call: Call, request: Context) {
    const { values, details, resourceOwnerType } = read(call, request, "lockout");
    return {
      details,
      settings: {
        maxPasswordAttempts: String(values.maxPasswordAttempts),
        maxOtpAttempts: String(values.maxOtpAttempts),
        resourceOwnerType,
      },
    };
  },

  GetBrandingSettings: ({ store, instance }: Call) => ({
    details: details(instance.id, store.now()),
    settings: {
      lightTheme: {
        primaryColor: "#5469d4",
        backgroundColor: "#fafafa",
        warnColor: "#cd3d56",
        fontColor: "#000000",
      },
      darkTheme: {
        primaryColor: "#2073c4",
        backgroundColor: "#111827",
        warnColor: "#ff3b5b",
        fontColor: "#ffffff",
      },
      resourceOwnerType: "RESOURCE_OWNER_TYPE_INSTANCE",
      themeMode: "THEME_MODE_AUTO",
    },
  }),

  GetLegalAndSupportSettings(call: Call, request: Context) {
    const { values, details, resourceOwnerType } = read(call, request, "privacy");
    const { privacyLink, ...links } = values;
    return {
      details,
      settings: { ...links, privacyPolicyLink: privacyLink, resourceOwnerType },
    };
  },

  GetSecuritySettings({ store, instance }: Call) {
    const { security } = store.seen("instance", "instance") ?? store.get("instance", "instance")!;
    return { details: details(instance.id, store.now()), settings: security };
  },

  SetSecuritySettings(
    { store, caller, instance }: Call,
    request: {
      embeddedIframe?: { enabled?: boolean; allowedOrigins?: string[] };
      enableImpersonation?: boolean;
    },
  ) {
    const security: Instance["security"] = {
      embeddedIframe: {
        enabled: request.embeddedIframe?.enabled ?? false,
        allowedOrigins: request.embeddedIframe?.allowedOrigins ?? [],
      },
      enableImpersonation: request.enableImpersonation ?? false,
    };
    if (JSON.stringify(security) === JSON.stringify(store.get("instance", "instance")!.security)) {
      throw noChanges();
    }
    const at = store.push(caller.userId, [{
      aggregateType: "instance",
      aggregateId: instance.id,
      type: "instance.policy.security.set",
      resourceOwner: instance.id,
      payload: { ...security },
    }]);
    store.patch("instance", "instance", { security });
    return { details: details(instance.id, at) };
  },
};
