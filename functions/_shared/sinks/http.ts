/**
 * A sink of kind http: one POST a batch, signed as Standard Webhooks, through the door.
 *
 * The body is `{type: "audit.batch", timestamp, data: {sink_id, tenant_id, events, checkpoints}}`. `webhook-id` is the same
 * when the same batch is sent again and no other batch has it; each event has its own `id`, which stays even where batches
 * are cut otherwise.
 */
import { createHash } from "node:crypto";
import { z } from "zod";
import type { OutboundRequest, OutboundResponse } from "../outbound.ts";
import { signWebhook } from "../signing.ts";
import { importWebhookKey } from "../signing_keys.ts";
import { type Batch, checkpointText, SinkError } from "./sink.ts";

export const HttpSettings = z.strictObject({ url: z.string().min(1).max(2000) });

/** What lies sealed in private.audit_sink_secrets. */
export const HttpSecret = z.strictObject({
  signingSecret: z.string(),
  /** Former secrets, which sign beside it until then. */
  previous: z.array(z.strictObject({ signingSecret: z.string(), until: z.iso.datetime() }))
    .default([]),
  /** Sent with each request, such as a receiver's own `authorization`. */
  headers: z.record(z.string(), z.string()),
});

export type HttpSecret = z.output<typeof HttpSecret>;

export interface HttpSink {
  settings: z.output<typeof HttpSettings>;
  secret: HttpSecret;
}

export async function sendHttp(
  { settings: { url }, secret }: HttpSink,
  batch: Batch,
  { send, now }: {
    send: (request: OutboundRequest) => Promise<OutboundResponse>;
    now: () => Date;
  },
): Promise<void> {
  const at = now();
  const body = batchBody(batch, at);
  const signed = signWebhook(
    { id: batchId(batch), timestampSeconds: Math.floor(at.getTime() / 1000), body },
    signingSecrets(secret, at).map(importWebhookKey),
  );
  const { status, headers } = await send({
    url,
    body,
    headers: {
      ...secret.headers,
      "content-type": "application/json",
      "user-agent": "Gatehouse-Audit/1",
      ...signed,
    },
    maxBytes: 1024,
  });
  if (status >= 200 && status < 300) return;
  if (status === 413) throw new SinkError("batch_too_large", "The receiver answered 413");
  throw new SinkError("receiver_refused", `The receiver answered ${status}`, {
    retryAfterSeconds: retryAfter(headers["retry-after"], at),
  });
}

/** The newest first. */
export function signingSecrets({ signingSecret, previous }: HttpSecret, at: Date): string[] {
  const valid = previous.filter(({ until }) => Date.parse(until) > at.getTime());
  return [signingSecret, ...valid.map((one) => one.signingSecret)];
}

/** What is to be sealed next: the secret that signs now, and those that still do, sign on for the overlap at most. */
export function rotateSecret(
  secret: HttpSecret,
  { signingSecret, overlapSeconds, now }: {
    signingSecret: string;
    overlapSeconds: number;
    now: Date;
  },
): HttpSecret {
  const end = new Date(now.getTime() + overlapSeconds * 1000).toISOString();
  const previous = [{ signingSecret: secret.signingSecret, until: end }, ...secret.previous]
    .map((one) => one.until < end ? one : { ...one, until: end })
    .filter(({ until }) => Date.parse(until) > now.getTime());
  return { ...secret, signingSecret, previous };
}

/** Events as the database printed them, so by hand: nothing of them is parsed or written anew. */
function batchBody({ sinkId, tenantId, events, checkpoints }: Batch, at: Date): string {
  const head = JSON.stringify({ type: "audit.batch", timestamp: at.toISOString() }).slice(0, -1);
  return `${head},"data":{"sink_id":"${sinkId}","tenant_id":"${tenantId}",` +
    `"events":[${events.map(({ text }) => text).join(",")}],` +
    `"checkpoints":[${checkpoints.map(checkpointText).join(",")}]}}`;
}

/**
 * `<sink>-<first seq>-<last seq>-<hash>`: receivers drop a batch whose id they know, so what differs has another one. The
 * hash is over the ids of the events (after a restore a seq may come again) and the notes (a forked tree may repeat a size).
 */
export function batchId({ sinkId, events, checkpoints }: Batch): string {
  const notes = checkpoints.map(({ tenantId, size, note }) => [tenantId, size, note].join(" "));
  const content = JSON.stringify([events.map(({ id }) => id), notes.sort()]);
  const hash = createHash("sha256").update(content).digest("hex").slice(0, 32);
  return `${sinkId}-${events[0]?.seq ?? 0}-${events.at(-1)?.seq ?? 0}-${hash}`;
}

function retryAfter(text: string | undefined, now: Date): number | undefined {
  if (text === undefined) return undefined;
  const seconds = /^\d+$/.test(text.trim())
    ? Number(text)
    : Math.ceil((Date.parse(text) - now.getTime()) / 1000);
  return Number.isNaN(seconds) ? undefined : Math.min(Math.max(seconds, 0), 86_400);
}
