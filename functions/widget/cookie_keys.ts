import type { Keyring } from "../_shared/secrets.ts";

/**
 * The key of the sign-in page's cookies, derived from the login client's token: every replica has the same, and this process needs
 * no other secret. A rotated token makes open sign-in pages start again, nothing more.
 */
export function cookieKeys(readToken: () => Promise<string>): () => Promise<Keyring> {
  let derived: { token: string; keyring: Promise<Keyring> } | undefined;
  return async () => {
    const token = await readToken();
    if (derived?.token !== token) derived = { token, keyring: derive(token) };
    return await derived.keyring;
  };
}

async function derive(token: string): Promise<Keyring> {
  const bytes = (text: string) => new TextEncoder().encode(text);
  const source = await crypto.subtle.importKey("raw", bytes(token), "HKDF", false, ["deriveKey"]);
  const key = await crypto.subtle.deriveKey(
    {
      name: "HKDF",
      hash: "SHA-256",
      salt: new Uint8Array(),
      info: bytes("gatehouse widget cookie"),
    },
    source,
    { name: "AES-GCM", length: 256 },
    false,
    ["encrypt", "decrypt"],
  );
  return { current: "login-client", keys: new Map([["login-client", key]]) };
}
