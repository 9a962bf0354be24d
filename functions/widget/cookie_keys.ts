import type { Keyring } from "../_shared/secrets.ts";
import { base64url } from "./base64url.ts";

/**
 * What is derived from the login client's token: every replica has the same, and this process needs no other secret. A rotated
 * token makes open sign-in pages start again and people sign in once more, nothing else.
 */
export interface Derived {
  /** Seals what browsers keep for us. */
  keyring: () => Promise<Keyring>;
  /** The same 32 bytes for the same text, in base64url; nobody else can tell them from random ones. */
  pseudonym: (text: string) => Promise<string>;
}

export function derivedKeys(readToken: () => Promise<string>): Derived {
  const keyring = derived(readToken, "gatehouse widget cookie", async (source, options) => {
    const algorithm = { name: "AES-GCM", length: 256 };
    const key = await crypto.subtle.deriveKey(options, source, algorithm, false, [
      "encrypt",
      "decrypt",
    ]);
    return { current: "login-client", keys: new Map([["login-client", key]]) };
  });
  const pseudonyms = derived(readToken, "gatehouse widget pseudonym", (source, options) => {
    const algorithm = { name: "HMAC", hash: "SHA-256", length: 256 };
    return crypto.subtle.deriveKey(options, source, algorithm, false, ["sign"]);
  });
  return {
    keyring,
    async pseudonym(text) {
      const bytes = new TextEncoder().encode(text);
      return base64url(await crypto.subtle.sign("HMAC", await pseudonyms(), bytes));
    },
  };
}

/** Made once a token. */
function derived<T>(
  readToken: () => Promise<string>,
  info: string,
  make: (source: CryptoKey, options: HkdfParams) => Promise<T>,
): () => Promise<T> {
  const bytes = (text: string) => new TextEncoder().encode(text);
  let last: { token: string; made: Promise<T> } | undefined;
  return async () => {
    const token = await readToken();
    if (last?.token !== token) {
      const made = crypto.subtle.importKey("raw", bytes(token), "HKDF", false, ["deriveKey"])
        .then((source) =>
          make(source, {
            name: "HKDF",
            hash: "SHA-256",
            salt: new Uint8Array(),
            info: bytes(info),
          })
        );
      last = { token, made };
    }
    return await last.made;
  };
}
