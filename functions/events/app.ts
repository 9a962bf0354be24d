/**
 * Events of customers' own: a type `custom.…` is registered with its schema in `custom_event_types` (PostgREST), its events are recorded here.
 * Next: validate.ts (data by the schema), sql/30_audit/36_custom_event_types.sql (who may, Idempotency-Key, the event).
 */
import { z } from "zod";
import { newApp } from "../_shared/app.ts";
import { authenticate } from "../_shared/auth.ts";
import { body } from "../_shared/body.ts";
import { asCaller } from "../_shared/db.ts";
import { Problem } from "../_shared/problem.ts";
import { type Json, requireStorable, requireValid } from "./validate.ts";

export const app = newApp("events");

const maxBytes = 24 * 1024;

/** What a log's reader is to be shown beside ids. Kept beside the event, and erased with the person. */
const name = z.string().min(1).max(200).optional();

const metadata = z.record(
  z.string().min(1).max(40),
  z.union([z.string().max(500), z.number(), z.boolean()]),
).refine((given) => Object.keys(given).length <= 20, "Expected 20 members at most");

const NewEvent = z.strictObject({
  tenantId: z.uuid(),
  type: z.string().max(100).regex(
    /^custom(\.[a-z][a-z0-9_]*)+$/,
    "Expected a type of one's own, such as custom.order.placed",
  ),
  /**
   * Who did it: a person or a service of the tenant by our id or the `sub` of its tokens, or one that only the application
   * knows. Default: the caller, who stays on record as `context.recorded_by`.
   */
  actor: z.strictObject({
    kind: z.enum(["user", "service"]),
    id: z.string().min(1).max(200),
    name,
  }).optional(),
  /** From where the actor did it. Of the request to us, when neither this nor an actor is given. */
  context: z.strictObject({
    address: z.union([z.ipv4(), z.ipv6()]).optional(),
    userAgent: z.string().min(1).max(300).optional(),
  }).optional(),
  /** What it is about, the thing itself first. */
  targets: z.array(z.strictObject({
    kind: z.string().max(50).regex(/^[a-z][a-z0-9_]*$/),
    id: z.string().min(1).max(200),
    name,
    metadata: metadata.optional(),
  })).max(20).default([]),
  data: z.record(z.string(), z.unknown()).default({}),
  /** Default: now. */
  occurredAt: z.iso.datetime({ offset: true }).optional(),
});

/** What was checked, as JSON. */
interface Said {
  actor?: { [name: string]: Json };
  context?: { address?: string; userAgent?: string };
  targets: Json[];
}

interface Answer {
  id: string;
  type: string;
  version: number;
  recordedAt: string;
}

type Begun = { answer: Answer } | { answer?: undefined; version: number; schema: Json } | null;

/**
 * 201 `{ id, type, version, recordedAt }`. With an `Idempotency-Key` the same request is recorded once: the same answer again, with
 * `idempotency-replayed: true`; kept for a day · 403 `not_allowed` · 409 `idempotency_key_reused` ·
 * 422 `invalid_request`, `event_type_unknown`, `event_data_refused`, `event_actor_refused`, `occurred_at_refused`
 */
app.post("/", authenticate, async (c) => {
  const key = idempotencyKey(c.req.header("idempotency-key"));
  const event = await body(c, NewEvent, { maxBytes });
  const data = event.data as Record<string, Json>;
  const { actor = null, context, targets } = event as typeof event & Said;
  requireStorable({ actor, context: context ?? null, targets, data });
  const answer = await asCaller(c.var.caller, async (sql) => {
    const request = sql.json(event as unknown as Json);
    const [{ begun }] = await sql<[{ begun: Begun }]>`
      select private.begin_custom_event(${event.tenantId}, ${event.type}, ${key}, ${request}) as begun`;
    if (begun === null) {
      throw new Problem(
        "event_type_unknown",
        `Tenant ${event.tenantId} has no event type "${event.type}": register it first`,
      );
    }
    if (begun.answer !== undefined) return { ...begun.answer, replayed: true };
    requireValid(data, begun.schema);
    const [{ recorded }] = await sql<[{ recorded: Answer & { replayed?: boolean } }]>`
      select private.record_custom_event(${event.tenantId}, ${event.type}, ${begun.version},
        ${sql.json(targets)}, ${sql.json(data)}, ${event.occurredAt ?? null}, ${key},
        ${request}, ${actor && sql.json(actor)}, ${
      context
        ? sql.json({
          address: context.address ?? null,
          user_agent: context.userAgent ?? null,
        })
        : null
    }) as recorded`;
    return recorded;
  }, { path: c.req.path });
  const { replayed, ...shown } = answer;
  if (replayed) c.header("idempotency-replayed", "true");
  return c.json(shown, 201);
});

function idempotencyKey(given: string | undefined): string | null {
  if (given === undefined) return null;
  if (/^[\x21-\x7e]{1,255}$/.test(given)) return given;
  throw new Problem(
    "invalid_request",
    "An Idempotency-Key has 1 to 255 visible characters of ASCII",
  );
}
