import type { OidcConfiguration } from "../model.ts";

const loopback = new Set(["localhost", "127.0.0.1", "[::1]"]);

/** What ZITADEL notes at create and refuses at the authorize request. */
export function complianceProblems(oidc: OidcConfiguration): string[] {
  if (oidc.redirectUris.length === 0) return ["Application.OIDC.V1.RedirectUris.Missing"];
  if (oidc.developmentMode) return [];
  return [...new Set(oidc.redirectUris.flatMap((uri) => redirectProblem(oidc, uri) ?? []))];
}

/** Null: people may be sent there. */
export function redirectProblem(
  { developmentMode, applicationType }: OidcConfiguration,
  uri: string,
): string | null {
  const parsed = URL.parse(uri);
  if (parsed === null) return "Application.OIDC.V1.RedirectUris.Invalid";
  if (developmentMode || parsed.protocol === "https:") return null;
  const native = applicationType === "OIDC_APP_TYPE_NATIVE";
  if (parsed.protocol !== "http:") {
    return native ? null : "Application.OIDC.V1.Code.RedirectUris.CustomOnlyNative";
  }
  if (!native) return "Application.OIDC.V1.Code.RedirectUris.HttpOnlyForWeb";
  return loopback.has(parsed.hostname)
    ? null
    : "Application.OIDC.V1.Native.RedirectUris.MustBeHttpLocalhost";
}
