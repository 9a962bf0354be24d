/**
 * Keys of Standard Webhooks as text. `whsec_` base64 of 24 to 64 bytes: a secret for `v1`. `whsk_` base64 of the 32-byte Ed25519 seed
 * and the 32-byte public key: the private key for `v1a`, as Svix writes it (the standard leaves the layout open); `whpk_` the public key.
 */
import type { Buffer } from "node:buffer";
import { createPrivateKey, createSecretKey, type KeyObject } from "node:crypto";
import { fromBase64, toBase64 } from "./secrets.ts";

/** A new secret for `v1`: `whsec_` and 32 random bytes. */
export function newWebhookSecret(): string {
  return "whsec_" + toBase64(crypto.getRandomValues(new Uint8Array(32)));
}

export interface WebhookKeyPair {
  /** `whsk_…`: never leaves us. */
  privateKey: string;
  /** `whpk_…`: what the receiver verifies with. */
  publicKey: string;
}

/** A new key pair for `v1a`. */
export async function newWebhookKeyPair(): Promise<WebhookKeyPair> {
  const pair = await crypto.subtle.generateKey("Ed25519", true, [
    "sign",
    "verify",
  ]) as CryptoKeyPair;
  const jwk = await crypto.subtle.exportKey("jwk", pair.privateKey);
  const seed = Uint8Array.fromBase64(jwk.d!, { alphabet: "base64url" });
  const open = Uint8Array.fromBase64(jwk.x!, { alphabet: "base64url" });
  return {
    privateKey: "whsk_" + toBase64(Uint8Array.of(...seed, ...open)),
    publicKey: "whpk_" + toBase64(open),
  };
}

/** PKCS #8 of an Ed25519 key, up to its seed (RFC 8410, 7). */
const pkcs8Head = Uint8Array.fromHex("302e020100300506032b657004220420");

/**
 * The key of a `whsec_…` or `whsk_…` text, ready to sign. Of node:crypto: an HMAC of WebCrypto costs 50 µs and a thread, this one 6 µs.
 * @throws {TypeError}
 */
export function importWebhookKey(text: string): KeyObject {
  if (text.startsWith("whsec_")) return createSecretKey(secretBytes(text));
  const bytes = decode(text, "whsk_", "A webhook's signing key is whsec_ or whsk_ and base64");
  if (bytes.byteLength !== 64) {
    throw new TypeError(`A webhook's private key has 64 bytes, not ${bytes.byteLength}`);
  }
  const key = Uint8Array.of(...pkcs8Head, ...bytes.subarray(0, 32));
  return createPrivateKey({ key: key as Buffer, format: "der", type: "pkcs8" });
}

/** The key of a `whsec_…` or `whpk_…` text, ready to verify. @throws {TypeError} */
export async function importVerificationKey(text: string): Promise<CryptoKey> {
  if (text.startsWith("whsec_")) {
    const hmac = { name: "HMAC", hash: "SHA-256" };
    return await crypto.subtle.importKey("raw", secretBytes(text), hmac, false, ["verify"]);
  }
  const bytes = decode(text, "whpk_", "A webhook is verified with whsec_ or whpk_ and base64");
  if (bytes.byteLength !== 32) {
    throw new TypeError(`A webhook's public key has 32 bytes, not ${bytes.byteLength}`);
  }
  return await crypto.subtle.importKey("raw", bytes, "Ed25519", false, ["verify"]);
}

function secretBytes(text: string): Uint8Array<ArrayBuffer> {
  const bytes = decode(text, "whsec_", "A webhook secret is whsec_ and base64");
  if (bytes.byteLength < 24 || bytes.byteLength > 64) {
    throw new TypeError(`A webhook secret has 24 to 64 bytes, not ${bytes.byteLength}`);
  }
  return bytes;
}

/** The text itself never stands in the error. */
function decode(text: string, prefix: string, expected: string): Uint8Array<ArrayBuffer> {
  if (!text.startsWith(prefix)) throw new TypeError(expected);
  try {
    return fromBase64(text.slice(prefix.length));
  } catch {
    throw new TypeError(expected);
  }
}
