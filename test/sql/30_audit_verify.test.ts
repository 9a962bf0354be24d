// VER: rpc/verify_audit names what does not fit together in the database, each problem by its slug.
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import type { TransactionSql } from "postgres";
import { soleKey } from "../../functions/_shared/audit/keys.ts";
import { sealer } from "../../functions/_shared/audit/sealer.ts";
import { type Actor, arrangeCast, as, refusal, tenants } from "../support/actors.ts";
import { publicUrl } from "../support/audit_export.ts";
import { createDatabase, type TestDatabase } from "../support/database.ts";

const { privateKey: key } = generateKeyPairSync("ed25519");
let database: TestDatabase;

Deno.test.beforeAll(async () => {
  database = await createDatabase();
  const { sql } = database;
  await arrangeCast(sql);
  const signer = sealer({ sql, keys: soleKey(key), publicUrl });
  for (let batch = 0; batch < 3; batch++) {
    await sql`
      select private.record_event(${tenants.A}, 'app.updated', '[{"kind":"test"}]', jsonb_build_object('n', i),
          p_context => '{"address": "192.0.2.1"}')
        from generate_series(1, 10) i`;
    await sql`select private.sequence_events(1000)`;
    await sql`select private.seal_events(1000)`;
    while (await signer.sign(1_000) > 0);
  }
});
Deno.test.afterAll(() => database.drop());

interface Found {
  problem: string;
  seq: string | null;
  leaf_index: string | null;
  event_id: string | null;
}

const verify = (
  actor: Actor,
  arrange: (tx: TransactionSql) => Promise<unknown> = async () => {},
  range: [number, number | null] = [0, null],
) =>
  as(database.sql, actor, (tx) =>
    tx<Found[]>`
      select * from public.verify_audit(${tenants.A}, ${range[0]}::bigint, ${range[1]}::bigint)`, {
    arrange,
  });

const problems = async (arrange: (tx: TransactionSql) => Promise<unknown>) =>
  (await verify("audrey", arrange)).map(({ problem, leaf_index }) =>
    `${problem} ${leaf_index ?? "-"}`
  );

/** Of leaf 20 and its event. */
const at20 = (tx: TransactionSql) =>
  tx<[{ event_id: string; recorded_at: Date; seq: string; size: number }]>`
    select event_id, recorded_at::text, seq, (select size::int from private.audit_trees where tenant_id = ${tenants.A})
      from private.audit_leaves where tenant_id = ${tenants.A} and leaf_index = 20`
    .then(([row]) => row);

Deno.test("VER-01 a log that nobody touched has no problem", async () => {
  assert.deepEqual([...await verify("audrey")], []);
  assert.deepEqual([...await verify("pat")], []);
});

Deno.test("VER-02 who may not read the log may not verify it", async () => {
  for (const actor of ["bob", "eve", "visitor", "mallory"] as const) {
    await assert.rejects(verify(actor), refusal("not_allowed", 403), actor);
  }
});

Deno.test("VER-03 an event that was altered or removed is named", async () => {
  const [altered] = await verify(
    "audrey",
    async (tx) =>
      tx`update public.audit_events set data = '{"n": 99}' where id = ${(await at20(tx)).event_id}`,
  );
  assert.equal(altered!.problem, "audit_event_altered");
  assert.equal(altered!.leaf_index, "20");
  assert.ok(altered!.seq && altered!.event_id);
  assert.deepEqual(
    await problems(async (tx) =>
      tx`delete from public.audit_events where id = ${(await at20(tx)).event_id}`
    ),
    ["audit_event_missing 20"],
  );
});

Deno.test("VER-04 an event that was put in behind the sequencer's back is named", async () => {
  const found = await problems((tx) =>
    tx`insert into public.audit_events (tenant_id, type, occurred_at, actor, targets, data, context, xid)
      values (${tenants.A}, 'app.updated', now(), '{}', '[{"kind":"test"}]', '{}', '{}', '5')`
  );
  assert.deepEqual(found, ["audit_event_extra -"]);
});

Deno.test("VER-05 bytes, hashes and leaves that do not agree are named", async () => {
  const leaf = (change: string) => (tx: TransactionSql) =>
    tx.unsafe(
      `update private.audit_leaves set ${change} where tenant_id = '${tenants.A}' and leaf_index = 20`,
    );
  assert.deepEqual(await problems(leaf("bytes = bytes || ' '")), [
    "audit_bytes_altered 20",
    "audit_event_altered 20",
  ]);
  const rehashed = await problems(
    leaf("bytes = bytes || ' ', hash = sha256('\\x00'::bytea || convert_to(bytes || ' ', 'UTF8'))"),
  );
  assert.deepEqual(rehashed.slice(0, 1), ["audit_event_altered 20"]);
  assert.ok(rehashed.some((problem) => problem.startsWith("audit_checkpoint_root")));
  const removed = await problems((tx) =>
    tx`delete from private.audit_leaves where tenant_id = ${tenants.A} and leaf_index = 20`
  );
  assert.ok(removed.includes("audit_leaf_missing 21"), removed.join());
  assert.ok(removed.includes("audit_leaf_missing -"), "the one that has a seq and no leaf");
  assert.ok(removed.some((problem) => problem.startsWith("audit_checkpoint_ahead")));
  const extra = await problems(async (tx) =>
    tx`insert into private.audit_leaves
      select tenant_id, ${(await at20(tx)).size}, 1000000, recorded_at, event_id, bytes, hash
        from private.audit_leaves where tenant_id = ${tenants.A} and leaf_index = 20`
  );
  assert.ok(extra.some((problem) => problem.startsWith("audit_leaf_extra")), extra.join());
  assert.ok(extra.some((problem) => problem.startsWith("audit_order_altered")), extra.join());
  assert.ok(extra.some((problem) => problem.startsWith("audit_tree_size")), extra.join());
});

Deno.test("VER-06 an order that was changed, a signature or a personal value that is not the sealed one are named", async () => {
  assert.deepEqual(
    await problems((tx) =>
      tx`update private.audit_sequence s set event_id = o.event_id, recorded_at = o.recorded_at
          from private.audit_leaves a, private.audit_leaves o
         where a.tenant_id = ${tenants.A} and o.tenant_id = ${tenants.A} and s.seq = a.seq
           and (a.leaf_index, o.leaf_index) in ((20, 21), (21, 20))`
    ),
    ["audit_order_altered 20", "audit_order_altered 21"],
  );
  assert.deepEqual(
    await problems((tx) =>
      tx`delete from private.audit_signatures where tenant_id = ${tenants.A} and leaf_index = 20`
    ),
    ["audit_signature_missing 20"],
  );
  const personal = await problems(async (tx) =>
    tx`update private.audit_personal set value = '{"context.address": "192.0.2.9"}'
      where event_id = ${(await at20(tx)).event_id}`
  );
  assert.deepEqual(personal, ["audit_personal_altered 20"]);
});

Deno.test("VER-07 a tree or checkpoint that does not come of the leaves is named", async () => {
  const tree = (change: string) => (tx: TransactionSql) =>
    tx.unsafe(`update private.audit_trees set ${change} where tenant_id = '${tenants.A}'`);
  const last = Number((await at20(database.sql as unknown as TransactionSql)).size) - 1;
  assert.deepEqual(await problems(tree("root = sha256('')")), [`audit_tree_root ${last}`]);
  assert.deepEqual(await problems(tree("size = size + 1")), [`audit_tree_size ${last}`]);
  const note = (change: string) => (tx: TransactionSql) =>
    tx.unsafe(`update private.audit_checkpoints set ${change} where tenant_id = '${tenants.A}'
      and size = ${last + 1}`);
  assert.deepEqual(await problems(note("root = sha256('')")), [`audit_checkpoint_root ${last}`]);
  assert.deepEqual(
    await problems(note("note = replace(note, e'\\n' || size || e'\\n', e'\\n7\\n')")),
    [
      `audit_checkpoint_note ${last}`,
    ],
  );
  assert.deepEqual(await problems(note("size = size + 1")), [`audit_checkpoint_ahead ${last + 1}`]);
});

Deno.test("VER-08 a range is looked at alone", async () => {
  const { seq } = await at20(database.sql as unknown as TransactionSql);
  const alter = async (tx: TransactionSql) =>
    tx`update public.audit_events set data = '{}' where id = ${(await at20(tx)).event_id}`;
  const n = Number(seq);
  assert.equal((await verify("audrey", alter, [n, n])).length, 1);
  assert.equal((await verify("audrey", alter, [n + 1, null])).length, 0);
  assert.equal((await verify("audrey", alter, [0, n - 1])).length, 0);
});

Deno.test("VER-09 an event that the sequencer will not come to is named: its transaction has not been yet", async () => {
  const insert = (xid: string) => (tx: TransactionSql) =>
    tx.unsafe(`insert into public.audit_events
        (tenant_id, type, occurred_at, actor, targets, data, context, xid)
      values ('${tenants.A}', 'app.updated', now(), '{}', '[{"kind": "test"}]', '{}', '{}', ${xid})`);
  assert.deepEqual(await problems(insert("'99999999999'")), ["audit_event_extra -"]);
  assert.deepEqual(await problems(insert("default")), [], "one that was recorded just now waits");
});
