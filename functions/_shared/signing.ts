/**
 * Standard Webhooks 1.0.0, symmetric scheme `v1`: HMAC-SHA256 over `id.timestamp.body` (the exact bytes sent), all signatures in one
 * header joined by spaces. https://github.com/standard-webhooks/standard-webhooks
 */
import { fromBase64, type Place, toBase64 } from "./secrets.ts";

const prefix = "whsec_";

/** A new secret: `whsec_` and base64 of 32 random bytes (the standard allows 24 to 64). */
export function newWebhookSecret(): string {
  return prefix + toBase64(crypto.getRandomValues(new Uint8Array(32)));
}

/** Where the ciphertext of an endpoint's secrets belongs (secrets.ts); old and new of one endpoint share it. */
export function webhookSecretPlace(tenantId: string, endpointId: string): Place {
  return { table: "webhook_secrets", tenantId, id: endpointId };
}

/** The key of a `whsec_…` text, ready to sign; import once per batch. @throws {TypeError} */
export async function importWebhookSecret(secret: string): Promise<CryptoKey> {
  if (!secret.startsWith(prefix)) throw new TypeError("A webhook secret starts with whsec_");
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    bytes = fromBase64(secret.slice(prefix.length));
  } catch {
    throw new TypeError("A webhook secret is whsec_ and base64");
  }
  if (bytes.byteLength < 24 || bytes.byteLength > 64) {
    throw new TypeError(`A webhook secret has 24 to 64 bytes, not ${bytes.byteLength}`);
  }
  return await crypto.subtle.importKey("raw", bytes, { name: "HMAC", hash: "SHA-256" }, false, [
    "sign",
  ]);
}

export interface WebhookMessage {
  /** The same for every attempt: receivers drop repeats by it. */
  id: string;
  /** Unix seconds of this attempt. */
  timestampSeconds: number;
  body: string | Uint8Array<ArrayBuffer>;
}

/** The three headers of one attempt, signed with every key (two while a secret rotates). @throws {TypeError} */
export async function signWebhook(
  message: WebhookMessage,
  keys: CryptoKey[],
): Promise<Record<string, string>> {
  const { id, timestampSeconds } = message;
  if (keys.length === 0) throw new TypeError("A webhook is signed with at least one key");
  // A dot would let one message's id and body be read as another's.
  if (!/^[\w-]{1,200}$/.test(id)) throw new TypeError(`"${id}" cannot be a webhook's id`);
  if (!Number.isSafeInteger(timestampSeconds) || timestampSeconds < 0) {
    throw new TypeError("A webhook's timestamp is whole Unix seconds");
  }
  const encoder = new TextEncoder();
  const head = encoder.encode(`${id}.${timestampSeconds}.`);
  const body = typeof message.body === "string" ? encoder.encode(message.body) : message.body;
  const content = new Uint8Array(head.byteLength + body.byteLength);
  content.set(head);
  content.set(body, head.byteLength);
  const signatures = await Promise.all(
    keys.map(async (key) =>
      "v1," + toBase64(new Uint8Array(await crypto.subtle.sign("HMAC", key, content)))
    ),
  );
  return {
    "webhook-id": id,
    "webhook-timestamp": String(timestampSeconds),
    "webhook-signature": signatures.join(" "),
  };
}
