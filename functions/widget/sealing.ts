import { fromBase64, type Keyring, open, seal, SecretError } from "../_shared/secrets.ts";
import { base64url } from "./base64url.ts";

/**
 * Values that a browser keeps for us: it can neither read nor change them, nor take one for another (`kind` and `id` are bound in).
 * Padded, so that their length tells nothing either, such as whether there is an account.
 */
export function sealing(keyring: () => Promise<Keyring>) {
  return {
    async seal(kind: string, id: string, value: unknown): Promise<string> {
      const bytes = pad(new TextEncoder().encode(JSON.stringify(value)));
      const { keyId, ciphertext } = await seal(bytes, place(kind, id), await keyring());
      return `${keyId}.${base64url(ciphertext.buffer)}`;
    },

    /** Undefined: not sealed by us, or for something else. */
    async open(kind: string, id: string, text: string): Promise<unknown> {
      const [keyId = "", ciphertext = ""] = text.split(".");
      try {
        const sealed = { keyId, ciphertext: fromBase64url(ciphertext) };
        const bytes = await open(sealed, place(kind, id), await keyring());
        return JSON.parse(new TextDecoder().decode(bytes));
      } catch (error) {
        if (error instanceof SecretError || error instanceof DOMException) return undefined;
        throw error;
      }
    },
  };
}

export type Sealing = ReturnType<typeof sealing>;

/** Sealed and in base64url 2.8 kB: room for a person, a session and what is pending. Larger ones grow by steps. */
const smallest = 2048;
const step = 512;

/** White space behind JSON is no part of it. */
function pad(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const length = Math.max(smallest, Math.ceil(bytes.length / step) * step);
  const padded = new Uint8Array(length).fill(0x20);
  padded.set(bytes);
  return padded;
}

const place = (kind: string, id: string) => ({
  table: kind, // what a browser keeps is in no table: the name keeps it apart from every sealed row
  tenantId: "none",
  id,
});

const fromBase64url = (text: string) => fromBase64(text.replaceAll("-", "+").replaceAll("_", "/"));
