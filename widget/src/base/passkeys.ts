/**
 * Passkeys and security keys (WebAuthn level 3). Browsers that cannot read and write JSON yet (before Chrome 129, Safari 18.4,
 * Firefox 119) are helped by the few lines below.
 */
import { base64url, bytesOf } from "./base64url.ts";

type Json = Record<string, unknown>;

/** Why there is no credential. */
export class PasskeyFault extends Error {
  constructor(readonly kind: "cancelled" | "unsupported" | "taken" | "failed", cause?: unknown) {
    super(kind, { cause });
  }
}

export const passkeysSupported = () => typeof PublicKeyCredential === "function";

/** Makes one. @throws {PasskeyFault} */
export function createPasskey(options: Json, signal: AbortSignal): Promise<Json> {
  return ask(() =>
    navigator.credentials.create({
      signal,
      publicKey: PublicKeyCredential.parseCreationOptionsFromJSON
        ? PublicKeyCredential.parseCreationOptionsFromJSON(options as never)
        : parse(options) as never,
    })
  );
}

/** Uses one. @throws {PasskeyFault} */
export function usePasskey(options: Json, signal: AbortSignal): Promise<Json> {
  return ask(() =>
    navigator.credentials.get({
      signal,
      publicKey: PublicKeyCredential.parseRequestOptionsFromJSON
        ? PublicKeyCredential.parseRequestOptionsFromJSON(options as never)
        : parse(options) as never,
    })
  );
}

async function ask(question: () => Promise<Credential | null>): Promise<Json> {
  if (!passkeysSupported()) throw new PasskeyFault("unsupported");
  try {
    const credential = await question() as PublicKeyCredential;
    return (credential.toJSON ? credential.toJSON() : toJson(credential)) as Json;
  } catch (error) {
    throw new PasskeyFault(kindOf(error), error);
  }
}

/** By name as WebAuthn gives them; a person who closes the dialogue and one who waits too long look the same, on purpose. */
function kindOf(error: unknown): PasskeyFault["kind"] {
  const name = (error as Error | null)?.name ?? "";
  if (/^(NotAllowed|Abort)/.test(name)) return "cancelled";
  if (/^InvalidState/.test(name)) return "taken"; // registering: this authenticator has one already
  return /^(NotSupported|Constraint)/.test(name) ? "unsupported" : "failed";
}

/** What `parse…OptionsFromJSON` would give: the members that hold bytes, as bytes. */
export function parse(options: Json): Json {
  const { challenge, user, allowCredentials, excludeCredentials } = options as {
    challenge: string;
    user?: { id: string };
    allowCredentials?: { id: string }[];
    excludeCredentials?: { id: string }[];
  };
  const withBytes = (entry: { id: string }) => ({ ...entry, id: bytesOf(entry.id) });
  return {
    ...options,
    challenge: bytesOf(challenge),
    user: user && withBytes(user),
    allowCredentials: allowCredentials?.map(withBytes),
    excludeCredentials: excludeCredentials?.map(withBytes),
  };
}

/** What `toJSON()` would give: the members that exist, bytes as base64url. */
export function toJson(credential: PublicKeyCredential): Json {
  const { id, type, authenticatorAttachment, response } = credential;
  const members: Json = {};
  for (
    const name of [
      "clientDataJSON",
      "attestationObject",
      "authenticatorData",
      "signature",
      "userHandle",
    ]
  ) {
    const value = (response as unknown as Record<string, ArrayBuffer | null>)[name];
    if (value) members[name] = text(value);
  }
  const transports = (response as AuthenticatorAttestationResponse).getTransports?.();
  if (transports) members.transports = transports;
  return {
    id,
    rawId: text(credential.rawId),
    type,
    authenticatorAttachment,
    response: members,
    clientExtensionResults: credential.getClientExtensionResults(),
  };
}

const text = (buffer: ArrayBuffer) => base64url(new Uint8Array(buffer));
