/**
 * Signs what SQL sealed, and never two histories: a tree is signed only when it grows out of the newest checkpoint that
 * is known outside the database. So whoever rewrites the past, hashes and checkpoints included, gets no signature for it.
 *
 * Next: sql/30_audit/40_seal.sql (the leaves), checkpoint_file.ts (outside), note.ts (what is signed).
 */
import type { KeyObject } from "node:crypto";
import type postgres from "postgres";
import { log } from "../telemetry.ts";
import type { CheckpointFile } from "./checkpoint_file.ts";
import {
  auditOrigin,
  type Checkpoint,
  openCheckpoint,
  publicOf,
  signCheckpoint,
  signLeaf,
} from "./note.ts";
import { Frontier, type Hash, hashSize, sameHash } from "./tree.ts";

export interface SealerOptions {
  sql: postgres.Sql;
  key: KeyObject;
  publicUrl: string;
  /** Absent: the database's own copy is the newest that is known, and who rolls it back is not noticed here. */
  outside?: CheckpointFile;
}

/** Signatures without a look at anything else: 6 ms, and the worker has one thread. */
const withoutPause = 250;

interface Unsigned {
  tenant_id: string;
  size: string;
  frontier: Uint8Array;
  hashes: Uint8Array | null;
}

interface Signed {
  note: string;
  checkpoint: Checkpoint;
  leaves: number;
}

export interface Sealer {
  /** Signs at most `limit` leaves of each of a few tenants; returns how many it signed. */
  sign(limit: number): Promise<number>;
}

export function sealer({ sql, key, publicUrl, outside }: SealerOptions): Sealer {
  let known: Map<string, Checkpoint> | undefined;
  /** Until this process ends: somebody must look. */
  const refused = new Set<string>();

  /** What this key signed and the database keeps is pushed if a crash came before: our own notes never fork. */
  async function catchUp(): Promise<Map<string, Checkpoint>> {
    const newest = known ?? await outside?.newest(publicOf(key)) ?? new Map();
    const rows = await sql<{ tenant_id: string; note: string }[]>`
      select tenant_id, note from private.list_checkpoints()`;
    for (const { tenant_id, note } of rows) {
      const checkpoint = openCheckpoint(note, auditOrigin(publicUrl, tenant_id), publicOf(key));
      if (!checkpoint || checkpoint.size <= (newest.get(checkpoint.origin)?.size ?? 0)) continue;
      await outside?.append(note);
      newest.set(checkpoint.origin, checkpoint);
    }
    return known = newest;
  }

  /** Signs and stores; null when there is nothing to sign, or it must not be signed. */
  async function signOne({ tenant_id, size, frontier, hashes }: Unsigned): Promise<Signed | null> {
    const origin = auditOrigin(publicUrl, tenant_id);
    const leaves = splitHashes(hashes ?? new Uint8Array());
    if (leaves.length === 0) return null;
    const tree = grownFrom(known?.get(origin), Number(size), splitHashes(frontier)) ??
      grownFrom((await catchUp()).get(origin), Number(size), splitHashes(frontier));
    if (!tree) {
      const knownSize = known?.get(origin)?.size ?? 0;
      log("error", "a tenant's log was changed after it was sealed, it is signed no more", {
        slug: "audit_log_forked",
        tenant: tenant_id,
        size,
        knownSize,
      });
      await sql`select private.report_fork(${tenant_id}, ${size}, ${knownSize})`;
      refused.add(tenant_id);
      return null;
    }
    const signatures = new Uint8Array(leaves.length * 64);
    for (const [n, leaf] of leaves.entries()) {
      if (n % withoutPause === 0) await new Promise((resolve) => setTimeout(resolve));
      signatures.set(signLeaf(origin, tree.size, leaf, key), n * 64);
      tree.append(leaf);
    }
    const root = tree.root();
    const note = signCheckpoint({ origin, size: tree.size, root }, key);
    const [stored] = await sql<[{ ours: boolean }]>`
      select private.store_signatures(${tenant_id}, ${size}, ${signatures},
        ${joinHashes(tree.subtrees)}, ${root}, ${note}) as ours`;
    if (!stored.ours) return null; // another signer was here
    return { note, checkpoint: { origin, size: tree.size, root }, leaves: leaves.length };
  }

  return {
    async sign(limit) {
      if (!known) await catchUp();
      const waiting = await sql<Unsigned[]>`
        select * from private.list_unsigned(${limit}, ${[...refused]}::uuid[])`;
      const signed: Signed[] = [];
      for (const one of waiting) {
        const done = await signOne(one);
        if (done) signed.push(done);
      }
      // One write to the disk for all of them. Should it fail, catchUp finds them in the database.
      if (signed.length > 0) await outside?.append(signed.map(({ note }) => note).join("\n"));
      for (const { checkpoint } of signed) known!.set(checkpoint.origin, checkpoint);
      return signed.reduce((sum, { leaves }) => sum + leaves, 0);
    },
  };
}

/** The tree to go on with, if it is the one that the checkpoint tells of. */
function grownFrom(from: Checkpoint | undefined, size: number, subtrees: Hash[]): Frontier | null {
  if (size !== (from?.size ?? 0)) return null;
  try {
    const tree = new Frontier(size, subtrees);
    return !from || sameHash(tree.root(), from.root) ? tree : null;
  } catch {
    return null; // so many subtrees are no tree of that size
  }
}

function splitHashes(joined: Uint8Array): Hash[] {
  return Array.from(
    { length: Math.floor(joined.length / hashSize) },
    (_, n) => new Uint8Array(joined.slice(n * hashSize, (n + 1) * hashSize)),
  );
}

function joinHashes(hashes: Hash[]): Uint8Array {
  const joined = new Uint8Array(hashes.length * hashSize);
  for (const [n, hash] of hashes.entries()) joined.set(hash, n * hashSize);
  return joined;
}
