// What every kind of sink takes and throws. Next: http.ts, syslog.ts, file.ts; functions/_worker/tasks/audit__fan_out.ts calls them.

/** As `private.claim_sink_events` gives it. */
export interface SinkEvent {
  /** Its place in the log: whole numbers, rising, with gaps where a sink is one tenant's. */
  seq: number;
  /** The same whenever it is sent: receivers drop repeats by it. */
  id: string;
  tenantId: string;
  type: string;
  occurredAt: string;
  actor: { kind: string; id?: string | null };
  targets: { kind: string; id?: string | null }[];
  /** The whole event as JSON, exactly as the database prints it: numbers are never parsed on the way. */
  text: string;
}

/** A signed note that says how long a tenant's log was and what it held. */
export interface Checkpoint {
  tenantId: string;
  size: number;
  note: string;
  createdAt: string;
}

/** In the order of the log. Not empty. */
export interface Batch {
  sinkId: string;
  tenantId: string;
  events: SinkEvent[];
  checkpoints: Checkpoint[];
}

/** Why a sink took nothing; kept in audit_sinks.last_error. An OutboundError's class stands beside these. */
export type SinkErrorSlug =
  | "receiver_refused" // the receiver answered, and not with 2xx
  | "batch_too_large" // the receiver takes less than one event at a time
  | "claim_failed" // the next batch could not be read from the log
  | "not_confirmed" // a syslog receiver did not close its side after the last message
  | "file_failed" // the directory cannot be written to
  | "secret_unusable"; // the secret does not open with the keys of this process

export class SinkError extends Error {
  override readonly name = "SinkError";
  readonly slug: SinkErrorSlug;
  readonly retryAfterSeconds: number | undefined;
  constructor(
    slug: SinkErrorSlug,
    detail: string,
    options: ErrorOptions & { retryAfterSeconds?: number | undefined } = {},
  ) {
    super(detail, options);
    this.slug = slug;
    this.retryAfterSeconds = options.retryAfterSeconds;
  }
}

/** How a checkpoint stands among events: one object, told apart by its type. */
export function checkpointText({ tenantId, size, note, createdAt }: Checkpoint): string {
  return JSON.stringify({
    type: checkpointType,
    tenant_id: tenantId,
    size,
    created_at: createdAt,
    checkpoint: note,
  });
}

export const checkpointType = "audit.checkpoint";
