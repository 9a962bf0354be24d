/**
 * Secrets at rest: AES-256-GCM with a key that is not in the database. A ciphertext is bound to the row it belongs to, so it cannot
 * be moved to another. Layout: 12 bytes nonce, then ciphertext and 16 bytes tag.
 */
import { z } from "zod";
import { config, ConfigError, readSecretFile } from "./config.ts";

/** The row a secret belongs to: table|tenant|id are GCM's additional data. */
export interface Place {
  table: string;
  /** Empty where the row belongs to the instance. */
  tenantId: string;
  id: string;
}

export interface Sealed {
  keyId: string;
  ciphertext: Uint8Array<ArrayBuffer>;
}

export interface Keyring {
  current: string;
  keys: Map<string, CryptoKey>;
}

/** As SQL hands it out: base64 in JSON. */
export interface SealedText {
  keyId: string;
  ciphertext: string;
}

export const readSealed = ({ keyId, ciphertext }: SealedText): Sealed => ({
  keyId,
  ciphertext: fromBase64(ciphertext),
});

/** A ciphertext that does not open: another key, another row, or bytes that were changed. */
export class SecretError extends Error {
  override readonly name = "SecretError";
}

const nonceBytes = 12;
const tagBytes = 16;

const KeyFile = z.strictObject({
  current: z.string().min(1),
  keys: z.record(z.string().regex(/^[\w.-]{1,64}$/), z.base64()),
});

/** Reads `{"current":"k1","keys":{"k1":"<base64 of 32 bytes>"}}`. @throws {ConfigError} */
export async function parseKeyring(
  text: string,
  variable = "GATEHOUSE_SECRETS_KEY_FILE",
): Promise<Keyring> {
  let file: z.output<typeof KeyFile>;
  try {
    file = KeyFile.parse(JSON.parse(text));
  } catch {
    // The parser's own message could quote the key.
    throw new ConfigError(variable, 'expected {"current": "k1", "keys": {"k1": "<base64>"}}');
  }
  const keys = new Map<string, CryptoKey>();
  for (const [id, base64] of Object.entries(file.keys)) {
    const bytes = fromBase64(base64);
    if (bytes.byteLength !== 32) {
      throw new ConfigError(variable, `key "${id}" has ${bytes.byteLength} bytes, not 32`);
    }
    keys.set(
      id,
      await crypto.subtle.importKey("raw", bytes, "AES-GCM", false, ["encrypt", "decrypt"]),
    );
  }
  if (!keys.has(file.current)) {
    throw new ConfigError(variable, `the current key "${file.current}" is not among the keys`);
  }
  return { current: file.current, keys };
}

let cached: Promise<Keyring> | undefined;

/** This process's keys, read on first use. */
export function keyring(): Promise<Keyring> {
  cached ??= readSecretFile("GATEHOUSE_SECRETS_KEY_FILE", config().secretsKeyFile).then((text) =>
    parseKeyring(text)
  ).catch((error) => {
    cached = undefined;
    throw error;
  });
  return cached;
}

/** Seals with the current key. */
export async function seal(
  plaintext: string | Uint8Array<ArrayBuffer>,
  place: Place,
  ring?: Keyring,
): Promise<Sealed> {
  const { current, keys } = ring ?? await keyring();
  const nonce = crypto.getRandomValues(new Uint8Array(nonceBytes));
  const bytes = typeof plaintext === "string" ? new TextEncoder().encode(plaintext) : plaintext;
  const sealed = await crypto.subtle.encrypt(
    { name: "AES-GCM", iv: nonce, additionalData: placeBytes(place) },
    keys.get(current)!,
    bytes,
  );
  const ciphertext = new Uint8Array(nonceBytes + sealed.byteLength);
  ciphertext.set(nonce);
  ciphertext.set(new Uint8Array(sealed), nonceBytes);
  return { keyId: current, ciphertext };
}

/** Opens with the key that sealed it. @throws {SecretError} */
export async function open(
  sealed: Sealed,
  place: Place,
  ring?: Keyring,
): Promise<Uint8Array<ArrayBuffer>> {
  const key = (ring ?? await keyring()).keys.get(sealed.keyId);
  const where = `${place.table} ${place.id}`;
  if (key === undefined) throw new SecretError(`Cannot open ${where}: no key "${sealed.keyId}"`);
  const { ciphertext } = sealed;
  if (ciphertext.byteLength < nonceBytes + tagBytes) {
    throw new SecretError(`Cannot open ${where}: too short`);
  }
  try {
    return new Uint8Array(
      await crypto.subtle.decrypt(
        {
          name: "AES-GCM",
          iv: ciphertext.subarray(0, nonceBytes),
          additionalData: placeBytes(place),
        },
        key,
        ciphertext.subarray(nonceBytes),
      ),
    );
  } catch {
    throw new SecretError(`Cannot open ${where}: not sealed for this row by key "${sealed.keyId}"`);
  }
}

/** `open` for text. @throws {SecretError} */
export async function openText(sealed: Sealed, place: Place, ring?: Keyring): Promise<string> {
  return new TextDecoder().decode(await open(sealed, place, ring));
}

/** Seals again with the current key; null when it already is. For the rotation of keys. @throws {SecretError} */
export async function reseal(sealed: Sealed, place: Place, ring?: Keyring): Promise<Sealed | null> {
  const keys = ring ?? await keyring();
  if (sealed.keyId === keys.current) return null;
  return await seal(await open(sealed, place, keys), place, keys);
}

function placeBytes({ table, tenantId, id }: Place): Uint8Array<ArrayBuffer> {
  for (const part of [table, tenantId, id]) {
    if (part.includes("|")) throw new SecretError(`"${part}" cannot name a place`);
  }
  return new TextEncoder().encode(`${table}|${tenantId}|${id}`);
}

export function toBase64(bytes: Uint8Array): string {
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary);
}

export function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
}
