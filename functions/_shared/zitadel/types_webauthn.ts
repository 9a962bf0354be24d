// WebAuthn as browsers speak it in JSON (PublicKeyCredential.toJSON, parse…OptionsFromJSON): bytes are base64url.

/** For `PublicKeyCredential.parseCreationOptionsFromJSON`. */
export type WebAuthnCreationOptions = PublicKeyCredentialCreationOptionsJSON;
/** For `PublicKeyCredential.parseRequestOptionsFromJSON`. */
export type WebAuthnRequestOptions = PublicKeyCredentialRequestOptionsJSON;

export interface WebAuthnRegistration {
  id: string;
  rawId: string;
  type: string;
  response: { clientDataJSON: string; attestationObject: string; transports?: string[] };
}

export interface WebAuthnAssertion {
  id: string;
  rawId: string;
  type: string;
  response: {
    clientDataJSON: string;
    authenticatorData: string;
    signature: string;
    userHandle?: string | null;
  };
}
