/**
 * Whether the beginning of a log may be removed for ever: judged by what is outside the database, before anything goes.
 * Each record that goes is looked at, and the tree of them and of all that stays must come to the newest known checkpoint.
 *
 * Next: functions/_worker/tasks/audit__retain.ts (signs it), sql/30_audit/70_retention.sql (removes it).
 */
import type postgres from "postgres";
import { fromBase64 } from "../secrets.ts";
import type { Checkpoint } from "./note.ts";
import { Frontier, type Hash, hashSize, leafHash, sameHash } from "./tree.ts";

/** A tombstone that a month needs: the records before `size` go. All of it is what the database says. */
export interface Stone {
  tenant_id: string;
  size: number;
  /** Size of the tombstone before it, on which it is built; 0 when there is none. */
  from: number;
  /** The complete subtrees of that size, in base64. */
  frontier: string[];
  /** The signed note of that tombstone. */
  note: string | null;
}

export type RefusalReason =
  | "no_checkpoint" // no checkpoint that is known covers what is to go
  | "unsigned_beginning" // records before the first one went without a signature
  | "record_too_young" // a record that is to go was recorded later than the month
  | "tree_altered"; // records are missing, or they do not come to the known checkpoint

/** What is known of a log without asking its tables. */
export interface Known {
  /** The newest. */
  checkpoint: Checkpoint | undefined;
  /** Records before this index were removed with a signature. */
  removedBefore: number;
}

/** Records of a page; 10 ms of hashing at most, and the worker has one thread. */
const recordsAtOnce = 1_000;
const hashesAtOnce = 4_000;

/** The root to sign for what stands in place of the records before `size`, or why it must not be signed. */
export async function judgeRemoval(
  sql: postgres.Sql,
  { tenant_id, size, from, frontier }: Stone,
  before: Date,
  { checkpoint, removedBefore }: Known,
): Promise<{ root: Hash } | { refused: RefusalReason }> {
  if (from > removedBefore) return { refused: "unsigned_beginning" };
  if (!checkpoint || checkpoint.size < size || size < from) return { refused: "no_checkpoint" };
  const tree = beginning(from, frontier);
  if (!tree) return { refused: "tree_altered" };
  while (tree.size < size) {
    const to = Math.min(tree.size + recordsAtOnce, size);
    const records = await sql<{ index: string; bytes: string }[]>`
      select index, bytes from private.list_export_leaves(${tenant_id}, ${tree.size}, ${to})`;
    if (records.length !== to - tree.size) return { refused: "tree_altered" };
    for (const { bytes } of records) {
      if (!(recordedAt(bytes) < before.getTime())) return { refused: "record_too_young" };
      tree.append(leafHash(bytes));
    }
  }
  const root = tree.root();
  while (tree.size < checkpoint.size) {
    const to = Math.min(tree.size + hashesAtOnce, checkpoint.size);
    const [{ hashes }] = await sql<[{ hashes: Uint8Array | null }]>`
      select private.list_leaf_hashes(${tenant_id}, ${tree.size}, ${to}) as hashes`;
    if (hashes?.length !== (to - tree.size) * hashSize) return { refused: "tree_altered" };
    for (let at = 0; at < hashes.length; at += hashSize) {
      tree.append(new Uint8Array(hashes.slice(at, at + hashSize)));
    }
  }
  return sameHash(tree.root(), checkpoint.root) ? { root } : { refused: "tree_altered" };
}

function beginning(size: number, frontier: string[]): Frontier | null {
  try {
    return new Frontier(size, frontier.map((hash) => fromBase64(hash)));
  } catch {
    return null; // so many subtrees are no tree of that size
  }
}

/** In ms since 1970; NaN when the record does not say it, and then it is too young for everything. */
function recordedAt(bytes: string): number {
  try {
    return Date.parse((JSON.parse(bytes) as { recorded_at?: string }).recorded_at ?? "");
  } catch {
    return NaN;
  }
}
