// The first step at a provider: where the browser goes, and what the way back will need.
import { ApiError, invalidArgument } from "../errors.ts";
import type { Idp, Intent } from "../model_idps.ts";
import { authorizationUrl } from "./oauth.ts";
import type { Idps } from "./reach.ts";
import { samlRequest } from "./saml.ts";

export interface Begun {
  step: { authUrl: string } | { formData: { url: string; fields: Record<string, string> } };
  parameters: Intent["parameters"];
}

/** `id`: the intent's, which is also the `state` or `RelayState`. */
export async function begin(
  idps: Idps,
  idp: Idp,
  id: string,
  loginHint: string | undefined,
): Promise<Begun> {
  if (idp.type === "LDAP") {
    // ZITADEL sends the browser to its own form here; ours asks for the password itself.
    throw invalidArgument("IDP-DOUBLEldap", "Errors.ExternalIDP.IDPTypeNotImplemented");
  }
  try {
    return idp.type === "SAML"
      ? await samlRequest(idps, idp, id)
      : await authorizationUrl(idps, idp, id, loginHint);
  } catch (error) {
    if (error instanceof ApiError) throw error;
    // Discovery failed: the provider is away, or is no such provider.
    throw new ApiError("internal", undefined, `Errors.Internal: ${(error as Error).message}`);
  }
}
