// A sealed log made by hand, without a database: for exports of parts, under several keys, or not what they say.
import type { KeyObject } from "node:crypto";
import {
  type ExportNote,
  type ExportRecord,
  headerLine,
  noteLine,
  recordLine,
} from "../../functions/_shared/audit/export_format.ts";
import {
  auditOrigin,
  type Checkpoint,
  type Keys,
  signCheckpoint,
  signLeaf,
} from "../../functions/_shared/audit/note.ts";
import { Frontier, leafHash } from "../../functions/_shared/audit/tree.ts";
import { publicUrl } from "./audit_export.ts";

export interface Part {
  first?: number;
  end?: number;
  prefix?: string[];
  notes?: ExportNote[];
  origin?: string;
  tenant?: string;
  change?: (records: ExportRecord[]) => ExportRecord[];
}

export interface HandmadeLog {
  tenant: string;
  origin: string;
  records: ExportRecord[];
  treeOf(count: number): Frontier;
  /** The beginning of the log. */
  at(count: number): Checkpoint;
  /** The signed note of that, by the key of its last record or by others. */
  note(count: number, keys?: Keys): string;
  checkpoint(count: number, keys?: Keys): ExportNote;
  tombstone(count: number, keys?: Keys): ExportNote;
  /** An export: all of it, or as it is told. */
  text(part?: Part): string;
}

/** `keyAt`: the private key that signs a record. `say`: what a record's data is. */
export function handmadeLog(
  tenant: string,
  size: number,
  keyAt: (index: number) => KeyObject,
  say: (index: number) => string = String,
): HandmadeLog {
  const origin = auditOrigin(publicUrl, tenant);
  const records = Array.from({ length: size }, (_, index): ExportRecord => {
    const bytes = JSON.stringify({ index, data: say(index), personal: null, tenant_id: tenant });
    const signature = signLeaf(origin, index, leafHash(bytes), keyAt(index)).toBase64();
    return { index, bytes, signature };
  });
  const treeOf = (count: number) => {
    const tree = new Frontier();
    for (const { bytes } of records.slice(0, count)) tree.append(leafHash(bytes));
    return tree;
  };
  const at = (count: number) => ({ origin, size: count, root: treeOf(count).root() });
  const note = (count: number, keys: Keys = keyAt(count - 1)) => signCheckpoint(at(count), keys);
  return {
    tenant,
    origin,
    records,
    treeOf,
    at,
    note,
    checkpoint: (count, keys) => ({ checkpoint: note(count, keys) }),
    tombstone: (count, keys = keyAt(count - 1)) => ({
      tombstone: signCheckpoint(at(count), keys, "tombstone"),
    }),
    text({ first = 0, end = size, notes, change, ...given } = {}) {
      const header = headerLine({
        origin: given.origin ?? origin,
        tenant_id: given.tenant ?? tenant,
        first,
        prefix: given.prefix ?? treeOf(first).subtrees.map((hash) => hash.toBase64()),
        size: end,
        exported_at: "2026-01-01T00:00:00Z",
      });
      const part = records.slice(first, end);
      return header + (change ? change(part) : part).map(recordLine).join("") +
        (notes ?? [{ checkpoint: note(end) }]).map(noteLine).join("");
    },
  };
}
