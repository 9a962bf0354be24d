// SEAL: what was committed becomes leaves of its tenant's tree, once, in order, and is signed by a key that is not in the database.
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import fc from "fast-check";
import type { Sql } from "postgres";
import { checkpointFile } from "../../functions/_shared/audit/checkpoint_file.ts";
import { soleKey } from "../../functions/_shared/audit/keys.ts";
import { auditOrigin, openCheckpoint, verifyLeaf } from "../../functions/_shared/audit/note.ts";
import { sealer } from "../../functions/_shared/audit/sealer.ts";
import { Frontier, type Hash, leafHash, rootOf } from "../../functions/_shared/audit/tree.ts";
import { arrangeCast, platform, tenants } from "../support/actors.ts";
import { createDatabase, type TestDatabase } from "../support/database.ts";

const { privateKey: key, publicKey } = generateKeyPairSync("ed25519");
const publicUrl = "https://id.example";
const originA = auditOrigin(publicUrl, tenants.A);

async function prepared(): Promise<TestDatabase> {
  const database = await createDatabase();
  await arrangeCast(database.sql);
  return database;
}

const record = (sql: Sql, events: number) =>
  sql`select private.record_event(${tenants.A}, 'app.updated', '[{"kind":"test"}]', jsonb_build_object('n', i))
    from generate_series(1, ${events}) i`;

async function seal(sql: Sql, limit = 1_000): Promise<number> {
  let sealed = 0;
  while (Number((await sql`select private.sequence_events(10000) as n`)[0]!.n) > 0);
  for (let n = 1; n > 0; sealed += n) {
    n = Number((await sql`select private.seal_events(${limit}) as n`)[0]!.n);
  }
  return sealed;
}

const hashes = async (sql: Sql, tenant: string): Promise<Hash[]> =>
  (await sql`select bytes from private.audit_leaves where tenant_id = ${tenant} order by leaf_index`)
    .map(({ bytes }) => leafHash(bytes));

const treeOf = async (sql: Sql, tenant: string) =>
  (await sql`select size::int, root, signed_size::int from private.audit_trees where tenant_id = ${tenant}`)[
    0
  ]!;

const hex = (bytes: Uint8Array) => new Uint8Array(bytes).toHex();

Deno.test("SEAL-01 each committed event is one leaf of its tenant, in the order of seq, and the tree is RFC 6962's", async () => {
  await using database = await prepared();
  const worker = database.connect("gatehouse_worker");
  await record(database.sql, 40);
  const sealed = await seal(worker, 7);
  const { sql } = database;
  const [counts] = await sql`
    select (select count(*)::int from public.audit_events) as events,
           (select count(*)::int from private.audit_leaves) as leaves,
           (select count(*)::int from private.audit_leaves l
              join private.audit_sequence s using (tenant_id, seq, event_id)) as agreeing`;
  assert.deepEqual({ ...counts }, { events: sealed, leaves: sealed, agreeing: sealed });
  for (const tenant of Object.values(tenants)) {
    const leaves = await hashes(sql, tenant);
    const tree = await treeOf(sql, tenant);
    assert.equal(tree.size, leaves.length);
    assert.equal(hex(tree.root), hex(rootOf(leaves)));
    const order = await sql`
      select leaf_index::int, seq::int from private.audit_leaves where tenant_id = ${tenant} order by seq`;
    assert.deepEqual(order.map(({ leaf_index }) => leaf_index), leaves.map((_, n) => n));
  }
  assert.deepEqual(
    await sql`select * from private.verify_tree(${tenants.A})`.then((r) => [...r]),
    [],
  );
});

Deno.test("SEAL-02 sealing again changes nothing, and of two at once one does it", async () => {
  await using database = await prepared();
  const { sql } = database;
  await record(sql, 10);
  await sql`select private.sequence_events(10000)`;
  const first = await sql.reserve();
  await first`begin`;
  const [{ n }] = await first<[{ n: number }]>`select private.seal_events(1000) as n`;
  assert.ok(n > 10);
  assert.equal((await sql`select private.seal_events(1000) as n`)[0]!.n, 0);
  await first`commit`;
  first.release();
  assert.equal(await seal(sql), 0);
  assert.equal((await hashes(sql, tenants.A)).length, (await treeOf(sql, tenants.A)).size);
});

Deno.test("SEAL-03 nobody who writes waits for a sealer that is at work", async () => {
  await using database = await prepared();
  const { sql } = database;
  await sql`select private.sequence_events(10000)`;
  const sealing = await sql.reserve();
  await sealing`begin`;
  await sealing`select private.seal_events(1000)`;
  await sql.begin(async (tx) => {
    await tx`set local lock_timeout = '1ms'`;
    await tx`update public.apps set name = name || '+'`;
    await tx`select private.sequence_events(1000)`;
  });
  await sealing`rollback`;
  sealing.release();
  assert.ok(await seal(sql) > 0);
});

Deno.test("SEAL-04 the bytes do not depend on who seals: other time zone, other date style", async () => {
  await using database = await prepared();
  const { sql } = database;
  await seal(sql);
  const [{ altered }] = await sql.begin(async (tx) => {
    await tx`set local timezone = 'Asia/Kathmandu'`;
    await tx`set local datestyle = 'German'`;
    await tx`set local extra_float_digits = -5`;
    return await tx<[{ altered: number }]>`
      select count(*)::int as altered from private.verify_records(${tenants.A}, 0, 1000000)`;
  });
  assert.equal(altered, 0);
});

Deno.test("SEAL-05 every leaf is signed once, each batch gives a checkpoint, and the checkpoint leaves the database", async () => {
  await using database = await prepared();
  const path = await Deno.makeTempFile();
  const worker = database.connect("gatehouse_worker");
  const outside = checkpointFile(path);
  const signer = sealer({ sql: worker, keys: soleKey(key), publicUrl, outside });
  try {
    for (const events of [25, 1, 60]) {
      await record(database.sql, events);
      await seal(worker);
      while (await signer.sign(20) > 0);
    }
    assert.equal(await signer.sign(20), 0);
    const { sql } = database;
    const leaves = await hashes(sql, tenants.A);
    const signatures = await sql`
      select signature from private.audit_signatures where tenant_id = ${tenants.A} order by leaf_index`;
    assert.equal(signatures.length, leaves.length);
    for (const [n, { signature }] of signatures.entries()) {
      assert.ok(verifyLeaf(originA, n, leaves[n]!, signature, publicKey), String(n));
    }
    const checkpoints = await sql`
      select size::int, root, note from private.audit_checkpoints where tenant_id = ${tenants.A} order by number`;
    assert.ok(checkpoints.length >= 5);
    for (const { size, root, note } of checkpoints) {
      const opened = openCheckpoint(note, originA, publicKey)!;
      assert.equal(opened.size, size);
      assert.equal(hex(opened.root), hex(root));
      assert.equal(hex(opened.root), hex(rootOf(leaves.slice(0, size))));
    }
    const newest = await outside.newest(publicKey);
    assert.equal(newest.get(originA)?.size, leaves.length);
    assert.deepEqual([...await sql`select * from private.verify_tree(${tenants.A})`], []);
  } finally {
    await Deno.remove(path);
  }
});

Deno.test("SEAL-06 a history that was rewritten, all hashes and checkpoints included, is signed no more; other tenants are", async () => {
  await using database = await prepared();
  const { sql } = database;
  const signer = sealer({ sql, keys: soleKey(key), publicUrl });
  await record(sql, 30);
  await seal(sql);
  while (await signer.sign(100) > 0);
  const before = await treeOf(sql, tenants.A);
  // The attacker alters a record and makes everything in the database fit.
  const bytes =
    (await sql`select bytes from private.audit_leaves where tenant_id = ${tenants.A} order by leaf_index`)
      .map(({ bytes }, n) => n === 3 ? `${bytes} ` : bytes);
  const leaves = bytes.map((text) => leafHash(text));
  const tree = new Frontier();
  for (const leaf of leaves) tree.append(leaf);
  await sql`update private.audit_leaves set bytes = ${bytes[3]}, hash = ${leaves[3]!}
    where tenant_id = ${tenants.A} and leaf_index = 3`;
  await sql`update private.audit_trees set frontier = ${
    tree.subtrees.map((h) => `\\x${hex(h)}`)
  }::text[]::bytea[],
    root = ${tree.root()}, signed_frontier = ${new Uint8Array(
    tree.subtrees.flatMap((hash) => [...hash]),
  )} where tenant_id = ${tenants.A}`;
  await sql`update private.audit_checkpoints set root = ${tree.root()} where tenant_id = ${tenants.A}`;
  await record(sql, 5);
  await sql`select private.record_event(${tenants.E}, 'app.updated', '[{"kind":"test"}]', '{}')`;
  await seal(sql);
  while (await signer.sign(100) > 0);
  const after = await treeOf(sql, tenants.A);
  assert.equal(after.signed_size, before.signed_size);
  assert.equal(after.size, before.size + 5);
  const told = await sql`
    select tenant_id, targets, data from public.audit_events where type = 'audit.forked'`;
  assert.deepEqual([...told], [{
    tenant_id: platform,
    targets: [{ kind: "tenant", id: tenants.A }],
    data: { size: before.signed_size, known_size: before.signed_size },
  }]);
  while (await sealer({ sql, keys: soleKey(key), publicUrl }).sign(100) > 0); // another worker tells it no second time
  assert.equal((await sql`select from public.audit_events where type = 'audit.forked'`).length, 1);
  const other = await treeOf(sql, tenants.E);
  assert.equal(other.signed_size, other.size);
});

Deno.test("SEAL-07 a checkpoint that was stored and not pushed, for a crash came between, is pushed by the next signer", async () => {
  await using database = await prepared();
  const { sql } = database;
  const path = await Deno.makeTempFile();
  const outside = checkpointFile(path);
  try {
    await record(sql, 5);
    await seal(sql);
    const crashing = sealer({
      sql,
      keys: soleKey(key),
      publicUrl,
      outside: { ...outside, append: () => Promise.reject(new Error("the disk is gone")) },
    });
    await assert.rejects(crashing.sign(1_000), /the disk is gone/);
    await record(sql, 5);
    await seal(sql);
    const next = sealer({ sql, keys: soleKey(key), publicUrl, outside });
    while (await next.sign(1_000) > 0);
    const tree = await treeOf(sql, tenants.A);
    assert.equal(tree.signed_size, tree.size);
    assert.equal((await outside.newest(publicKey)).get(originA)?.size, tree.size);
    // A database rolled back behind what is known outside is not signed: its future would be a second one.
    await sql`update private.audit_trees set signed_size = 0, signed_frontier = '' where tenant_id = ${tenants.A}`;
    await sql`delete from private.audit_signatures where tenant_id = ${tenants.A}`;
    await sql`delete from private.audit_checkpoints where tenant_id = ${tenants.A}`;
    assert.equal(await sealer({ sql, keys: soleKey(key), publicUrl, outside }).sign(1_000), 0);
  } finally {
    await Deno.remove(path);
  }
});

Deno.test("SEAL-08 SQL's tree is the definition's, however the leaves come", async () => {
  await using database = await prepared();
  const { sql } = database;
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(20), { maxLength: 8 }), async (parts) => {
      const leaves = Array.from(
        { length: parts.reduce((a, b) => a + b, 0) },
        (_, n) => leafHash(String(n)),
      );
      let frontier = "{}";
      let size = 0;
      for (const part of parts) {
        const next = leaves.slice(size, size + part).map((hash) => `\\x${hex(hash)}`);
        const [row] = await sql`
          select private.tree_append(${size}, ${frontier}::text::bytea[], ${next}::text[]::bytea[])::text as frontier`;
        frontier = row!.frontier;
        size += part;
      }
      const [row] = await sql`select private.tree_root(${frontier}::text::bytea[]) as root`;
      assert.equal(hex(row!.root), hex(rootOf(leaves)));
    }),
    { numRuns: 60 },
  );
});

Deno.test("SEAL-09 a checkpoint that did not get outside is pushed by the same signer as soon as it can, though the log rests", async () => {
  await using database = await prepared();
  const { sql } = database;
  const path = await Deno.makeTempFile();
  const outside = checkpointFile(path);
  let isFull = false;
  const append = (note: string) =>
    isFull ? Promise.reject(new Error("the disk is full")) : outside.append(note);
  try {
    const signer = sealer({ sql, keys: soleKey(key), publicUrl, outside: { ...outside, append } });
    await record(sql, 5);
    await seal(sql);
    while (await signer.sign(1_000) > 0);
    const before = (await treeOf(sql, tenants.A)).size;
    isFull = true;
    await record(sql, 3);
    await seal(sql);
    await assert.rejects(signer.sign(1_000), /the disk is full/);
    await assert.rejects(
      signer.sign(1_000),
      /the disk is full/,
      "it stays an error while it lasts",
    );
    assert.equal((await outside.newest(publicKey)).get(originA)?.size, before);
    isFull = false;
    assert.equal(await signer.sign(1_000), 0, "there is nothing to sign");
    const tree = await treeOf(sql, tenants.A);
    assert.equal(tree.signed_size, before + 3);
    assert.equal((await outside.newest(publicKey)).get(originA)?.size, before + 3);
    const text = await Deno.readTextFile(path);
    assert.equal(await signer.sign(1_000), 0);
    assert.equal(await Deno.readTextFile(path), text, "once");
  } finally {
    await Deno.remove(path);
  }
});
