// An endpoint's keys and headers as they lie sealed in the database, and back. Who makes them: webhooks/app.ts; who uses them: the pump and the test event.
import type { KeyObject } from "node:crypto";
import { openText, type Place, readSealed, seal, type SealedText, toBase64 } from "./secrets.ts";
import { importWebhookKey, newWebhookKeyPair, newWebhookSecret } from "./signing_keys.ts";
import { type SignatureScheme, webhookSecretPlace } from "./signing.ts";

export type { SealedText } from "./secrets.ts";

/** As `private.create_webhook_endpoint` and `rotate_webhook_secret` take it. */
export interface SealedSecret extends SealedText {
  scheme: "v1" | "v1a";
}

export interface NewSecrets {
  sealed: SealedSecret[];
  /** `whsec_…`, shown this once. Absent for `v1a`. */
  secret?: string;
  /** `whpk_…`. Absent for `v1`. */
  publicKey?: string;
}

/** What an endpoint of this scheme signs with, new. */
export async function newSecrets(
  scheme: SignatureScheme,
  tenantId: string,
  endpointId: string,
): Promise<NewSecrets> {
  const place = webhookSecretPlace(tenantId, endpointId);
  const made: NewSecrets = { sealed: [] };
  if (scheme !== "v1a") {
    made.secret = newWebhookSecret();
    made.sealed.push({ scheme: "v1", ...await sealed(made.secret, place) });
  }
  if (scheme !== "v1") {
    const { privateKey, publicKey } = await newWebhookKeyPair();
    made.publicKey = publicKey;
    made.sealed.push({ scheme: "v1a", ...await sealed(privateKey, place) });
  }
  return made;
}

/** Ready to sign, in the order given. @throws {SecretError} */
export async function openSecrets(
  secrets: SealedText[],
  tenantId: string,
  endpointId: string,
): Promise<KeyObject[]> {
  const place = webhookSecretPlace(tenantId, endpointId);
  return await Promise.all(
    secrets.map(async (one) => importWebhookKey(await opened(one, place))),
  );
}

export async function sealHeaders(
  headers: Record<string, string>,
  tenantId: string,
  endpointId: string,
): Promise<SealedText> {
  return await sealed(JSON.stringify(headers), headersPlace(tenantId, endpointId));
}

/** @throws {SecretError} */
export async function openHeaders(
  headers: SealedText | null,
  tenantId: string,
  endpointId: string,
): Promise<Record<string, string>> {
  if (headers === null) return {};
  return JSON.parse(await opened(headers, headersPlace(tenantId, endpointId)));
}

const headersPlace = (tenantId: string, id: string): Place => ({
  table: "webhook_headers",
  tenantId,
  id,
});

async function sealed(text: string, place: Place): Promise<SealedText> {
  const { keyId, ciphertext } = await seal(text, place);
  return { keyId, ciphertext: toBase64(ciphertext) };
}

async function opened(sealed: SealedText, place: Place): Promise<string> {
  return await openText(readSealed(sealed), place);
}
