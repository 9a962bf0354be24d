/**
 * Sends the log on to one sink, in order and in batches, until it has everything or its turn is over.
 *
 * Queued by `audit_sinks__find_due`, one job a sink (`job_key`). Payload `{ tenantId, id }`. The schedule is
 * `audit_sinks.next_attempt_at` and how far it is `cursor_seq`, which moves only after the sink has taken a batch: what was
 * sent by a worker that died is sent again, each event under its own id, so at least once. This always returns.
 * Next: ../../_shared/sinks (one file a kind), sql/30_audit/82_fan_out.sql (claim and settle).
 */
import type { JSONValue, Sql } from "postgres";
import { z } from "zod";
import { config } from "../../_shared/config.ts";
import { connect, OutboundError, send } from "../../_shared/outbound.ts";
import { openText } from "../../_shared/secrets.ts";
import { FileSettings, writeFile } from "../../_shared/sinks/file.ts";
import { HttpSecret, HttpSettings, sendHttp } from "../../_shared/sinks/http.ts";
import { sinkSecretPlace } from "../../_shared/sinks/secret.ts";
import { type Batch, SinkError, type SinkEvent } from "../../_shared/sinks/sink.ts";
import { sendSyslog, SyslogSettings } from "../../_shared/sinks/syslog.ts";
import { log, span, SpanKind } from "../../_shared/telemetry.ts";
import { task, type TaskContext } from "../task.ts";

const Payload = z.strictObject({ tenantId: z.uuid(), id: z.uuid() });
type SinkId = z.output<typeof Payload>;

/** What `private.claim_sink_events` gives. */
interface Claim extends Omit<Batch, "sinkId" | "tenantId"> {
  sink: { kind: "http" | "syslog" | "file"; settings: unknown };
  secret: { keyId: string; ciphertext: string } | null;
  fromSeq: number;
  /** The last of the batch, also where retention has removed it. */
  toSeq: number;
  /** Months that retention dropped before the sink had them: noted before the cursor moves. */
  drops: { recordedUntil: string; fromSeq: number; toSeq: number }[];
}

const batchSize = 500;
/** Of one request; a single event may be longer. */
const batchBytes = 1_048_576;
/** Then the sink goes behind the others that wait. */
const turnMs = 30_000;

export default task(Payload, (payload, context) => fanOut(payload, context, deliver));

export async function fanOut(
  sink: SinkId,
  { sql, now, stopping }: Pick<TaskContext, "sql" | "now" | "stopping">,
  deliver: (claim: Claim, batch: Batch, now: () => Date) => Promise<void>,
): Promise<void> {
  const turnEnds = now().getTime() + turnMs;
  let limit = batchSize;
  try {
    while (!stopping.aborted && now().getTime() < turnEnds) {
      const claim = await claimNext(sql, sink, limit);
      if (!claim) return;
      await noteDrops(sql, sink, claim);
      const batch = batchOf(claim, sink, limit);
      try {
        if (batch.events.length + batch.checkpoints.length > 0) await deliver(claim, batch, now);
      } catch (error) {
        const { events: [first], events: { length }, checkpoints } = batch;
        if (isTooLarge(error) && first && length + checkpoints.length > 1) {
          limit = Math.max(1, Math.floor(length / 2));
          continue;
        }
        return await settleFailure(sql, sink, error, isTooLarge(error) ? first : undefined);
      }
      await settle(sql, sink, claim, batch);
    }
  } catch (error) {
    // Without a rest it would come again at once, and nobody would see why.
    await settleFailure(sql, sink, error).catch((cause) => {
      log("error", "a sink's failure was not settled, it is tried again", { sink: sink.id, cause });
    });
  }
}

async function deliver(claim: Claim, batch: Batch, now: () => Date): Promise<void> {
  const { kind, settings } = claim.sink;
  const attributes = { "gatehouse.sink.kind": kind, "gatehouse.sink.id": batch.sinkId };
  await span("audit batch", attributes, async () => {
    if (kind === "http") {
      const secret = await openSecret(claim, batch);
      const http = { settings: HttpSettings.parse(settings), secret };
      await sendHttp(http, batch, { send, now });
    } else if (kind === "syslog") {
      const { hostname } = new URL(config().publicUrl);
      await sendSyslog(SyslogSettings.parse(settings), batch, { connect, hostname });
    } else {
      await writeFile(FileSettings.parse(settings), batch, config().auditDir);
    }
  }, SpanKind.PRODUCER);
}

async function openSecret({ secret }: Claim, { tenantId, sinkId }: Batch) {
  try {
    if (!secret) throw new Error("there is no secret to sign with");
    const sealed = { keyId: secret.keyId, ciphertext: Uint8Array.fromBase64(secret.ciphertext) };
    return HttpSecret.parse(
      JSON.parse(await openText(sealed, sinkSecretPlace(tenantId, sinkId))),
    );
  } catch (cause) {
    throw new SinkError("secret_unusable", "The sink's secret does not open", { cause });
  }
}

async function claimNext(sql: Sql, { tenantId, id }: SinkId, limit: number): Promise<Claim | null> {
  try {
    const [row] = await sql<[{ claim: Claim | null }]>`
      select private.claim_sink_events(${tenantId}, ${id}, ${limit}, ${batchBytes}) as claim`;
    return row.claim;
  } catch (cause) {
    log("error", "a sink's next batch cannot be read", { tenant: tenantId, sink: id, cause });
    throw new SinkError("claim_failed", "The next batch could not be read from the log", { cause });
  }
}

async function noteDrops(sql: Sql, { tenantId, id }: SinkId, { drops }: Claim): Promise<void> {
  if (drops.length === 0) return;
  await sql`select private.note_dropped_events(${tenantId}, ${id}, ${sql.json(drops)})`;
}

/** Where one event at a time is the most that is taken, checkpoints go on their own after the last. */
function batchOf({ events, checkpoints }: Claim, { tenantId, id }: SinkId, limit: number): Batch {
  const alone = limit === 1 && events.length > 0;
  return { sinkId: id, tenantId, events, checkpoints: alone ? [] : checkpoints };
}

const isTooLarge = (error: unknown) =>
  error instanceof SinkError && error.slug === "batch_too_large";

async function settle(
  sql: Sql,
  { tenantId, id }: SinkId,
  { fromSeq, toSeq }: Claim,
  { checkpoints }: Batch,
): Promise<void> {
  const taken = checkpoints as unknown as JSONValue;
  await sql`
    select private.settle_sink_events(${tenantId}, ${id}, ${fromSeq}, ${toSeq}, ${
    sql.json(taken)
  })`;
}

/** `refused`: the event that is too large by itself, so that who may can have it skipped. */
async function settleFailure(
  sql: Sql,
  { tenantId, id }: SinkId,
  error: unknown,
  refused?: SinkEvent,
): Promise<void> {
  const slug = error instanceof SinkError
    ? error.slug
    : error instanceof OutboundError
    ? error.errorClass
    : "internal";
  if (slug === "internal") log("error", "a sink failed", { tenant: tenantId, sink: id, error });
  const detail = slug === "internal" ? "A fault of ours; the log has it" : (error as Error).message;
  const retryAfter = error instanceof SinkError ? error.retryAfterSeconds : undefined;
  const why = { slug, detail, ...(refused ? { event: nameOf(refused) } : {}) };
  await sql`
    select private.settle_sink_failure(${tenantId}, ${id}, ${sql.json(why)}, ${retryAfter ?? 0})`;
}

/** What audit_sinks.last_error tells of an event. */
const nameOf = ({ seq, id, tenantId, type, text }: SinkEvent) => ({
  seq,
  id,
  tenant_id: tenantId,
  type,
  size_bytes: new TextEncoder().encode(text).byteLength,
});
