/**
 * What somebody may do who owns the database: alters the log of tenant A and then makes as much of it fit again as the
 * attack says. Everything is drawn from a seed, so a failure can be repeated.
 */
import { generateKeyPairSync } from "node:crypto";
import type { TransactionSql } from "postgres";
import { auditOrigin, signCheckpoint, signLeaf } from "../../functions/_shared/audit/note.ts";
import { Frontier, leafHash } from "../../functions/_shared/audit/tree.ts";
import { tenants } from "../support/actors.ts";
import { publicUrl } from "../support/audit_export.ts";

const tenant = tenants.A;
const origin = auditOrigin(publicUrl, tenant);
const attackersKey = generateKeyPairSync("ed25519").privateKey;

export type Random = (below: number) => number;

/** mulberry32 */
export function seeded(seed: number): Random {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 4_294_967_296) * below);
  };
}

const deeds = [
  "edit",
  "delete",
  "insert",
  "swap",
  "truncate",
  "restamp",
  "personal",
  "bury", // the beginning goes as if by retention, a tombstone stands for it
] as const;
/** How much fits again: only the row · the leaves' bytes · their hashes too · the tree and the checkpoints too. */
const covers = ["nothing", "bytes", "hashes", "everything"] as const;
const signatures = ["kept", "dropped", "dropped where altered", "forged", "copied"] as const;
const notes = ["kept", "deleted", "forged", "rewritten"] as const;

export interface Attack {
  deed: (typeof deeds)[number];
  cover: (typeof covers)[number];
  signatures: (typeof signatures)[number];
  notes: (typeof notes)[number];
  /** Leaves concerned; `at` first. */
  at: number;
  other: number;
}

/** One attack in four is where a checkpoint is. */
export function drawAttack(random: Random, size: number, checkpoints: number[]): Attack {
  const one = <T>(of: readonly T[]): T => of[random(of.length)]!;
  const place = () => Math.min(size - 1, random(4) === 0 ? one(checkpoints) : random(size));
  const [a, b] = [place(), place()];
  const [at, other] = a === b
    ? [Math.max(0, a - 1), Math.max(1, a)]
    : [Math.min(a, b), Math.max(a, b)];
  return {
    deed: one(deeds),
    cover: one(covers),
    signatures: one(signatures),
    notes: one(notes),
    at,
    other,
  };
}

/** Carries it out; the caller rolls back. */
export async function carryOut(tx: TransactionSql, attack: Attack, random: Random): Promise<void> {
  const altered = await deed(tx, attack, random);
  const { cover } = attack;
  if (attack.deed === "bury") return; // nothing of what is left was touched: it fits
  if (cover !== "nothing" || attack.deed === "insert") await fitBytes(tx);
  if (cover === "hashes" || cover === "everything") await fitHashes(tx);
  await fitSignatures(tx, attack, altered);
  if (cover === "everything") await fitTree(tx, attack.notes);
  else if (attack.notes === "deleted") {
    await tx`delete from private.audit_checkpoints where tenant_id = ${tenant}`;
  }
}

/** Returns the first leaf that is other than before. */
async function deed(tx: TransactionSql, attack: Attack, random: Random): Promise<number> {
  const { at, other } = attack;
  switch (attack.deed) {
    case "edit":
      await tx`
        update public.audit_events e set ${
        random(2) === 0
          ? tx`actor = ${tx.json({ kind: "user", id: "somebody else" })}`
          : tx`data = data || ${tx.json({ forged: random(1000) })}`
      }
          from private.audit_leaves l
         where l.tenant_id = ${tenant} and l.leaf_index = ${at} and e.tenant_id = l.tenant_id
           and e.recorded_at = l.recorded_at and e.id = l.event_id`;
      // One who edits the leaf's bytes and no more.
      if (attack.cover === "nothing") {
        await tx`update private.audit_leaves set bytes = replace(bytes, '"v": 1', '"v": 2')
          where tenant_id = ${tenant} and leaf_index = ${at}`;
      }
      return at;
    case "delete":
      await forget(tx, at, at + 1);
      // With or without closing the gap.
      if (random(2) === 0) await shift(tx, at, -1);
      return at;
    case "insert": {
      await shift(tx, at, 1);
      await tx`
        with forged as (
          insert into public.audit_events
            (tenant_id, recorded_at, type, occurred_at, actor, targets, data, context)
          select tenant_id, recorded_at, type, occurred_at, actor, targets,
                 '{"after": {"name": "never was"}}', context
            from public.audit_events where tenant_id = ${tenant} and targets = '[{"kind":"test"}]' limit 1
          returning *
        ), numbered as (
          insert into private.audit_sequence (seq, tenant_id, recorded_at, event_id)
          select (select max(seq) + 1 from private.audit_sequence), tenant_id, recorded_at, id from forged
          returning *
        )
        insert into private.audit_leaves (tenant_id, leaf_index, seq, recorded_at, event_id, bytes, hash)
        select tenant_id, ${at}, seq, recorded_at, event_id, 'filled in below', ''
          from numbered`;
      return at;
    }
    case "swap":
      await tx`
        update private.audit_leaves l
           set event_id = o.event_id, recorded_at = o.recorded_at, bytes = o.bytes, hash = o.hash
          from private.audit_leaves o
         where l.tenant_id = ${tenant} and o.tenant_id = l.tenant_id
           and (l.leaf_index, o.leaf_index) in ((${at}, ${other}), (${other}, ${at}))`;
      await tx`
        update private.audit_sequence s set event_id = l.event_id, recorded_at = l.recorded_at
          from private.audit_leaves l where l.tenant_id = ${tenant} and l.seq = s.seq`;
      return at;
    case "truncate":
      await forget(tx, at, 1_000_000);
      return at;
    case "restamp":
      await tx`
        update public.audit_events e set data = data || '{"rewritten": true}'
          from private.audit_leaves l
         where l.tenant_id = ${tenant} and l.leaf_index >= ${at} and e.tenant_id = l.tenant_id
           and e.recorded_at = l.recorded_at and e.id = l.event_id`;
      return at;
    case "bury":
      await bury(tx, Math.max(1, at));
      return 0;
    case "personal": {
      const [found] = await tx<[{ leaf_index: number }?]>`
        update private.audit_personal p set value = p.value || '{"context.address": "192.0.2.66"}'
          from private.audit_leaves l
         where l.tenant_id = ${tenant} and l.leaf_index = (
             select min(m.leaf_index) from private.audit_leaves m
              where m.tenant_id = ${tenant} and m.leaf_index >= ${at} and m.bytes::jsonb -> 'personal' <> 'null')
           and p.tenant_id = l.tenant_id and p.event_recorded_at = l.recorded_at
           and p.event_id = l.event_id
        returning l.leaf_index::int`;
      return found?.leaf_index ?? 1_000_000;
    }
  }
}

async function forget(tx: TransactionSql, from: number, to: number): Promise<void> {
  await tx`
    with leaves as (
      delete from private.audit_leaves
       where tenant_id = ${tenant} and leaf_index >= ${from} and leaf_index < ${to} returning *
    ), numbers as (
      delete from private.audit_sequence s using leaves l where s.seq = l.seq
    ), signed as (
      delete from private.audit_signatures s using leaves l
       where s.tenant_id = l.tenant_id and s.leaf_index = l.leaf_index
    )
    delete from public.audit_events e using leaves l
     where e.tenant_id = l.tenant_id and e.recorded_at = l.recorded_at and e.id = l.event_id`;
}

/** The log is kept for ever, or as short as can be: what the job of the night makes of it is the test. */
async function bury(tx: TransactionSql, size: number): Promise<void> {
  await tx`
    insert into private.audit_tombstones (tenant_id, recorded_until, size, frontier, root, events)
    select ${tenant}, '2020-01-01', ${size}, f, private.tree_root(f), ${size}
      from private.retained_frontier(${tenant}, ${size}) f`;
  await forget(tx, 0, size);
  await tx`delete from private.audit_checkpoints where tenant_id = ${tenant} and size < ${size}`;
  if (size % 2 === 0) {
    await tx`update public.settings set value = '31' where key = 'audit.retention_days'`;
  }
}

/** Moves the leaves from `at` on, in two steps for the key's sake. */
async function shift(tx: TransactionSql, at: number, by: number): Promise<void> {
  for (const table of ["audit_leaves", "audit_signatures"]) {
    await tx.unsafe(`update private.${table} set leaf_index = leaf_index + 1000000
      where tenant_id = '${tenant}' and leaf_index >= ${at}`);
    await tx.unsafe(`update private.${table} set leaf_index = leaf_index - 1000000 + ${by}
      where tenant_id = '${tenant}' and leaf_index >= 1000000`);
  }
}

async function fitBytes(tx: TransactionSql): Promise<void> {
  await tx`
    update private.audit_leaves l set bytes = private.leaf_bytes(e, l.leaf_index, l.seq)
      from public.audit_events e
     where l.tenant_id = ${tenant} and e.tenant_id = l.tenant_id
       and e.recorded_at = l.recorded_at and e.id = l.event_id`;
}

async function fitHashes(tx: TransactionSql): Promise<void> {
  await tx`
    update private.audit_leaves set hash = sha256('\\x00'::bytea || convert_to(bytes, 'UTF8'))
     where tenant_id = ${tenant}`;
}

async function fitSignatures(tx: TransactionSql, attack: Attack, altered: number): Promise<void> {
  if (attack.signatures === "kept") return;
  if (attack.signatures === "dropped") {
    await tx`delete from private.audit_signatures where tenant_id = ${tenant}`;
    return;
  }
  const leaves = await tx<{ leaf_index: number; bytes: string }[]>`
    select leaf_index::int, bytes from private.audit_leaves
     where tenant_id = ${tenant} and leaf_index >= ${altered} order by leaf_index`;
  const kept = await tx<{ signature: Uint8Array }[]>`
    delete from private.audit_signatures where tenant_id = ${tenant} and leaf_index >= ${altered}
    returning signature`;
  if (attack.signatures === "dropped where altered") return;
  const replaced = leaves.flatMap(({ leaf_index, bytes }, n) => {
    const signature = attack.signatures === "forged"
      ? signLeaf(origin, leaf_index, leafHash(bytes), attackersKey)
      : kept.at(-1 - n % Math.max(1, kept.length))?.signature; // another record's
    return signature ? [{ tenant_id: tenant, leaf_index, signature }] : [];
  });
  for (const row of replaced) await tx`insert into private.audit_signatures ${tx(row)}`;
}

async function fitTree(tx: TransactionSql, what: Attack["notes"]): Promise<void> {
  const hashes = (await tx<{ bytes: string }[]>`
    select bytes from private.audit_leaves where tenant_id = ${tenant} order by leaf_index`)
    .map(({ bytes }) => leafHash(bytes));
  const tree = new Frontier();
  const roots = [tree.root()];
  for (const hash of hashes) {
    tree.append(hash);
    roots.push(tree.root());
  }
  const subtrees = tree.subtrees.map((hash) => `\\x${hash.toHex()}`);
  await tx`
    update private.audit_trees
       set size = ${tree.size}, root = ${tree.root()}, frontier = ${subtrees}::text[]::bytea[],
           signed_size = ${tree.size},
           signed_frontier = ${new Uint8Array(tree.subtrees.flatMap((hash) => [...hash]))}
     where tenant_id = ${tenant}`;
  const checkpoints = await tx<{ size: number; note: string }[]>`
    delete from private.audit_checkpoints where tenant_id = ${tenant} returning size::int, note`;
  if (what === "deleted") return;
  for (const { size, note } of checkpoints) {
    const root = roots[size];
    if (!root) continue;
    const forged = what === "forged"
      ? signCheckpoint({ origin, size, root }, attackersKey)
      : what === "rewritten"
      ? note.replace(/\n[^\n]+\n\n/, `\n${root.toBase64()}\n\n`)
      : note;
    await tx`insert into private.audit_checkpoints (tenant_id, size, root, note)
      values (${tenant}, ${size}, ${root}, ${forged})`;
  }
}
