// RET: months that are over go, personal values go sooner; what is left of the log still verifies, and never under a legal hold.
import assert from "node:assert/strict";
import type { Sql } from "postgres";
import { auditOrigin, openCheckpoint } from "../../functions/_shared/audit/note.ts";
import { rootOf } from "../../functions/_shared/audit/tree.ts";
import { headerLine, noteLine, recordLine } from "../../functions/_shared/audit/export_format.ts";
import { verifyFile } from "../../scripts/audit/verify_file.ts";
import { createDatabase } from "../support/database.ts";
import { undone } from "../support/log.ts";
import {
  arranged,
  counts,
  hashes,
  hex,
  makeMonth,
  problems,
  publicKey,
  publicUrl,
  record,
  x,
  y,
} from "./retention_log.ts";

Deno.test("RET-01 without a setting, or before a month is over for so long, nothing is dropped", async () => {
  await using log = await arranged(["2020_01", 3, 0]);
  assert.equal(await log.drop(), null);
  await log.keep(36_500);
  assert.equal(await log.drop(), null);
  assert.equal((await counts(log.sql, x)).events, 3 + 1);
});

Deno.test("RET-02 a month that is over is dropped whole; a tombstone stands for it, the rest verifies and grows on", async () => {
  await using log = await arranged(["2020_01", 5, 2], ["2020_02", 4, 0]);
  const { sql } = log;
  const before = await hashes(sql, x);
  await log.keep(365);
  assert.deepEqual(await log.drop(), { month: "2020_01", outcome: "dropped", events: 7 });
  assert.equal((await sql`select to_regclass('private.audit_events_2020_01') as t`)[0]!.t, null);
  const left = { events: 6, leaves: 5, signatures: 5, numbered: 5, personal: 4 }; // 4, made, dropped
  assert.deepEqual(await counts(sql, x), left);
  const [stone, ...more] = await sql`
    select size::int, root, frontier, first_seq::int, last_seq::int, events::int, note, recorded_until::date::text as before
      from private.audit_tombstones where tenant_id = ${x}`;
  assert.deepEqual(more, []);
  assert.equal(hex(stone!.root), hex(rootOf(before.slice(0, 5))));
  assert.deepEqual([stone!.size, stone!.events, stone!.before], [5, 5, "2020-02-01"]);
  const said = openCheckpoint(stone!.note, auditOrigin(publicUrl, x), publicKey, "tombstone");
  assert.equal(hex(said!.root), hex(stone!.root), "signed before anything was removed");
  assert.ok(stone!.first_seq < stone!.last_seq);
  const [event] =
    await sql`select data from public.audit_events where type = 'audit.dropped' and tenant_id = ${x}`;
  assert.deepEqual([event!.data.events, event!.data.size, event!.data.root], [
    5,
    5,
    hex(stone!.root),
  ]);
  assert.deepEqual(await problems(sql, x), []);
  await log.seal(); // the signer goes on where it was
  assert.deepEqual(await problems(sql, x), []);
  assert.deepEqual(await problems(sql, y), []);
  const [tree] =
    await sql`select size::int, signed_size::int from private.audit_trees where tenant_id = ${x}`;
  assert.deepEqual({ ...tree }, { size: 11, signed_size: 11 });
});

Deno.test("RET-03 month after month, each tombstone built on the one before, across batches", async () => {
  await using log = await arranged(["2020_01", 1_500, 0], ["2020_02", 700, 0], ["2020_03", 1, 0]);
  const { sql } = log;
  const before = await hashes(sql, x);
  await log.keep(365);
  for (const events of [1_500, 700, 1]) assert.equal((await log.drop())!.events, events);
  assert.equal(await log.drop(), null, "this month is not over");
  const stones = await sql`
    select size::int, root from private.audit_tombstones where tenant_id = ${x} order by recorded_until`;
  assert.deepEqual(
    stones.map(({ size, root }) => [size, hex(root)]),
    [1_500, 2_200, 2_201].map((size) => [size, hex(rootOf(before.slice(0, size)))]),
  );
  await log.seal();
  assert.deepEqual(await problems(sql, x), []);
});

Deno.test("RET-04 a tombstone that is altered, or missing, is found", async () => {
  await using log = await arranged(["2020_01", 5, 0]);
  const { sql } = log;
  await log.keep(365);
  await log.drop();
  for (
    const tamper of [
      "update private.audit_tombstones set frontier = array[sha256('a')]",
      "update private.audit_tombstones set frontier = array[sha256('a')], root = sha256('a')",
      "update private.audit_tombstones set size = 4",
      "delete from private.audit_tombstones",
    ]
  ) {
    await undone(sql, async (tx) => {
      await tx.unsafe(tamper);
      assert.notDeepEqual(await problems(tx as unknown as Sql, x), [], tamper);
    });
  }
});

Deno.test("RET-05 what is not sealed and signed yet is not dropped", async () => {
  await using log = await arranged(["2020_01", 2, 0]);
  await log.keep(365);
  await record(log.sql, x, "2020-01-20", 1);
  const unsealed = { month: "2020_01", outcome: "unsealed", events: 3 };
  assert.deepEqual(await log.drop(), unsealed, "it has no seq");
});

Deno.test("RET-06 sealed and not signed is not enough", async () => {
  await using database = await createDatabase();
  const { sql } = database;
  await makeMonth(sql, "2020_01");
  await record(sql, x, "2020-01-05", 2);
  await sql`select private.sequence_events(10000)`;
  await sql`select private.seal_events(10000)`;
  await sql`update public.settings set value = '365' where key = 'audit.retention_days'`;
  const [row] = await sql`select private.drop_audit_month(31) as done`;
  assert.equal(row!.done.outcome, "unsealed");
});

Deno.test("RET-07 a leaf that somebody took away stops the sweep: nothing is covered up", async () => {
  await using log = await arranged(["2020_01", 5, 0]);
  await log.sql`delete from private.audit_leaves where tenant_id = ${x} and leaf_index = 2`;
  await log.keep(365);
  await assert.rejects(log.drop(), { message: "audit_incomplete" });
  assert.equal((await counts(log.sql, x)).events, 5 + 1);
});

Deno.test("RET-08 an event out of order at the month's end keeps its leaf until the next month goes", async () => {
  await using log = await arranged(["2020_01", 3, 0], ["2020_02", 2, 0]);
  const { sql } = log;
  // Recorded in January, committed after events of today.
  await record(sql, x, "2020-01-31", 1);
  await log.seal();
  await log.keep(365);
  assert.equal((await log.drop())!.events, 4);
  assert.deepEqual(await problems(sql, x), []);
  const [left] = await sql`
    select count(*)::int as n from private.audit_leaves where tenant_id = ${x} and recorded_at < '2020-02-01'`;
  assert.equal(left!.n, 1);
  assert.equal((await log.drop())!.events, 2);
  assert.deepEqual(await problems(sql, x), []);
});

Deno.test("RET-09 under a legal hold no month goes and no value of the tenant; others' values go", async () => {
  await using log = await arranged(["2020_01", 3, 3]);
  const { sql } = log;
  await log.keep(365);
  await sql`insert into public.legal_holds (tenant_id, reason) values (${x}, 'case 7')`;
  assert.deepEqual(await log.drop(), { month: "2020_01", outcome: "held", events: 6 });
  await log.worker`select private.remove_old_values(100)`;
  assert.equal((await counts(sql, x)).personal, 3);
  assert.equal((await counts(sql, y)).personal, 0);
  assert.deepEqual([...await problems(sql, x), ...await problems(sql, y)], []);
  await sql`update public.legal_holds set lifted_at = now()`;
  assert.equal((await log.drop())!.outcome, "dropped");
});

Deno.test("RET-10 a tenant's own shorter retention removes values and salts and no event", async () => {
  await using log = await arranged(["2020_01", 30, 30]);
  const { sql } = log;
  const events = () =>
    sql`select to_jsonb(e) from public.audit_events e where tenant_id = ${x} and type = 'app.activated' order by 1`;
  const before = await events();
  await sql`update public.tenants set personal_retention_days = 90 where id = ${x}`;
  let removed = 0;
  for (let n = 1; n > 0; removed += n) {
    n = (await log.worker`select private.remove_old_values(7) as n`)[0]!.n;
    assert.ok(n <= 7);
  }
  assert.equal(removed, 30);
  assert.equal((await counts(sql, x)).personal, 0);
  assert.equal((await counts(sql, y)).personal, 30);
  assert.deepEqual([...await events()], [...before]);
  assert.deepEqual(await problems(sql, x), []);
});

Deno.test("RET-11 what was recorded of an erased person while the erasure ran is swept", async () => {
  await using log = await arranged();
  const { sql } = log;
  const [user] = await sql`
    insert into public.users (issuer, subject, home_tenant_id, email) values ('http://i.test', '7', ${x}, 'ada@x.example') returning id`;
  await sql`select private.erase_user(u) from public.users u`;
  await sql`
    select private.record_event(${x}, 'app.activated', '[]', '{"client_id": null}',
      ${sql.json({ kind: "user", id: user!.id })}, null, '{"address": "10.1.2.3"}')`;
  assert.equal((await log.worker`select private.remove_old_values(100) as n`)[0]!.n, 1);
  await log.seal();
  assert.deepEqual(await problems(sql, x), []);
});

Deno.test("RET-13 a reader in the way puts it off: two seconds, then all is as it was", async () => {
  await using log = await arranged(["2020_01", 5, 0]);
  await log.keep(365);
  const reader = await log.sql.reserve();
  await reader`begin`;
  await reader`select count(*) from public.audit_events`;
  await assert.rejects(log.drop(), { code: "55P03" });
  assert.deepEqual(await counts(log.sql, x), {
    events: 6,
    leaves: 6,
    signatures: 6,
    numbered: 6,
    personal: 5,
  });
  await reader`rollback`;
  reader.release();
  assert.equal((await log.drop())!.outcome, "dropped");
});

Deno.test("RET-14 a retention that is none is refused", async () => {
  await using database = await createDatabase();
  for (const value of ["30", "0", "-1", '"365"', "365.5", "true", "{}", "1000000"]) {
    await assert.rejects(
      database.sql.unsafe(
        `update public.settings set value = '${value}' where key = 'audit.retention_days'`,
      ),
      { constraint_name: "setting_retention_malformed" },
      value,
    );
  }
  for (const value of ["31", "365", "null"]) {
    await database.sql.unsafe(
      `update public.settings set value = '${value}' where key = 'audit.retention_days'`,
    );
  }
});

Deno.test("RET-15 an export after retention, a shorter retention and an erasure is proved offline by a checkpoint from before", async () => {
  await using log = await arranged(["2020_01", 20, 0], ["2020_02", 10, 0]);
  const { sql } = log;
  const [user] = await sql`
    insert into public.users (issuer, subject, home_tenant_id, email) values ('http://i.test', '7', ${x}, 'ada@x.example') returning id`;
  await log.seal();
  const [{ note }] = await sql<[{ note: string }]>`
    select note from private.list_checkpoints() where tenant_id = ${x}`;
  const origin = auditOrigin(publicUrl, x);
  const known = [openCheckpoint(note, origin, publicKey)!];

  await log.keep(365);
  assert.equal((await log.drop())!.month, "2020_01");
  await sql`update public.tenants set personal_retention_days = 31 where id = ${x}`;
  await log.worker`select private.remove_old_values(1000)`;
  await sql`select private.erase_user(u) from public.users u where id = ${user!.id}`;
  await log.seal();
  assert.deepEqual(await counts(sql, x).then(({ personal }) => personal), 0);

  const dir = await Deno.makeTempDir({ prefix: "gatehouse-retain-" });
  try {
    const whole = await exported(log, `${dir}/whole`);
    const report = await verifyFile(whole, { key: publicKey, known, threads: 0 });
    assert.deepEqual(report.problems, []);
    assert.equal(report.first, 20);
    assert.ok(report.provedTo >= known[0]!.size);

    const lines = (await Deno.readTextFile(whole)).split("\n");
    await Deno.writeTextFile(`${dir}/cut`, lines.toSpliced(1, 1).join("\n"));
    const cut = await verifyFile(`${dir}/cut`, { key: publicKey, known, threads: 0 });
    assert.equal(cut.firstBad, 20, "one more record gone than retention removed");
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

/** The tenant's export as the worker writes it; its path. */
async function exported({ sql, worker }: { sql: Sql; worker: Sql }, path: string): Promise<string> {
  const [asked] = await sql`
    insert into public.audit_exports (tenant_id, format, requested_by) values (${x}, 'jsonl', '{}') returning id`;
  const [{ plan }] = await worker<
    [{ plan: { first: number; size: number; prefix: string[]; notes: never[] } }]
  >`
    select private.begin_export(${x}, ${asked!.id}) as plan`;
  const records = await worker<
    { index: string; bytes: string; signature: string | null; personal: null }[]
  >`
    select * from private.list_export_leaves(${x}, ${plan.first}, ${plan.size})`;
  const { first, size, prefix, notes } = plan;
  const origin = auditOrigin(publicUrl, x);
  await Deno.writeTextFile(
    path,
    headerLine({
      origin,
      tenant_id: x,
      first,
      prefix,
      size,
      exported_at: new Date().toISOString(),
    }) +
      records.map(({ personal, index, ...record }) =>
        recordLine({ ...record, index: Number(index), personal: personal ?? undefined })
      ).join("") + notes.map(noteLine).join(""),
  );
  return path;
}
