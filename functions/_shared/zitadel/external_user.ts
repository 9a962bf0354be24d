// What a provider says about somebody, in our words.
import type { ExternalKind, LinkingOptions, SuggestedUser } from "./types.ts";

export interface WireOptions {
  isLinkingAllowed?: boolean;
  isCreationAllowed?: boolean;
  isAutoCreation?: boolean;
  isAutoUpdate?: boolean;
  autoLinking?: string;
}

/** By IDP_TYPE_…, PROVIDER_TYPE_… or IDENTITY_PROVIDER_TYPE_…: ZITADEL has the same list three times. */
export function externalKind(type: string): ExternalKind {
  const kinds: Record<string, ExternalKind> = {
    GOOGLE: "google",
    GITHUB: "github",
    GITHUB_ES: "github",
    AZURE_AD: "microsoft",
    OIDC: "oidc",
    SAML: "saml",
    LDAP: "ldap",
  };
  return kinds[type.replace(/^.*_TYPE_/, "")] ?? "other";
}

export function readOptions(options: WireOptions): LinkingOptions {
  const linking = (options.autoLinking ?? "").replace("AUTO_LINKING_OPTION_", "").toLowerCase();
  return {
    linkingAllowed: options.isLinkingAllowed ?? false,
    creationAllowed: options.isCreationAllowed ?? false,
    autoCreation: options.isAutoCreation ?? false,
    autoUpdate: options.isAutoUpdate ?? false,
    autoLinking: linking === "username" || linking === "email" ? linking : "none",
  };
}

export interface WireHuman {
  username?: string;
  profile?: {
    givenName?: string;
    familyName?: string;
    displayName?: string;
    preferredLanguage?: string;
  };
  email?: { email?: string; isVerified?: boolean };
}

export function suggestedUser(
  kind: ExternalKind,
  human: WireHuman = {},
  raw: Record<string, unknown> = {},
): SuggestedUser {
  if (kind === "saml") return fromSaml(raw);
  const { givenName = "", familyName = "", displayName = "", preferredLanguage } = human.profile ??
    {};
  const email = human.email?.email ?? "";
  const names = givenName || familyName ? { givenName, familyName } : split(displayName);
  return {
    userName: human.username || email,
    ...names,
    displayName: displayName || `${names.givenName} ${names.familyName}`.trim(),
    email,
    // GitHub's are verified by its own word even where it keeps them to itself.
    emailVerified: email !== "" && (human.email?.isVerified ?? false),
    // "und" is what Go calls a language that is not known.
    ...(preferredLanguage && preferredLanguage !== "und" ? { preferredLanguage } : {}),
  };
}

/**
 * ZITADEL reads nothing but the subject out of an assertion ([S] internal/idp/providers/saml/mapper.go). These are the names under
 * which ADFS and Entra (claim URIs), Okta and Keycloak (short or OID) send what we need; the first that is there counts.
 */
const claims = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/";
const samlNames = {
  userName: [
    `${claims}upn`,
    `${claims}name`,
    "urn:oid:0.9.2342.19200300.100.1.1",
    "username",
    "uid",
  ],
  givenName: [`${claims}givenname`, "urn:oid:2.5.4.42", "givenName", "firstName"],
  familyName: [`${claims}surname`, "urn:oid:2.5.4.4", "surname", "sn", "lastName"],
  displayName: [
    "http://schemas.microsoft.com/identity/claims/displayname",
    "urn:oid:2.16.840.1.113730.3.1.241",
    "displayName",
    "cn",
  ],
  email: [`${claims}emailaddress`, "urn:oid:0.9.2342.19200300.100.1.3", "email", "mail"],
};

function fromSaml(raw: Record<string, unknown>): SuggestedUser {
  const attributes = (raw.attributes ?? {}) as Record<string, unknown>;
  const first = (names: string[]): string => {
    const found = names.map((name) => attributes[name]).find((values) =>
      Array.isArray(values) && typeof values[0] === "string" && values[0] !== ""
    );
    return found === undefined ? "" : (found as string[])[0]!;
  };
  const subject = typeof raw.id === "string" ? raw.id : "";
  const email = first(samlNames.email) || (subject.includes("@") ? subject : "");
  const displayName = first(samlNames.displayName);
  const given = { givenName: first(samlNames.givenName), familyName: first(samlNames.familyName) };
  const names = given.givenName || given.familyName ? given : split(displayName);
  return {
    userName: first(samlNames.userName) || email || subject,
    ...names,
    displayName: displayName || `${names.givenName} ${names.familyName}`.trim(),
    email,
    emailVerified: false,
  };
}

/** GitHub has one name; the last word is the family's. A guess: a form shows it before an account is made. */
function split(displayName: string): { givenName: string; familyName: string } {
  const words = displayName.trim().split(/\s+/).filter((word) => word !== "");
  return {
    givenName: words.slice(0, -1).join(" ") || (words[0] ?? ""),
    familyName: words.at(-1) ?? "",
  };
}
