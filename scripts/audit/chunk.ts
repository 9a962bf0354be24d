// One stretch of an export, hashed. Runs in a worker thread (verify_worker.ts).
import {
  alteredPersonal,
  isOfTenant,
  readLine,
} from "../../functions/_shared/audit/export_reader.ts";
import { type Hash, hashSize, leafHash, nodeHash } from "../../functions/_shared/audit/tree.ts";

export interface Chunk {
  /** Index of the first record; undefined when there is none. */
  first: number | undefined;
  /** False as soon as anything is not as it should be: verify.ts is then to look at every record. */
  regular: boolean;
  /** 32 bytes a record. */
  hashes: Uint8Array<ArrayBuffer>;
  /** The complete subtrees of these records, in order, and how many records each has. */
  subtrees: { root: Hash; width: number }[];
  notes: { kind: "checkpoint" | "tombstone"; note: string }[];
}

export function hashChunk(text: string, tenantId: string): Chunk {
  const notes: Chunk["notes"] = [];
  const hashes: Hash[] = [];
  let first: number | undefined;
  let regular = true;
  const stack: { root: Hash; width: number; start: number }[] = [];
  for (let at = 0; at < text.length;) {
    const end = text.indexOf("\n", at);
    const line = readLine(end < 0 ? text.slice(at) : text.slice(at, end));
    at = end < 0 ? text.length : end + 1;
    if (line.kind === "malformed") {
      regular = false;
      continue;
    }
    if (line.kind !== "record") {
      notes.push(line);
      continue;
    }
    const { record } = line;
    first ??= record.index;
    const expected = record.index === first + hashes.length;
    if (!expected || !isOfTenant(record.bytes, tenantId) || alteredPersonal(record).length > 0) {
      regular = false;
    }
    const hash = leafHash(record.bytes);
    hashes.push(hash);
    let node = { root: hash, width: 1, start: record.index };
    for (;;) {
      const left = stack.at(-1);
      if (left?.width !== node.width || left.start % (2 * node.width) !== 0) break;
      stack.pop();
      node = { root: nodeHash(left.root, node.root), width: 2 * node.width, start: left.start };
    }
    stack.push(node);
  }
  const joined = new Uint8Array(hashes.length * hashSize);
  for (const [n, hash] of hashes.entries()) joined.set(hash, n * hashSize);
  return { first, regular, hashes: joined, subtrees: stack, notes };
}
