/**
 * Signs what SQL sealed, and never two histories: a tree is signed only when it grows out of the newest checkpoint that
 * is known outside the database. So whoever rewrites the past, hashes and checkpoints included, gets no signature for it.
 *
 * Next: sql/30_audit/40_seal.sql (the leaves), checkpoint_file.ts (outside), note.ts (what is signed).
 */
import type postgres from "postgres";
import { log } from "../telemetry.ts";
import type { CheckpointFile } from "./checkpoint_file.ts";
import type { AuditKeys } from "./keys.ts";
import {
  auditOrigin,
  type Checkpoint,
  keyName,
  openCheckpoint,
  publicOf,
  signCheckpoint,
  signLeaf,
} from "./note.ts";
import { Frontier, type Hash, hashSize, sameHash } from "./tree.ts";

export interface SealerOptions {
  sql: postgres.Sql;
  keys: AuditKeys;
  publicUrl: string;
  /** Absent: the database's own copy is the newest that is known, and who rolls it back is not noticed here. */
  outside?: CheckpointFile;
  now?: () => Date;
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
  /** Tenants whose log was changed after it was sealed. */
  readonly refused: ReadonlySet<string>;
}

export function sealer(
  { sql, keys, publicUrl, outside, now = () => new Date() }: SealerOptions,
): Sealer {
  const { current, cosigners, all, successions } = keys;
  /** Another worker signs with the key after ours: this one is to be started anew. */
  let succeeded = false;
  /** Another signer was quicker; maybe with the next key. */
  let refusedStore = false;
  let known: Map<string, Checkpoint> | undefined;
  /** Until this process ends: somebody must look. */
  const refused = new Set<string>();

  /** What this key signed and the database keeps is pushed if a crash came before: our own notes never fork. */
  async function catchUp(): Promise<Map<string, Checkpoint>> {
    const newest = known ?? await outside?.newest(all) ?? new Map();
    // In the database a former key may be somebody's who stole it: what it signed there is not taken outside any more.
    const trusted = outside
      ? [...cosigners.map(({ key }) => publicOf(key)), publicOf(current)]
      : all;
    const rows = await sql<{ tenant_id: string; note: string }[]>`
      select tenant_id, note from private.list_checkpoints()`;
    for (const { tenant_id, note } of rows) {
      const checkpoint = openCheckpoint(note, auditOrigin(publicUrl, tenant_id), trusted);
      if (!checkpoint || checkpoint.size <= (newest.get(checkpoint.origin)?.size ?? 0)) continue;
      await outside?.append(note);
      newest.set(checkpoint.origin, checkpoint);
    }
    return known = newest;
  }

  /** Says on record which key follows which. False when another worker signs with a later one: then ours is over. */
  async function announce(): Promise<boolean> {
    const names = all.map(keyName);
    for (const [n, name] of names.entries()) {
      const note = successions.find((text) => text.split("\n")[2] === name) ?? null;
      const [{ latest }] = await sql<[{ latest: boolean }]>`
        select private.announce_audit_key(${name}, ${names[n - 1] ?? null}, ${note}) as latest`;
      succeeded = !latest;
    }
    if (succeeded) {
      log("error", "the audit key of this worker has a successor, it signs no more", {
        slug: "audit_key_succeeded",
      });
    }
    return !succeeded;
  }

  async function begin(): Promise<void> {
    refusedStore = false;
    if (!await announce()) return;
    const told = await outside?.successions() ?? successions;
    for (const note of successions) if (!told.includes(note)) await outside?.append(note);
    await catchUp();
  }

  /** Signs and stores; null when there is nothing to sign, or it must not be signed. */
  async function signOne({ tenant_id, size, frontier, hashes }: Unsigned): Promise<Signed | null> {
    const origin = auditOrigin(publicUrl, tenant_id);
    const leaves = splitHashes(hashes ?? new Uint8Array());
    if (leaves.length === 0) return null;
    const tree = grownFrom(known?.get(origin), Number(size), splitHashes(frontier)) ??
      grownFrom((await catchUp()).get(origin), Number(size), splitHashes(frontier));
    if (!tree) {
      if (!await announce()) return null; // what a later key signed is not ours to read
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
      signatures.set(signLeaf(origin, tree.size, leaf, current), n * 64);
      tree.append(leaf);
    }
    const root = tree.root();
    const overlapping = cosigners.flatMap(({ key, until }) => until > now() ? key : []);
    const note = signCheckpoint({ origin, size: tree.size, root }, [...overlapping, current]);
    const [stored] = await sql<[{ ours: boolean }]>`
      select private.store_signatures(${tenant_id}, ${size}, ${signatures},
        ${joinHashes(tree.subtrees)}, ${root}, ${note}, ${keyName(publicOf(current))}) as ours`;
    if (!stored.ours) {
      refusedStore = true;
      return null;
    }
    return { note, checkpoint: { origin, size: tree.size, root }, leaves: leaves.length };
  }

  async function signWaiting(limit: number): Promise<number> {
    if (!known || refusedStore) await begin();
    if (succeeded) return 0;
    const waiting = await sql<Unsigned[]>`
      select * from private.list_unsigned(${limit}, ${[...refused]}::uuid[])`;
    const signed: Signed[] = [];
    for (const one of waiting) {
      const done = succeeded ? null : await signOne(one);
      if (done) signed.push(done);
    }
    // One write to the disk for all of them. Should it fail, catchUp finds them in the database.
    if (signed.length > 0) await outside?.append(signed.map(({ note }) => note).join("\n"));
    for (const { checkpoint } of signed) known!.set(checkpoint.origin, checkpoint);
    return signed.reduce((sum, { leaves }) => sum + leaves, 0);
  }

  return {
    refused,
    async sign(limit) {
      if (succeeded) return 0;
      try {
        return await signWaiting(limit);
      } catch (error) {
        known = undefined; // what was stored and did not get outside is found in the database the next time
        throw error;
      }
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
