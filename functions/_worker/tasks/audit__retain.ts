/**
 * Keeps the log no longer than is set: drops the months that are too old, removes personal values that are.
 *
 * What stands for a month that goes is signed before anything is removed, and only after a look at each record of it
 * (functions/_shared/audit/removal.ts): who owns the database could ask for any removal. How long a record is kept at least
 * says GATEHOUSE_AUDIT_RETENTION_DAYS, too; without it no month goes. A tombstone that stands there unsigned is reported.
 *
 * Queued by cron each night. Payload `{}`. Every step is a transaction of its own, and running twice does no harm.
 * Next: sql/30_audit/70_retention.sql.
 */
import type { KeyObject } from "node:crypto";
import type { JSONValue } from "postgres";
import { type CheckpointFile, checkpointFile } from "../../_shared/audit/checkpoint_file.ts";
import { type AuditKeys, readAuditKeys } from "../../_shared/audit/keys.ts";
import {
  auditOrigin,
  openCheckpoint,
  type OpenedCheckpoint,
  signCheckpoint,
} from "../../_shared/audit/note.ts";
import { judgeRemoval, type RefusalReason, type Stone } from "../../_shared/audit/removal.ts";
import { type Config, config, readSecretFile } from "../../_shared/config.ts";
import { log } from "../../_shared/telemetry.ts";
import { drain, Nothing, type Task, task, type TaskContext } from "../task.ts";

/** What `private.drop_audit_month` gives. */
interface Month {
  month: string;
  outcome: "dropped" | "held" | "unsealed" | "unsigned" | "not_allowed";
  events: number;
  /** With `unsigned`: the month's end, and what is to be signed. */
  before?: string;
  stones?: Stone[];
}

type Context = Pick<TaskContext, "sql" | "now" | "stopping">;

/** While it is signed more may be sealed that belongs to it. */
const triesAMonth = 3;

const dayMs = 86_400_000;

/** `settings` is asked when the task first runs. */
export function auditRetain(settings: () => Config = config): Task {
  return task(Nothing, async (_payload, context) => {
    const { sql, stopping } = context;
    const signer = new StoneSigner(context, settings());
    while (await dropMonth(context, signer, settings()) && !stopping.aborted);
    await drain(1_000, stopping, async (limit) => {
      const [row] = await sql<[{ n: number }]>`select private.remove_old_values(${limit}) as n`;
      return row.n;
    });
    await reportUnsigned(sql);
  });
}

/** True when a month is gone and the next one may be due. */
async function dropMonth(
  { sql }: Context,
  signer: StoneSigner,
  { auditRetentionDays }: Config,
): Promise<boolean> {
  let notes: Record<string, string> | null = {};
  for (let tries = 0; tries < triesAMonth; tries++) {
    const [{ done }] = await sql<[{ done: Month | null }]>`
      select private.drop_audit_month(${auditRetentionDays ?? null}, ${
      sql.json(notes as JSONValue)
    }) as done`;
    if (!done) return false;
    const { month, outcome, events } = done;
    if (outcome === "unsigned") {
      notes = await signer.sign(done);
      if (!notes) return false;
      continue;
    }
    if (outcome === "not_allowed") {
      log("error", "a month of the log is over and GATEHOUSE_AUDIT_RETENTION_DAYS is not set", {
        slug: "audit_removal_not_allowed",
        month,
        events,
      });
    } else {
      const level = outcome === "unsealed" ? "error" : "info";
      log(level, "a month of the log is over", { month, outcome, events });
    }
    return outcome === "dropped";
  }
  return false;
}

interface Outside {
  keys: AuditKeys;
  file: CheckpointFile | undefined;
  checkpoints: Map<string, OpenedCheckpoint>;
  tombstones: Map<string, OpenedCheckpoint>;
}

/** Opens the key when there is something to sign, and keeps what it knows for the months after. */
class StoneSigner {
  #context: Context;
  #settings: Config;
  #outside: Outside | undefined;

  constructor(context: Context, settings: Config) {
    this.#context = context;
    this.#settings = settings;
  }

  /** The notes of all tombstones of a month, by tenant; null when one of them must not be signed. */
  async sign({ month, before, stones = [] }: Month): Promise<Record<string, string> | null> {
    const { sql, now } = this.#context;
    const { auditRetentionDays = Infinity, publicUrl } = this.#settings;
    const until = new Date(before ?? NaN);
    if (!(until.getTime() <= now().getTime() - auditRetentionDays * dayMs)) {
      log("error", "the database asks for a removal that this worker is not allowed", {
        slug: "audit_removal_not_allowed",
        month,
        before,
      });
      return null;
    }
    const { keys, file, checkpoints, tombstones } = this.#outside ??= await this.#open();
    const signing = signersNow(keys, now());
    const notes: Record<string, string> = {};
    for (const stone of stones) {
      const { tenant_id, size } = stone;
      const origin = auditOrigin(publicUrl, tenant_id);
      const inDatabase = file
        ? null
        : openCheckpoint(stone.note ?? "", origin, keys.all, "tombstone");
      const verdict = await judgeRemoval(sql, stone, until, {
        checkpoint: checkpoints.get(origin),
        removedBefore: (tombstones.get(origin) ?? inDatabase)?.size ?? 0,
      });
      if ("refused" in verdict) {
        await refuse(sql, tenant_id, size, verdict.refused);
        return null;
      }
      notes[tenant_id] = signCheckpoint({ origin, size, root: verdict.root }, signing, "tombstone");
    }
    // Before the database keeps them: after a crash in between they are there twice.
    if (stones.length > 0) await file?.append(Object.values(notes).join("\n"));
    for (const [tenant, note] of Object.entries(notes)) {
      const origin = auditOrigin(publicUrl, tenant);
      tombstones.set(origin, openCheckpoint(note, origin, keys.all, "tombstone")!);
    }
    return notes;
  }

  async #open(): Promise<Outside> {
    const { sql } = this.#context;
    const settings = this.#settings;
    const text = await readSecretFile("GATEHOUSE_AUDIT_KEY_FILE", settings.auditKeyFile);
    const keys = readAuditKeys(text);
    if (settings.has("GATEHOUSE_AUDIT_CHECKPOINT_FILE")) {
      const file = checkpointFile(settings.auditCheckpointFile);
      const checkpoints = await file.newest(keys.all);
      return { keys, file, checkpoints, tombstones: await file.newest(keys.all, "tombstone") };
    }
    // Without a file the database's own copy is the newest that is known, as for the sealer.
    const rows = await sql<{ tenant_id: string; note: string }[]>`
      select tenant_id, note from private.list_checkpoints()`;
    const checkpoints = new Map(rows.flatMap(({ tenant_id, note }) => {
      const opened = openCheckpoint(note, auditOrigin(settings.publicUrl, tenant_id), keys.all);
      return opened ? [[opened.origin, opened]] : [];
    }));
    return { keys, file: undefined, checkpoints, tombstones: new Map() };
  }
}

function signersNow({ cosigners, current }: AuditKeys, now: Date): KeyObject[] {
  return [...cosigners.flatMap(({ key, until }) => until > now ? key : []), current];
}

/** Signed ones come with the month they stand for: one without a signature was put in by somebody else. */
async function reportUnsigned(sql: TaskContext["sql"]): Promise<void> {
  const unsigned = await sql<{ tenant_id: string; size: string }[]>`
    select tenant_id, size from private.list_unsigned_tombstones()`;
  for (const { tenant_id, size } of unsigned) {
    await refuse(sql, tenant_id, Number(size), "unsigned_beginning");
  }
}

async function refuse(
  sql: TaskContext["sql"],
  tenant: string,
  size: number,
  reason: RefusalReason,
): Promise<void> {
  log("error", "a removal from the log is not what retention would do, it is not signed", {
    slug: "audit_removal_refused",
    tenant,
    size,
    reason,
  });
  await sql`select private.report_refused_removal(${tenant}, ${size}, ${reason})`;
}

export default auditRetain();
