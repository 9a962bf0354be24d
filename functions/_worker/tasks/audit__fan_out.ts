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
import { type Batch, SinkError } from "../../_shared/sinks/sink.ts";
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
      const { batch, toSeq } = cut(claim, sink);
      try {
        if (batch.events.length + batch.checkpoints.length > 0) await deliver(claim, batch, now);
      } catch (error) {
        const { events } = batch;
        if (isTooLarge(error) && events.length > 1) {
          limit = Math.floor(events.length / 2);
          continue;
        }
        return await settleFailure(sql, sink, error);
      }
      await settle(sql, sink, claim, toSeq, batch);
    }
  } catch (error) {
    log("error", "a sink's batch was not settled, it is sent again", { sink: sink.id, error });
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
  const [row] = await sql<[{ claim: Claim | null }]>`
    select private.claim_sink_events(${tenantId}, ${id}, ${limit}) as claim`;
  return row.claim;
}

/** No more than fits; checkpoints go with what is last. */
function cut({ events, checkpoints, toSeq }: Claim, { tenantId, id }: SinkId) {
  let bytes = 0;
  const over = events.findIndex(({ text }, index) => {
    bytes += text.length;
    return bytes > batchBytes && index > 0;
  });
  const whole = over < 0;
  const fitting = whole ? events : events.slice(0, over);
  const batch = {
    sinkId: id,
    tenantId,
    events: fitting,
    checkpoints: whole ? checkpoints : [],
  };
  return { batch, toSeq: whole ? toSeq : fitting.at(-1)!.seq };
}

const isTooLarge = (error: unknown) =>
  error instanceof SinkError && error.slug === "batch_too_large";

async function settle(
  sql: Sql,
  { tenantId, id }: SinkId,
  { fromSeq }: Claim,
  toSeq: number,
  { checkpoints }: Batch,
): Promise<void> {
  const taken = checkpoints as unknown as JSONValue;
  await sql`
    select private.settle_sink_events(${tenantId}, ${id}, ${fromSeq}, ${toSeq}, ${
    sql.json(taken)
  })`;
}

async function settleFailure(sql: Sql, { tenantId, id }: SinkId, error: unknown): Promise<void> {
  const slug = error instanceof SinkError
    ? error.slug
    : error instanceof OutboundError
    ? error.errorClass
    : "internal";
  if (slug === "internal") log("error", "a sink failed", { tenant: tenantId, sink: id, error });
  const detail = slug === "internal" ? "A fault of ours; the log has it" : (error as Error).message;
  const retryAfter = error instanceof SinkError ? error.retryAfterSeconds : undefined;
  await sql`
    select private.settle_sink_failure(${tenantId}, ${id}, ${sql.json({ slug, detail })}, ${
    retryAfter ?? 0
  })`;
}
