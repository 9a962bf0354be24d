// A provider's kinds as ZITADEL spells them: paths, fields, and what of an answer is compared.
import type { LdapSettings, LinkingOptions, ProviderInput, SamlSettings } from "./types.ts";

export interface WireProvider {
  id: string;
  name?: string;
  type?: string;
  config?: Record<string, unknown>;
}

interface Kind {
  path: string;
  type: string;
  /** The member of `config` in an answer. */
  member: string;
  /** The member of a request that holds the secret; absent: the kind has none. */
  secret?: string;
  fields: Record<string, unknown>;
}

function kindOf(input: ProviderInput): Kind {
  switch (input.kind) {
    case "google": {
      const { clientId, scopes } = input.settings;
      return kind("google", "GOOGLE", "google", { clientId, scopes }, "clientSecret");
    }
    case "github": {
      const { clientId, scopes, baseUrl } = input.settings;
      if (baseUrl === undefined) {
        return kind("github", "GITHUB", "github", { clientId, scopes }, "clientSecret");
      }
      const fields = {
        clientId,
        scopes,
        authorizationEndpoint: `${baseUrl}/login/oauth/authorize`,
        tokenEndpoint: `${baseUrl}/login/oauth/access_token`,
        userEndpoint: `${baseUrl}/api/v3/user`,
      };
      return kind("github_es", "GITHUB_ES", "githubEs", fields, "clientSecret");
    }
    case "microsoft": {
      const { clientId, scopes, tenant, emailVerified } = input.settings;
      const fields = { clientId, scopes, emailVerified, tenant: azureTenant(tenant) };
      return kind("azure", "AZURE_AD", "azureAd", fields, "clientSecret");
    }
    case "oidc": {
      const { issuer, clientId, scopes, idTokenMapping, pkce } = input.settings;
      const fields = { issuer, clientId, scopes, isIdTokenMapping: idTokenMapping, usePkce: pkce };
      return kind("generic_oidc", "OIDC", "oidc", fields, "clientSecret");
    }
    case "saml":
      return kind("saml", "SAML", "saml", samlFields(input.settings));
    case "ldap":
      return kind("ldap", "LDAP", "ldap", ldapFields(input.settings), "bindPassword");
  }
}

const kind = (
  path: string,
  type: string,
  member: string,
  fields: Record<string, unknown>,
  secret?: string,
): Kind => ({
  path: `/management/v1/idps/${path}`,
  type: `PROVIDER_TYPE_${type}`,
  member,
  fields,
  ...(secret ? { secret } : {}),
});

export const pathOf = (input: ProviderInput) => kindOf(input).path;
export const typeOf = (input: ProviderInput) => kindOf(input).type;

/** An OIDC client too, with PKCE or without: ZITADEL wants a secret of at least one character. */
export const takesSecret = (input: ProviderInput) => kindOf(input).secret !== undefined;

export function body(input: ProviderInput): Record<string, unknown> {
  const { fields, secret } = kindOf(input);
  return {
    name: input.name,
    ...fields,
    ...(secret !== undefined && input.secret ? { [secret]: input.secret } : {}),
    providerOptions: writeOptions(input.options),
  };
}

/** Everything but the secret, which ZITADEL shows to nobody. */
export function agrees(found: WireProvider, input: ProviderInput): boolean {
  const { member, fields } = kindOf(input);
  const present = (found.config?.[member] ?? {}) as Record<string, unknown>;
  const options = (found.config?.options ?? {}) as Record<string, unknown>;
  return found.name === input.name && covers(present, fields) &&
    covers(options, writeOptions(input.options));
}

/** What an answer leaves out is the default of its kind; enums at their first member are left out too. */
function covers(present: unknown, asked: unknown): boolean {
  if (Array.isArray(asked)) {
    const list = (present ?? []) as unknown[];
    return Array.isArray(list) && list.length === asked.length &&
      asked.every((item, index) => covers(list[index], item));
  }
  if (typeof asked === "object" && asked !== null) {
    const members = (present ?? {}) as Record<string, unknown>;
    return Object.entries(asked).every(([name, value]) => covers(members[name], value));
  }
  if (present !== undefined) return present === asked;
  return asked === undefined || asked === false || asked === "" || firstMembers.has(String(asked));
}

const firstMembers = new Set([
  "AUTO_LINKING_OPTION_UNSPECIFIED",
  "AZURE_AD_TENANT_TYPE_COMMON",
  "SAML_NAME_ID_FORMAT_UNSPECIFIED",
]);

function writeOptions(options: LinkingOptions) {
  return {
    isLinkingAllowed: options.linkingAllowed,
    isCreationAllowed: options.creationAllowed,
    isAutoCreation: options.autoCreation,
    isAutoUpdate: options.autoUpdate,
    autoLinking: {
      none: "AUTO_LINKING_OPTION_UNSPECIFIED",
      username: "AUTO_LINKING_OPTION_USERNAME",
      email: "AUTO_LINKING_OPTION_EMAIL",
    }[options.autoLinking],
  };
}

function azureTenant(tenant: string) {
  const types: Record<string, string> = {
    common: "AZURE_AD_TENANT_TYPE_COMMON",
    organizations: "AZURE_AD_TENANT_TYPE_ORGANISATIONS",
    consumers: "AZURE_AD_TENANT_TYPE_CONSUMERS",
  };
  return types[tenant] ? { tenantType: types[tenant] } : { tenantId: tenant };
}

function samlFields({ metadataXml, binding, signedRequests, nameIdFormat }: SamlSettings) {
  const bytes = new TextEncoder().encode(metadataXml);
  return {
    metadataXml: btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join("")),
    binding: binding === "post" ? "SAML_BINDING_POST" : "SAML_BINDING_REDIRECT",
    withSignedRequest: signedRequests,
    nameIdFormat: {
      unspecified: "SAML_NAME_ID_FORMAT_UNSPECIFIED",
      email: "SAML_NAME_ID_FORMAT_EMAIL_ADDRESS",
      persistent: "SAML_NAME_ID_FORMAT_PERSISTENT",
      transient: "SAML_NAME_ID_FORMAT_TRANSIENT",
    }[nameIdFormat],
  };
}

function ldapFields({ attributes, timeoutSeconds, ca, ...settings }: LdapSettings) {
  return {
    ...settings,
    timeout: `${timeoutSeconds}s`,
    ...(ca === undefined ? {} : { rootCa: btoa(ca) }),
    attributes: {
      idAttribute: attributes.id,
      preferredUsernameAttribute: attributes.userName,
      firstNameAttribute: attributes.givenName,
      lastNameAttribute: attributes.familyName,
      displayNameAttribute: attributes.displayName,
      emailAttribute: attributes.email,
      ...(attributes.emailVerified ? { emailVerifiedAttribute: attributes.emailVerified } : {}),
      ...(attributes.preferredLanguage
        ? { preferredLanguageAttribute: attributes.preferredLanguage }
        : {}),
    },
  };
}
