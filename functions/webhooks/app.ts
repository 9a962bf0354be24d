/**
 * What needs a webhook secret's plaintext once. Everything else about endpoints is the table `webhook_endpoints` at PostgREST.
 * Next: sql/50_webhooks/50_secrets.sql (who may, and the rows), _shared/signing.ts (the secret), test_event.ts.
 */
import { z } from "zod";
import { newApp } from "../_shared/app.ts";
import { authenticate, type Caller } from "../_shared/auth.ts";
import { body } from "../_shared/body.ts";
import { asCaller } from "../_shared/db.ts";
import { door, OutboundError } from "../_shared/outbound.ts";
import { Problem } from "../_shared/problem.ts";
import { seal } from "../_shared/secrets.ts";
import { newWebhookSecret, webhookSecretPlace } from "../_shared/signing.ts";
import { sendTestEvent } from "./test_event.ts";

export const app = newApp("webhooks");
app.use("/endpoints/*", authenticate);
app.use("/endpoints", authenticate);

const EventType = z.string().max(100).regex(
  /^[a-z][a-z0-9_]*(\.[a-z0-9_]+)*(\.\*)?$/,
  "Expected a type such as tenant.created, or a prefix such as tenant.*",
);
const NewEndpoint = z.strictObject({
  tenantId: z.uuid(),
  url: z.string().min(1).max(2000),
  description: z.string().max(500).optional(),
  /** Absent: every type. */
  eventTypes: z.array(EventType).min(1).max(100).optional(),
  /** Events recorded from then on are sent too. Default: from now on. */
  since: z.iso.datetime({ offset: true }).optional(),
});
const Rotation = z.strictObject({
  tenantId: z.uuid(),
  /** How long the old secret signs beside the new one. Default a day, a week at most. */
  overlapSeconds: z.int().min(0).max(604_800).default(86_400),
});
const OfTenant = z.strictObject({ tenantId: z.uuid() });

/**
 * 201 `{ id, secret, url, description, eventTypes, since, enabled, createdAt }`, the secret shown this once ·
 * 403 `not_allowed` · 422 `invalid_request`, `url_refused`, `address_refused`, `event_type_unknown`, `since_too_old`
 */
app.post("/endpoints", async (c) => {
  const wanted = await body(c, NewEndpoint);
  await refuseUnlessCallable(wanted.url);
  const secret = newWebhookSecret();
  const endpoint = await asCaller(c.var.caller, async (sql) => {
    const [made] = await sql<[{ id: string }]>`select private.new_id() as id`;
    const { keyId, ciphertext } = await seal(secret, webhookSecretPlace(wanted.tenantId, made.id));
    const [created] = await sql<[{ endpoint: { id: string } }]>`
      select private.create_webhook_endpoint(${wanted.tenantId}, ${made.id}, ${wanted.url},
        ${wanted.description ?? null}, ${wanted.eventTypes ?? null}::text[],
        ${wanted.since ?? null}::timestamptz, ${keyId}, ${ciphertext}) as endpoint`;
    return created.endpoint;
  }, { path: c.req.path });
  return c.json({ ...endpoint, secret }, 201);
});

/** 200 `{ secret }`, shown this once; the old one signs on for the overlap · 403 `not_allowed` · 404 `endpoint_not_found` */
app.post("/endpoints/:id/rotate", async (c) => {
  const { tenantId, overlapSeconds } = await body(c, Rotation);
  const id = endpointId(c.req.param("id"));
  const secret = newWebhookSecret();
  const { keyId, ciphertext } = await seal(secret, webhookSecretPlace(tenantId, id));
  await asCaller(c.var.caller, async (sql) => {
    await sql`select private.rotate_webhook_secret(${tenantId}, ${id}, ${keyId}, ${ciphertext}, ${overlapSeconds})`;
  }, { path: c.req.path });
  return c.json({ secret });
});

/**
 * 200 `{ delivered, status, durationMs, errorClass, responseBody }`: what the receiver did is the answer, not an error of ours ·
 * 403 `not_allowed` · 404 `endpoint_not_found`
 */
app.post("/endpoints/:id/test", async (c) => {
  const { tenantId } = await body(c, OfTenant);
  const id = endpointId(c.req.param("id"));
  const endpoint = await openEndpoint(c.var.caller, tenantId, id, c.req.path);
  return c.json(await sendTestEvent(tenantId, id, endpoint));
});

export interface OpenEndpoint {
  url: string;
  secrets: { id: string; keyId: string; ciphertext: string }[];
}

async function openEndpoint(
  caller: Caller,
  tenantId: string,
  id: string,
  path: string,
): Promise<OpenEndpoint> {
  return await asCaller(caller, async (sql) => {
    const [row] = await sql<[{ endpoint: OpenEndpoint }]>`
      select private.open_webhook_endpoint(${tenantId}, ${id}) as endpoint`;
    return row.endpoint;
  }, { path });
}

function endpointId(text: string): string {
  if (z.uuid().safeParse(text).success) return text.toLowerCase();
  throw new Problem("endpoint_not_found", `There is no endpoint "${text}"`);
}

/** The door's rules that need no look-up; what the name resolves to is judged at each sending. */
async function refuseUnlessCallable(url: string): Promise<void> {
  try {
    (await door()).checkUrl(url);
  } catch (error) {
    if (!(error instanceof OutboundError)) throw error;
    throw new Problem(error.errorClass, error.message, {
      pointers: [{ pointer: "#/url", detail: error.message }],
      cause: error,
    });
  }
}
