/**
 * Standard Webhooks 1.0.0: a signature over `id.timestamp.body` (the exact bytes sent), all of them in one header joined by spaces.
 * `v1` is HMAC-SHA256 with a shared secret, `v1a` Ed25519 with a key pair. https://github.com/standard-webhooks/standard-webhooks
 * Next: signing_keys.ts (how the keys are made and written), signing_verify.ts (what a receiver does).
 */
import { createHmac, type KeyObject, sign } from "node:crypto";
import type { Place } from "./secrets.ts";

/** What an endpoint's header carries: one kind of signature, or both kinds. */
export type SignatureScheme = "v1" | "v1a" | "both";

/** Where the ciphertext of an endpoint's secrets belongs (secrets.ts); old and new of one endpoint share it. */
export function webhookSecretPlace(tenantId: string, endpointId: string): Place {
  return { table: "webhook_secrets", tenantId, id: endpointId };
}

export interface WebhookMessage {
  /** The same for every attempt: receivers drop repeats by it. */
  id: string;
  /** Unix seconds of this attempt. */
  timestampSeconds: number;
  body: string | Uint8Array<ArrayBuffer>;
}

/** The three headers of one attempt, signed with every key: two while a secret rotates, of both kinds for both schemes. @throws {TypeError} */
export function signWebhook(message: WebhookMessage, keys: KeyObject[]): Record<string, string> {
  const { id, timestampSeconds } = message;
  if (keys.length === 0) throw new TypeError("A webhook is signed with at least one key");
  // A dot would let one message's id and body be read as another's.
  if (!/^[\w-]{1,200}$/.test(id)) throw new TypeError(`"${id}" cannot be a webhook's id`);
  if (!Number.isSafeInteger(timestampSeconds) || timestampSeconds < 0) {
    throw new TypeError("A webhook's timestamp is whole Unix seconds");
  }
  const signatures = keys.map((key) =>
    key.type === "secret" // else of Ed25519: signing_keys.ts imports no other
      ? `v1,${hmac(key, message)}`
      : `v1a,${sign(null, signedContent(message), key).toString("base64")}`
  );
  return {
    "webhook-id": id,
    "webhook-timestamp": String(timestampSeconds),
    "webhook-signature": signatures.join(" "),
  };
}

const hmac = (key: KeyObject, { id, timestampSeconds, body }: WebhookMessage) =>
  createHmac("sha256", key).update(`${id}.${timestampSeconds}.`).update(body).digest("base64");

/** The bytes that are signed. */
export function signedContent(
  { id, timestampSeconds, body }: WebhookMessage,
): Uint8Array<ArrayBuffer> {
  const encoder = new TextEncoder();
  const head = encoder.encode(`${id}.${timestampSeconds}.`);
  const bytes = typeof body === "string" ? encoder.encode(body) : body;
  const content = new Uint8Array(head.byteLength + bytes.byteLength);
  content.set(head);
  content.set(bytes, head.byteLength);
  return content;
}
