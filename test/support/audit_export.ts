// An export as read straight from the tables, for tests of what is proved with it.
import type { ISql } from "postgres";
import {
  type ExportRecord,
  headerLine,
  noteLine,
  recordLine,
} from "../../functions/_shared/audit/export_format.ts";
import { auditOrigin } from "../../functions/_shared/audit/note.ts";

export const publicUrl = "https://id.example";

export interface Exported {
  records: ExportRecord[];
  notes: string[];
  text: string;
}

/** All of one tenant's sealed log. `sql` sees everything. */
export async function exportAll(sql: ISql, tenant: string): Promise<Exported> {
  const rows = await sql<(ExportRecord & { personal: ExportRecord["personal"] | null })[]>`
    select l.leaf_index::int as index, l.bytes, encode(g.signature, 'base64') as signature,
           (select jsonb_object_agg(p.slot, jsonb_build_object(
                'salt', encode(p.salt, 'hex'), 'value', p.value::text))
              from private.audit_personal p
             where p.tenant_id = l.tenant_id and p.event_recorded_at = l.recorded_at
               and p.event_id = l.event_id) as personal
      from private.audit_leaves l
      left join private.audit_signatures g using (tenant_id, leaf_index)
     where l.tenant_id = ${tenant} order by l.leaf_index`;
  const records = rows.map(({ index, bytes, signature, personal }) => ({
    index,
    bytes,
    signature: signature?.replaceAll("\n", "") ?? null,
    ...(personal ? { personal } : {}),
  }));
  const notes = (await sql<{ note: string }[]>`
    select note from private.audit_checkpoints where tenant_id = ${tenant} order by size`)
    .map(({ note }) => note);
  const [removed] = await sql<[Removed?]>`
    select t.size::int as first, t.note as tombstone, (
        select array_agg(encode(f, 'base64') order by at)
          from unnest(t.frontier) with ordinality as u (f, at)) as prefix
      from private.audit_tombstones t where t.tenant_id = ${tenant} order by t.size desc limit 1`;
  return { records, notes, text: exportText(tenant, records, notes, removed) };
}

/** What stands for the records before the first one. */
interface Removed {
  first: number;
  prefix: string[];
  /** Its signed note, where there is one. */
  tombstone: string | null;
}

export function exportText(
  tenant: string,
  records: ExportRecord[],
  notes: string[],
  { first, prefix, tombstone }: Removed = { first: 0, prefix: [], tombstone: null },
): string {
  const header = headerLine({
    origin: auditOrigin(publicUrl, tenant),
    tenant_id: tenant,
    first,
    prefix,
    size: (records.at(-1)?.index ?? -1) + 1,
    exported_at: "2026-01-01T00:00:00.000Z",
  });
  return header + records.map(recordLine).join("") +
    (tombstone === null ? "" : noteLine({ tombstone })) +
    notes.map((checkpoint) => noteLine({ checkpoint })).join("");
}
