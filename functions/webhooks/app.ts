/**
 * What needs a webhook secret's plaintext once, the headers' values or the door's word on an address, and an endpoint's end. Everything else about
 * endpoints is the table `webhook_endpoints` at PostgREST. Next: sql/50_webhooks/50_secrets.sql to 54_tests.sql (who may, and the rows),
 * _shared/webhook_secrets.ts (how they are sealed), test_event.ts.
 */
import type { ISql } from "postgres";
import { z } from "zod";
import { newApp } from "../_shared/app.ts";
import { authenticate } from "../_shared/auth.ts";
import { body, check } from "../_shared/body.ts";
import { asCaller } from "../_shared/db.ts";
import { door, OutboundError } from "../_shared/outbound.ts";
import { Problem } from "../_shared/problem.ts";
import { newSecrets, type SealedSecret, sealHeaders } from "../_shared/webhook_secrets.ts";
import type { SignatureScheme } from "../_shared/signing.ts";
import { Headers } from "./headers.ts";
import { sendTestEvent, type TestEvent } from "./test_event.ts";

export const app = newApp("webhooks");
app.use("/endpoints/*", authenticate);
app.use("/endpoints", authenticate);

const EventType = z.string().max(100).regex(
  /^[a-z][a-z0-9_]*(\.[a-z0-9_]+)*(\.\*)?$/,
  "Expected a type such as tenant.created, or a prefix such as tenant.*",
);
const Scheme = z.enum(["v1", "v1a", "both"]);
const Url = z.string().min(1).max(2000);
const NewEndpoint = z.strictObject({
  tenantId: z.uuid(),
  url: Url,
  description: z.string().max(500).optional(),
  /** Absent: every type. */
  eventTypes: z.array(EventType).min(1).max(100).optional(),
  /** Events recorded from then on are sent too. Default: from now on. */
  since: z.iso.datetime({ offset: true }).optional(),
  /** `v1` HMAC-SHA256, `v1a` Ed25519, `both` in one header. */
  signatureScheme: Scheme.default("v1"),
  /** Seconds to wait after each failed attempt. Default: 10 attempts over 75 h. */
  retrySchedule: z.array(z.int().min(1).max(86_400)).max(20).optional(),
  /** `strict`: of one thing's events none is sent before the earlier one is settled. */
  ordering: z.enum(["parallel", "strict"]).default("parallel"),
  /** Absent: as many as the receiver takes. */
  ratePerSecond: z.int().min(1).max(1_000).optional(),
  /** A jsonpath on the event's data. */
  payloadFilter: z.string().min(1).max(300).optional(),
  headers: Headers.default({}),
});
const NewAddress = z.strictObject({
  tenantId: z.uuid(),
  url: Url,
  /** Absent: those there are, as long as scheme, host and port stay the same; else none. */
  headers: Headers.optional(),
});
const Rotation = z.strictObject({
  tenantId: z.uuid(),
  /** Default: the endpoint's own. Another one takes over like a new secret: the old signatures stay beside it for the overlap. */
  signatureScheme: Scheme.optional(),
  /** How long the old secret signs beside the new one. Default a day, a week at most. */
  overlapSeconds: z.int().min(0).max(604_800).default(86_400),
});
const NewHeaders = z.strictObject({ tenantId: z.uuid(), headers: Headers });
const Test = z.strictObject({
  tenantId: z.uuid(),
  /** Of the catalogue, no prefix. */
  eventType: z.string().min(1).max(100).default("webhook_endpoint.test"),
});
const OfTenant = z.strictObject({ tenantId: z.uuid() });

/**
 * 201 the endpoint, with `secret` (`whsec_…`, shown this once) and `publicKey` (`whpk_…`), each where its scheme has one ·
 * 403 `not_allowed` · 422 `invalid_request`, `url_refused`, `address_refused`, `event_type_unknown`, `since_too_old`,
 * `payload_filter_refused`
 */
app.post("/endpoints", async (c) => {
  const { tenantId, headers, ...wanted } = await body(c, NewEndpoint);
  await refuseUnlessCallable(wanted.url);
  const made = await asCaller(c.var.caller, async (sql) => {
    const [{ id }] = await sql<[{ id: string }]>`select private.new_id() as id`;
    const { sealed, ...keys } = await newSecrets(wanted.signatureScheme, tenantId, id);
    const columns = {
      url: wanted.url,
      description: wanted.description ?? null,
      event_types: wanted.eventTypes ?? null,
      since_at: wanted.since ?? null,
      signature_scheme: wanted.signatureScheme,
      public_key: keys.publicKey ?? null,
      retry_schedule: wanted.retrySchedule ?? null,
      ordering: wanted.ordering,
      rate_per_second: wanted.ratePerSecond ?? null,
      payload_filter: wanted.payloadFilter ?? null,
    };
    const [{ endpoint }] = await sql<[{ endpoint: Record<string, unknown> }]>`
      select private.create_webhook_endpoint(${tenantId}, ${id}, ${sql.json(columns)},
        ${sql.json(rows(sealed))}) as endpoint`;
    if (Object.keys(headers).length > 0) await putHeaders(sql, tenantId, id, headers);
    return { ...endpoint, headerNames: Object.keys(headers), ...keys };
  }, { path: c.req.path });
  return c.json(made, 201);
});

/**
 * 200 the endpoint; what is being sent meanwhile may still go to the old address. Headers do not follow to another scheme, host or port unless they are
 * given anew: `headerNames` says which there are · 403 `not_allowed` · 404 `endpoint_not_found` · 422 `invalid_request`, `url_refused`, `address_refused`
 */
app.patch("/endpoints/:id", async (c) => {
  const { tenantId, url, headers } = await body(c, NewAddress);
  const id = endpointId(c.req.param("id"));
  await refuseUnlessCallable(url);
  const moved = await asCaller(c.var.caller, async (sql) => {
    const [{ endpoint }] = await sql<[{ endpoint: Record<string, unknown> }]>`
      select private.move_webhook_endpoint(${tenantId}, ${id}, ${url}, ${
      headers !== undefined
    }) as endpoint`;
    if (headers === undefined) return endpoint;
    await putHeaders(sql, tenantId, id, headers);
    return { ...endpoint, headerNames: Object.keys(headers) };
  }, { path: c.req.path });
  return c.json(moved);
});

/**
 * 204, also when it was removed before: disabled for good, what waits is cancelled, secrets and headers are erased; its deliveries stay to be read ·
 * 403 `not_allowed` · 404 `endpoint_not_found` · 422 `invalid_request`
 */
app.delete("/endpoints/:id", async (c) => {
  const { tenantId } = check(c.req.query(), OfTenant);
  const id = endpointId(c.req.param("id"));
  await asCaller(c.var.caller, async (sql) => {
    await sql`select private.remove_webhook_endpoint(${tenantId}, ${id})`;
  }, { path: c.req.path });
  return c.body(null, 204);
});

/**
 * 200 `{ signatureScheme, secret, publicKey }`, the secret shown this once; the old ones sign on for the overlap ·
 * 403 `not_allowed` · 404 `endpoint_not_found`
 */
app.post("/endpoints/:id/rotate", async (c) => {
  const { tenantId, overlapSeconds, signatureScheme } = await body(c, Rotation);
  const id = endpointId(c.req.param("id"));
  const rotated = await asCaller(c.var.caller, async (sql) => {
    const [{ scheme }] = await sql<[{ scheme: SignatureScheme }]>`
      select coalesce(${signatureScheme ?? null},
        private.open_webhook_endpoint(${tenantId}, ${id}) ->> 'signatureScheme') as scheme`;
    const { sealed, ...keys } = await newSecrets(scheme, tenantId, id);
    await sql`
      select private.rotate_webhook_secret(${tenantId}, ${id}, ${scheme}, ${
      keys.publicKey ?? null
    }, ${sql.json(rows(sealed))}, ${overlapSeconds})`;
    return { signatureScheme: scheme, ...keys };
  }, { path: c.req.path });
  return c.json(rotated);
});

/**
 * 200 `{ headerNames }`: these and no others are added to each request from now on; their values are shown to nobody ·
 * 403 `not_allowed` · 404 `endpoint_not_found` · 422 `invalid_request`
 */
app.put("/endpoints/:id/headers", async (c) => {
  const { tenantId, headers } = await body(c, NewHeaders);
  const id = endpointId(c.req.param("id"));
  await asCaller(c.var.caller, async (sql) => {
    await putHeaders(sql, tenantId, id, headers);
  }, { path: c.req.path });
  return c.json({ headerNames: Object.keys(headers) });
});

async function putHeaders(
  sql: ISql,
  tenantId: string,
  id: string,
  headers: Record<string, string>,
): Promise<void> {
  const { keyId, ciphertext } = await sealHeaders(headers, tenantId, id);
  await sql`
    select private.put_webhook_headers(${tenantId}, ${id}, ${Object.keys(headers)}::text[],
      ${keyId}, decode(${ciphertext}, 'base64'))`;
}

/** postgres.js wants a type without interfaces. */
const rows = (sealed: SealedSecret[]) => sealed.map((one) => ({ ...one }));

/**
 * 200 `{ delivered, status, durationMs, errorClass, responseBody }`: what the receiver did is the answer, not an error of ours. Sends the catalogue's
 * example of `eventType`, `webhook_endpoint.test` unless told otherwise · 403 `not_allowed` · 404 `endpoint_not_found` · 422 `event_type_unknown` ·
 * 429 `webhook_tests_too_many` with retry-after, beyond ten in a minute
 */
app.post("/endpoints/:id/test", async (c) => {
  const { tenantId, eventType } = await body(c, Test);
  const id = endpointId(c.req.param("id"));
  const options = { path: c.req.path };
  const test = await asCaller(c.var.caller, async (sql) => {
    const [{ begun }] = await sql<[{ begun: TestEvent | { waitSeconds: number } }]>`
      select private.begin_webhook_test(${tenantId}, ${id}, ${eventType}) as begun`;
    return begun;
  }, options);
  if ("waitSeconds" in test) throw tooManyTests(test.waitSeconds);
  const result = await sendTestEvent(tenantId, id, test);
  await asCaller(c.var.caller, async (sql) => {
    await sql`
      select private.record_webhook_test(
        ${tenantId}, ${id}, ${result.status}, ${result.errorClass})`;
  }, options);
  return c.json(result);
});

const tooManyTests = (seconds: number) =>
  new Problem(
    "webhook_tests_too_many",
    `An endpoint is tested ten times a minute at most; the next test is taken in ${seconds} s`,
    { headers: { "retry-after": String(seconds) } },
  );

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
