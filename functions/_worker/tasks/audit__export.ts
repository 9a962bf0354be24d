/**
 * Writes one export of a tenant's log to GATEHOUSE_AUDIT_DIR/exports, page by page, its progress visible in `audit_exports`.
 *
 * Queued by `rpc/request_audit_export`. Payload `{ tenantId, id }`. Begun anew when a worker died over it: the file stands
 * there whole or not at all. While the newest events are not sealed yet it comes back in two seconds, for a minute; then
 * the row says that it is not complete. Asked to stop it gives the export back, which is no failure. It throws to be tried
 * again by the queue, and fails for good at the fifth try.
 * Next: ../../_shared/audit/export_format.ts (jsonl), ../../_shared/exports/csv.ts, sql/30_audit/87_export_job.sql.
 */
import { createHash } from "node:crypto";
import type { Sql } from "postgres";
import { z } from "zod";
import {
  type ExportNote,
  type ExportRecord,
  headerLine,
  noteLine,
  recordLine,
} from "../../_shared/audit/export_format.ts";
import { auditOrigin } from "../../_shared/audit/note.ts";
import { config } from "../../_shared/config.ts";
import { csvHeader, csvLine } from "../../_shared/exports/csv.ts";
import {
  ExportFile,
  type ExportFormat,
  exportPath,
  exportsDirectory,
} from "../../_shared/exports/files.ts";
import { queueAgain } from "../again.ts";
import { task, type TaskContext } from "../task.ts";

const Payload = z.strictObject({ tenantId: z.uuid(), id: z.uuid() });
type ExportId = z.output<typeof Payload>;

/** What `private.begin_export` gives. */
interface Begun {
  format: ExportFormat;
  /** Null: filtered, so not known yet. */
  total: number | null;
  since: string | null;
  until: string;
  /** The filter, of csv only. */
  types: string[] | null;
  actorId: string | null;
  targetId: string | null;
  first: number;
  size: number;
  prefix: string[];
  notes: ExportNote[];
  afterSeq: number;
  lastSeq: number;
  wait: boolean;
}

const pageSize = 1_000;

/** Nobody waits for it any more, or the process is asked to stop. */
class Abandoned extends Error {}

export default task(Payload, (payload, context) => exportLog(payload, context));

export async function exportLog(
  payload: ExportId,
  context: Pick<TaskContext, "sql" | "now" | "stopping">,
): Promise<void> {
  const { sql } = context;
  const { tenantId, id } = payload;
  const [{ begun }] = await sql<[{ begun: Begun | null }]>`
    select private.begin_export(${tenantId}, ${id}) as begun`;
  if (!begun) return;
  // A job of its own: the attempts of this one are not its.
  const comeBack = () =>
    queueAgain(sql, { task: "audit__export", key: `audit__export:${id}`, payload, inSeconds: 2 });
  if (begun.wait) return await comeBack();
  try {
    await write(payload, begun, context);
  } catch (error) {
    if (error instanceof Abandoned) return context.stopping.aborted ? await comeBack() : undefined;
    await noteFailure(sql, payload, error);
    throw error;
  }
}

async function write(
  payload: ExportId,
  begun: Begun,
  { sql, now, stopping }: Pick<TaskContext, "sql" | "now" | "stopping">,
): Promise<void> {
  const { tenantId, id } = payload;
  const { auditDir } = config();
  await Deno.mkdir(exportsDirectory(auditDir), { recursive: true, mode: 0o750 });
  await using file = await ExportFile.create(
    exportPath(auditDir, id, begun.format),
    createHash("sha256"),
  );
  let done = 0;
  const pageWritten = async (records: number) => {
    await file.flush();
    done += records;
    const [{ wanted }] = await sql<[{ wanted: boolean }]>`
      select private.progress_export(${tenantId}, ${id}, ${done}) as wanted`;
    if (!wanted || stopping.aborted) throw new Abandoned("the export is not written any further");
  };
  if (begun.format === "jsonl") await writeSealed(sql, tenantId, begun, file, now(), pageWritten);
  else await writeFlat(sql, tenantId, begun, file, pageWritten);
  const { size, sha256 } = await file.finish();
  await sql`select private.settle_export(${tenantId}, ${id}, ${done}, ${size}, ${sha256})`;
}

type PageWritten = (records: number) => Promise<void>;

async function writeSealed(
  sql: Sql,
  tenantId: string,
  { first, size, prefix, notes }: Begun,
  file: ExportFile,
  now: Date,
  pageWritten: PageWritten,
): Promise<void> {
  file.add(headerLine({
    origin: auditOrigin(config().publicUrl, tenantId),
    tenant_id: tenantId,
    first,
    prefix,
    size,
    exported_at: now.toISOString(),
  }));
  for (let from = first; from < size; from += pageSize) {
    const to = Math.min(from + pageSize, size);
    const rows = await sql<(Omit<ExportRecord, "index"> & { index: string; personal: unknown })[]>`
      select index, bytes, signature, personal
        from private.list_export_leaves(${tenantId}, ${from}, ${to})`;
    if (rows.length !== to - from) throw new Error(`leaves are missing between ${from} and ${to}`);
    for (const { index, bytes, signature, personal } of rows) {
      const held = personal as ExportRecord["personal"] | null;
      file.add(recordLine({
        index: Number(index),
        bytes,
        signature,
        ...(held ? { personal: held } : {}),
      }));
    }
    await pageWritten(rows.length);
  }
  for (const note of notes) file.add(noteLine(note));
}

async function writeFlat(
  sql: Sql,
  tenantId: string,
  { afterSeq, lastSeq, since, until, types, actorId, targetId }: Begun,
  file: ExportFile,
  pageWritten: PageWritten,
): Promise<void> {
  file.add(csvHeader);
  for (let after = afterSeq; after < lastSeq;) {
    const rows = await sql<{ seq: string; event: Record<string, unknown> | null }[]>`
      select seq, event from private.list_export_events(${tenantId}, ${after}, ${lastSeq},
        ${since}::text::timestamptz, ${until}::text::timestamptz, ${types}::text[], ${actorId},
        ${targetId}, ${pageSize})`;
    const kept = rows.filter(({ event }) => event !== null);
    for (const { seq, event } of kept) file.add(csvLine(Number(seq), event!));
    await pageWritten(kept.length);
    if (rows.length < pageSize) return;
    after = Number(rows.at(-1)!.seq);
  }
}

async function noteFailure(sql: Sql, { tenantId, id }: ExportId, error: unknown): Promise<void> {
  // A message could name a path of ours: the log has it.
  const why = { slug: "export_failed", detail: (error as Error).name };
  await sql`select private.fail_export(${tenantId}, ${id}, ${sql.json(why)})`;
}
