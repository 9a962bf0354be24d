/**
 * What a receiver does with a webhook: one of the signatures holds under one of its keys, and the timestamp is near.
 * The standard's own libraries for JavaScript and Python know `v1` only; this one knows `v1a` too.
 */
import { fromBase64 } from "./secrets.ts";
import { signedContent } from "./signing.ts";

export interface ReceivedWebhook {
  /** Lower-case names. */
  headers: Record<string, string | undefined>;
  /** The bytes as they came, before any parsing. */
  body: string | Uint8Array<ArrayBuffer>;
}

/** The standard's libraries all allow five minutes, before and after. */
const toleranceSeconds = 300;
/** Enough for two schemes and a rotation of each, and short work for a header made to be long. */
const mostSignatures = 16;

/** @param keys of `importVerificationKey`: several while the receiver changes them. */
export async function verifyWebhook(
  { headers, body }: ReceivedWebhook,
  keys: CryptoKey[],
  now = new Date(),
): Promise<boolean> {
  const id = headers["webhook-id"];
  const timestamp = headers["webhook-timestamp"];
  const signatures = headers["webhook-signature"];
  if (!id || !signatures || !/^\d{1,12}$/.test(timestamp ?? "")) return false;
  const timestampSeconds = Number(timestamp);
  if (Math.abs(now.getTime() / 1_000 - timestampSeconds) > toleranceSeconds) return false;
  const content = signedContent({ id, timestampSeconds, body });
  for (const signature of signatures.split(" ").slice(0, mostSignatures)) {
    for (const key of keys) {
      if (await holds(signature, key, content)) return true;
    }
  }
  return false;
}

async function holds(
  signature: string,
  key: CryptoKey,
  content: Uint8Array<ArrayBuffer>,
): Promise<boolean> {
  const { name } = key.algorithm;
  const prefix = name === "HMAC" ? "v1," : "v1a,";
  if (!signature.startsWith(prefix)) return false;
  try {
    // WebCrypto compares a MAC in constant time.
    return await crypto.subtle.verify(
      name,
      key,
      fromBase64(signature.slice(prefix.length)),
      content,
    );
  } catch {
    return false; // no base64
  }
}
