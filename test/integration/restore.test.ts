// A dump goes into another cluster, whose transaction ids know nothing of the old one's: readers of the log neither skip nor repeat.
import assert from "node:assert/strict";
import postgres, { type Sql } from "postgres";
import { migratedDatabase, withSql } from "../../scripts/db/throwaway.ts";
import { migrate } from "../../scripts/migrate.ts";
import { arrangeCast, as, refusal, tenants } from "../support/actors.ts";
import { createDatabase } from "../support/database.ts";
import { age, alignAges, recoverableCluster, restore } from "./restore_support.ts";

interface Read {
  seq: string;
  id: string;
}

/** From a seq on to the end, in pages, as an auditor's reader goes. */
async function readOn(sql: Sql, after: string, types: string[] | null = null): Promise<Read[]> {
  const found: Read[] = [];
  for (;;) {
    const page = await as(
      sql,
      "audrey",
      (tx) =>
        tx<Read[]>`select seq, id from public.list_events(${tenants.A}, ${
          found.at(-1)?.seq ?? after
        }, 7, ${types})`,
    );
    if (page.length === 0) return found;
    found.push(...page);
  }
}

const record = async (sql: Sql, count: number): Promise<string[]> =>
  (await sql`
    select private.record_event(${tenants.A}, 'test.recorded', '[]', '{}') as id
      from generate_series(1, ${count})`).map(({ id }) => id);

const sequence = async (sql: Sql, limit: number) =>
  (await sql`select private.sequence_events(${limit}) as n`)[0]!.n as number;

/** In batches that stop inside transactions, while others write and one holds its transaction open. */
async function sequenceAmongWriters(sql: Sql): Promise<string[]> {
  let written: string[] = [];
  let go!: () => void;
  const held = new Promise<void>((resolve) => go = resolve);
  let begun!: () => void;
  const open = new Promise<void>((resolve) => begun = resolve);
  const late = sql.begin(async (tx) => {
    const ids = await record(tx as unknown as Sql, 3);
    begun();
    await held;
    return ids;
  });
  await open;
  const writers = Array.from({ length: 4 }, async () => {
    for (let i = 0; i < 10; i++) written = written.concat(await record(sql, 2));
  });
  for (let i = 0; i < 20; i++) await sequence(sql, 9);
  await Promise.all(writers);
  for (let i = 0; i < 5; i++) await sequence(sql, 9);
  go();
  written = written.concat(await late);
  while (await sequence(sql, 9) > 0);
  return written;
}

async function logOf(sql: Sql): Promise<string[]> {
  return (await sql`select id from public.audit_events where tenant_id = ${tenants.A}`)
    .map(({ id }) => id);
}

const restored: [into: string, ages: { source: number; target: number; between: number }][] = [
  ["a younger cluster", { source: 5_000, target: 0, between: 0 }],
  ["an older cluster", { source: 0, target: 20_000, between: 0 }],
  // the new cluster is past the old horizon, and not past what had no seq yet
  ["a cluster of just its age", { source: 1_000, target: 1_200, between: 1_000 }],
];

for (const [into, ages] of restored) {
  Deno.test(`a reader goes on over a restore into ${into}: nothing skipped, nothing twice`, async () => {
    await using from = await createDatabase();
    await using cluster = await migratedDatabase();
    const to = postgres(cluster.url, { max: 8, onnotice: () => {} });
    try {
      await arrangeCast(from.sql);
      await alignAges(from.sql, to);
      await Promise.all([age(from.sql, ages.source), age(to, ages.target)]);
      await record(from.sql, 40);
      while (await sequence(from.sql, 1000) > 0);
      const before = await readOn(from.sql, "0");
      await age(from.sql, ages.between);
      await record(from.sql, 25); // committed, not yet in order: the dump holds them so
      const inOrder = await from.sql`select * from private.audit_sequence order by seq`;

      await restore(from.sql, to);
      assert.deepEqual(await readOn(to, "0"), before, "the order of before the dump stays");
      const written = await sequenceAmongWriters(to);
      const after = await readOn(to, before.at(-1)!.seq);
      const all = [...before, ...after].map(({ id }) => id);
      assert.equal(new Set(all).size, all.length, "nothing twice");
      assert.deepEqual(all.toSorted(), (await logOf(to)).toSorted(), "nothing skipped");
      assert.ok(written.every((id) => after.some((one) => one.id === id)));
      assert.deepEqual(
        [...await to`select * from private.audit_sequence where seq <= ${inOrder.length} order by seq`],
        [...inOrder],
      );

      // and on, past the ids that the dump brought along
      await age(to, ages.source + ages.between + 1_000);
      const more = await record(to, 5);
      while (await sequence(to, 1000) > 0);
      const last = (await readOn(to, after.at(-1)!.seq)).map(({ id }) => id);
      assert.deepEqual(last.toSorted(), more.toSorted());
      assert.deepEqual((await readOn(to, "0")).map(({ id }) => id), [...all, ...last]);
    } finally {
      await to.end();
    }
  });
}

Deno.test("an endpoint that was made just before a dump still gets what it asked for, after the restore", async () => {
  await using from = await createDatabase();
  await using cluster = await migratedDatabase();
  await arrangeCast(from.sql);
  await age(from.sql, 5_000);
  await record(from.sql, 4);
  await from.sql`
    insert into public.webhook_endpoints (tenant_id, url, event_types, since_at)
    values (${tenants.A}, 'https://hooks.example/', '{test.*}', now() - interval '1 hour')`;
  await withSql(cluster.url, async (to) => {
    await restore(from.sql, to);
    assert.equal((await to`select private.catch_up_endpoints() as n`)[0]!.n, 4);
    assert.equal((await to`select private.catch_up_endpoints() as n`)[0]!.n, 0);
  });
});

const idsOf = (read: Read[]) => read.map(({ id }) => id).toSorted();

Deno.test("a reader ahead of the dump misses nothing of what comes after the restore", async () => {
  await using from = await createDatabase();
  await using cluster = await migratedDatabase();
  await arrangeCast(from.sql);
  await record(from.sql, 40);
  while (await sequence(from.sql, 1000) > 0);
  const unnumbered = await record(from.sql, 3);
  await withSql(cluster.url, async (to) => {
    await restore(from.sql, to);
    // what the backup does not have, read to the end
    await record(from.sql, 100);
    while (await sequence(from.sql, 1000) > 0);
    const place = (await readOn(from.sql, "0")).at(-1)!.seq;

    await assert.rejects(readOn(to, place), refusal("cursor_ahead", 409));
    const written = await record(to, 5);
    while (await sequence(to, 2) > 0);
    const after = await readOn(to, place);
    assert.deepEqual(idsOf(after), [...unnumbered, ...written].toSorted());
    const more = await record(to, 60);
    while (await sequence(to, 1000) > 0);
    assert.deepEqual(idsOf(await readOn(to, after.at(-1)!.seq)), more.toSorted());
  });
});

Deno.test("nor does a reader ahead of the point in time to which the cluster was recovered", async () => {
  await using cluster = await recoverableCluster();
  await withSql(cluster.url(), (sql) => sql`create database gatehouse`);
  const inside = <T>(use: (sql: Sql) => Promise<T>) => withSql(cluster.url("gatehouse"), use);
  await migrate({ url: cluster.url("gatehouse") });
  const number = async (sql: Sql) => {
    while (await sequence(sql, 1000) > 0);
  };
  await inside(async (sql) => {
    await arrangeCast(sql);
    await record(sql, 40);
    await number(sql);
  });
  await cluster.backUp();
  const place = await inside(async (sql) => {
    await record(sql, 100);
    await number(sql);
    return (await readOn(sql, "0")).at(-1)!.seq;
  });
  await cluster.recover();
  await inside(async (sql) => {
    await assert.rejects(readOn(sql, place), refusal("cursor_ahead", 409));
    const written = await record(sql, 200);
    await number(sql);
    assert.deepEqual(idsOf(await readOn(sql, place)), written.toSorted());
  });
});
