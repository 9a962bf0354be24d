import type postgres from "postgres";
import { z } from "zod";

/** What a handler may use. Nothing of it is global, so a test calls a handler with its own. */
export interface TaskContext {
  /** Connected as `gatehouse_worker`. */
  sql: postgres.Sql;
  now: () => Date;
  /** Unique to this run of this job: who holds a lease. */
  holder: string;
  /** Aborted when the process was asked to stop: end the step at hand, then return. */
  stopping: AbortSignal;
}

/** A handler as the queue calls it. `raw` is the payload as it stands in the queue. */
export type Task = (raw: unknown, context: TaskContext) => Promise<void>;

/**
 * A handler with a strict payload: ids only, every other key is refused.
 *
 * The envelope (`_otel` from `private.enqueue`, `_cron` from the queue's cron) is taken off first. A handler that
 * throws is run again by the queue (25 attempts, e^attempt seconds apart), so it must do no harm when it runs twice.
 */
export function task<Payload>(
  schema: z.ZodType<Payload>,
  run: (payload: Payload, context: TaskContext) => Promise<void>,
): Task {
  return async (raw, context) => {
    const { _otel, _cron, ...payload } = z.looseObject({}).parse(raw ?? {});
    await run(schema.parse(payload), context);
  };
}

/** The payload of a job that needs to be told nothing. */
export const Nothing = z.strictObject({});

/** The caller's span, as `private.enqueue` notes it beside the payload. */
export function parentOf(raw: unknown): string | undefined {
  const envelope = z.looseObject({ _otel: z.looseObject({ traceparent: z.string() }) }).safeParse(
    raw,
  );
  return envelope.success ? envelope.data._otel.traceparent : undefined;
}

/** Runs batches until one is not full, or until asked to stop. `run` returns how many it did. */
export async function drain(
  limit: number,
  stopping: AbortSignal,
  run: (limit: number) => Promise<number>,
): Promise<void> {
  while (await run(limit) >= limit && !stopping.aborted);
}
