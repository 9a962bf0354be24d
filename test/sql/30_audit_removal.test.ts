// RET: the night's job signs what stands for a month that goes, and nothing that somebody who owns the database made look so.
import assert from "node:assert/strict";
import type { Sql } from "postgres";
import { checkpointFile } from "../../functions/_shared/audit/checkpoint_file.ts";
import { auditOrigin, openCheckpoint, signCheckpoint } from "../../functions/_shared/audit/note.ts";
import { rootOf } from "../../functions/_shared/audit/tree.ts";
import {
  arranged,
  counts,
  hashes,
  hex,
  key,
  makeMonth,
  problems,
  publicKey,
  publicUrl,
  record,
  x,
  y,
} from "./retention_log.ts";

const origin = auditOrigin(publicUrl, x);

const stones = (sql: Sql) =>
  sql<{ tenant_id: string; size: number; root: Uint8Array; note: string | null }[]>`
    select tenant_id, size::int, root, note from private.audit_tombstones
     where size > 0 order by tenant_id, size`;

const refusals = async (sql: Sql) =>
  (await sql`
    select targets, data from public.audit_events where type = 'audit.removal_refused' order by recorded_at`)
    .map(({ targets, data }) => [targets[0].id, data.size, data.reason]);

const signedOutside = async (dir: string) =>
  [...await checkpointFile(`${dir}/notes`).newest(publicKey, "tombstone")].length;

/** What the attacker of a log that is kept for ever does: the first records go, a tombstone stands for them. */
async function bury(sql: Sql, tenant: string, size: number, until = "2020-01-01"): Promise<void> {
  await sql`
    insert into private.audit_tombstones (tenant_id, recorded_until, size, frontier, root, events)
    select ${tenant}, ${until}, ${size}, f, private.tree_root(f), ${size}
      from private.retained_frontier(${tenant}, ${size}) f`;
  await sql`
    delete from public.audit_events e using private.audit_leaves l
     where l.tenant_id = ${tenant} and l.leaf_index < ${size} and e.tenant_id = l.tenant_id
       and e.recorded_at = l.recorded_at and e.id = l.event_id`;
  await sql`
    delete from private.audit_sequence s using private.audit_leaves l
     where l.tenant_id = ${tenant} and l.leaf_index < ${size} and s.seq = l.seq`;
  for (const table of ["audit_leaves", "audit_signatures"]) {
    await sql.unsafe(
      `delete from private.${table} where tenant_id = '${tenant}' and leaf_index < ${size}`,
    );
  }
  await sql`delete from private.audit_checkpoints where tenant_id = ${tenant} and size < ${size}`;
}

Deno.test("RET-12 the night's job looks at each record, signs what stands for it, pushes that outside, and drops", async () => {
  await using log = await arranged(["2020_01", 2_100, 1], ["2020_02", 4, 0]);
  const { sql } = log;
  await log.keep(365);
  await log.night(365);
  await log.night(365); // again does no harm
  const found = await stones(sql);
  assert.deepEqual(found.map(({ tenant_id, size }) => [tenant_id, size]), [
    [x, 2_100],
    [x, 2_104],
    [y, 1],
  ]);
  for (const { tenant_id, size, root, note } of found) {
    const origin = auditOrigin(publicUrl, tenant_id);
    const said = openCheckpoint(note!, origin, publicKey, "tombstone");
    assert.deepEqual([said!.size, hex(said!.root)], [size, hex(root)]);
    assert.equal(openCheckpoint(note!, origin, publicKey), null, "it is no checkpoint");
    assert.ok((await Deno.readTextFile(`${log.dir}/notes`)).includes(note!));
  }
  const newest = await log.outside.newest(publicKey, "tombstone");
  assert.equal(newest.get(origin)?.size, 2_104);
  assert.deepEqual(await refusals(sql), []);
  await log.seal();
  assert.deepEqual([...await problems(sql, x), ...await problems(sql, y)], []);
});

Deno.test("RET-16 a tombstone that an owner of the database put there is not signed, however it fits, and it is on record once", async () => {
  await using log = await arranged(["2020_01", 25, 0]);
  const { sql } = log;
  await record(sql, x, "2026-01-05", 10);
  await log.seal();
  await bury(sql, x, 25);
  assert.deepEqual(await problems(sql, x), [], "all of it fits");
  for (const days of [undefined, 31]) await log.night(days);
  await log.keep(31);
  await log.night(31);
  const [stone] = await stones(sql);
  assert.equal(stone!.note, null);
  assert.equal(await signedOutside(log.dir), 0);
  assert.deepEqual(await refusals(sql), [[x, 25, "unsigned_beginning"]]);
});

Deno.test("RET-17 nothing due is signed over a beginning that went without a signature", async () => {
  await using log = await arranged();
  const { sql } = log;
  await record(sql, x, "2026-11-01", 8); // what is to be hidden
  await log.seal();
  await makeMonth(sql, "2020_01");
  await record(sql, x, "2020-01-05", 1); // put in later, recorded long ago as it says
  await log.seal();
  const [{ at }] = await sql<[{ at: number }]>`
    select leaf_index::int as at from private.audit_leaves
     where tenant_id = ${x} and recorded_at < '2020-02-01'`;
  await bury(sql, x, at, "2019-01-01");
  await log.keep(31);
  await log.night(31);
  assert.equal(await signedOutside(log.dir), 0);
  const expected = [at + 1, at].map((size) => [x, size, "unsigned_beginning"]);
  assert.deepEqual(await refusals(sql), expected);
});

Deno.test("RET-18 records that say they are younger than the month stop it, whatever the tables say of them", async () => {
  await using log = await arranged(["2020_01", 3, 0]);
  const { sql } = log;
  await record(sql, x, "2026-11-01", 5);
  await log.seal();
  await sql`update private.audit_leaves set recorded_at = '2020-01-09' where tenant_id = ${x}`;
  await log.keep(31);
  await log.night(31);
  assert.deepEqual(await stones(sql).then((all) => all.length), 0);
  assert.equal(await signedOutside(log.dir), 0);
  const [[, , reason]] = await refusals(sql) as [[string, number, string]];
  assert.equal(reason, "record_too_young");
});

Deno.test("RET-19 what does not come to the checkpoint outside is not removed: a changed record, one that is gone, a log rolled back", async () => {
  for (
    const [tamper, reason] of [
      [
        "update private.audit_leaves set bytes = replace(bytes, 'app.', 'App.') where leaf_index = 1",
        "tree_altered",
      ],
      ["update private.audit_leaves set hash = sha256('x') where leaf_index = 4", "tree_altered"],
      ["delete from private.audit_leaves where leaf_index = 4", "tree_altered"],
    ] as const
  ) {
    await using log = await arranged(["2020_01", 3, 0]);
    await record(log.sql, x, "2026-11-01", 5);
    await log.seal();
    await log.sql.unsafe(tamper);
    await log.keep(31);
    await log.night(31);
    assert.deepEqual(await refusals(log.sql), [[x, 3, reason]], tamper);
    assert.equal((await stones(log.sql)).length, 0);
    assert.equal(await signedOutside(log.dir), 0);
  }
});

Deno.test("RET-20 without a checkpoint outside that covers it nothing is signed", async () => {
  await using log = await arranged(["2020_01", 3, 0]);
  await log.keep(31);
  await log.night(31, { auditCheckpointFile: `${log.dir}/none` });
  assert.deepEqual(await refusals(log.sql), [[x, 3, "no_checkpoint"]]);
  assert.equal((await counts(log.sql, x)).events, 3 + 1);
  await log.night(31);
  assert.equal((await stones(log.sql)).length, 1, "with it the month goes");
});

Deno.test("RET-21 the longer of what the database and the worker's environment say counts; without the latter no month goes", async () => {
  await using log = await arranged(["2020_01", 3, 0]);
  const { sql } = log;
  await log.night(31);
  await log.keep(31);
  await log.night();
  await log.night(36_500);
  assert.equal((await counts(sql, x)).events, 3 + 1);
  assert.deepEqual(await refusals(sql), [], "that is no attack");
  // Who owns the database may let the function ask for anything.
  await sql.unsafe(`
    create or replace function private.drop_audit_month(
      p_days integer default null, p_notes jsonb default '{}'
    ) returns jsonb language sql set search_path = ''
    as $$
      select jsonb_build_object('month', '2020_01', 'outcome', 'unsigned', 'events', 4,
        'before', now() + interval '1 day', 'stones', jsonb_build_array(jsonb_build_object(
          'tenant_id', '${x}', 'size', 4, 'from', 0, 'frontier', '[]'::jsonb, 'note', null)))
    $$`);
  await log.night(31);
  assert.equal(await signedOutside(log.dir), 0);
});

Deno.test("RET-22 without a file outside, the checkpoints and tombstones that the key signed are what is known", async () => {
  await using log = await arranged(["2020_01", 5, 0], ["2020_02", 4, 0]);
  const { sql } = log;
  const without = { has: (name: string) => name !== "GATEHOUSE_AUDIT_CHECKPOINT_FILE" };
  const before = await hashes(sql, x);
  await log.keep(365);
  await log.night(365, without);
  const found = await stones(sql);
  assert.deepEqual(
    found.map(({ size, root }) => [size, hex(root)]),
    [5, 9].map((size) => [
      size,
      hex(rootOf(before.slice(0, size))),
    ]),
  );
  assert.equal(await signedOutside(log.dir), 0);
  // A note that is signed for another place does not make an unsigned beginning a signed one.
  await makeMonth(sql, "2020_03");
  await record(sql, x, "2020-03-05", 1);
  await log.seal();
  const forged = signCheckpoint(
    { origin: `${origin}x`, size: 9, root: before[0]! },
    key,
    "tombstone",
  );
  await sql`update private.audit_tombstones set note = ${forged} where size = 9`;
  await log.night(365, without);
  const reasons = (await refusals(sql)).map(([, , reason]) => reason);
  assert.deepEqual(reasons, ["unsigned_beginning"]);
});
