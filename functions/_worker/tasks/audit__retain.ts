/**
 * Keeps the log no longer than is set: drops the months that are too old, removes personal values that are, and signs what stands for what is gone.
 *
 * Queued by cron each night. Payload `{}`. Every step is a transaction of its own, and running twice does no harm.
 * Next: sql/30_audit/70_retention.sql, functions/_shared/audit/note.ts.
 */
import { checkpointFile } from "../../_shared/audit/checkpoint_file.ts";
import { readAuditKeys } from "../../_shared/audit/keys.ts";
import { auditOrigin, signCheckpoint } from "../../_shared/audit/note.ts";
import { type Config, config, readSecretFile } from "../../_shared/config.ts";
import { log } from "../../_shared/telemetry.ts";
import { drain, Nothing, type Task, task, type TaskContext } from "../task.ts";

interface Month {
  month: string;
  outcome: "dropped" | "held" | "unsealed";
  events: number;
}

interface Tombstone {
  tenant_id: string;
  /** Text: a JavaScript Date has no microseconds. */
  recorded_until: string;
  size: string;
  root: Uint8Array;
}

/** `settings` is asked when there is something to sign. */
export function auditRetain(settings: () => Config = config): Task {
  return task(Nothing, async (_payload, { sql, now, stopping }) => {
    for (let again = true; again && !stopping.aborted;) {
      const [{ done }] = await sql<[{ done: Month | null }]>`
        select private.drop_audit_month() as done`;
      if (done) {
        const level = done.outcome === "unsealed" ? "error" : "info";
        log(level, "a month of the log is over", { ...done });
      }
      again = done?.outcome === "dropped";
    }
    await drain(1_000, stopping, async (limit) => {
      const [row] = await sql<[{ n: number }]>`select private.remove_old_values(${limit}) as n`;
      return row.n;
    });
    await signTombstones(sql, now, settings);
  });
}

async function signTombstones(
  sql: TaskContext["sql"],
  now: () => Date,
  settings: () => Config,
): Promise<void> {
  const unsigned = await sql<Tombstone[]>`
    select tenant_id, recorded_until::text, size, root from private.list_unsigned_tombstones()`;
  if (unsigned.length === 0) return;
  const config = settings();
  const text = await readSecretFile("GATEHOUSE_AUDIT_KEY_FILE", config.auditKeyFile);
  const { current, cosigners } = readAuditKeys(text);
  const keys = [...cosigners.flatMap(({ key, until }) => until > now() ? key : []), current];
  const outside = config.has("GATEHOUSE_AUDIT_CHECKPOINT_FILE")
    ? checkpointFile(config.auditCheckpointFile)
    : undefined;
  for (const { tenant_id, recorded_until, size, root } of unsigned) {
    const origin = auditOrigin(config.publicUrl, tenant_id);
    const checkpoint = { origin, size: Number(size), root: new Uint8Array(root) };
    const note = signCheckpoint(checkpoint, keys, "tombstone");
    await outside?.append(note); // before the database keeps it: after a crash in between it is there twice
    await sql`select private.store_tombstone_note(${tenant_id}, ${recorded_until}, ${note})`;
  }
}

export default auditRetain();
