// SEQ: the sequencer under concurrency. Each committed event gets one seq, and a reader that pages by seq sees all, once, in that order.
import assert from "node:assert/strict";
import type { Sql } from "postgres";
import { type Actor, arrangeCast, as, refusal, tenants } from "../support/actors.ts";
import { createDatabase, type TestDatabase } from "../support/database.ts";

async function prepared(): Promise<TestDatabase> {
  const database = await createDatabase();
  await arrangeCast(database.sql);
  return database;
}

const record = (sql: Pick<Sql, "unsafe">, tenant: string = tenants.A) =>
  sql.unsafe(
    `select private.record_event('${tenant}', 'app.updated', '[{"kind":"test"}]', '{}') as id`,
  ).then((
    [row],
  ) => row!.id as string);

const sequence = async (sql: Sql, limit = 10_000): Promise<number> =>
  (await sql`select private.sequence_events(${limit}) as n`)[0]!.n;

/** Calls the sequencer until it finds nothing; returns how many it numbered. */
async function drain(sql: Sql, limit?: number): Promise<number> {
  let all = 0;
  for (let n = 1; n > 0; all += n) n = await sequence(sql, limit);
  return all;
}

Deno.test("SEQ-01 every committed event gets one seq, without gaps", async () => {
  await using database = await prepared();
  const worker = database.connect("gatehouse_worker");
  await drain(worker);
  const [row] = await database.sql`
    select (select count(*) from public.audit_events)::int as events, count(*)::int as numbered, max(seq)::int as newest
      from private.audit_sequence`;
  assert.equal(row!.numbered, row!.events);
  assert.equal(row!.newest, row!.events);
  assert.equal(await sequence(worker), 0);
});

Deno.test("SEQ-02 an open transaction of this database holds back what came after it began, and is not skipped", async () => {
  await using database = await prepared();
  const { sql } = database;
  await drain(sql);
  const slow = await sql.reserve();
  await slow`begin`;
  const first = await record(slow);
  const second = await record(sql);
  assert.equal(await sequence(sql), 0, "the later one must wait");
  await slow`commit`;
  slow.release();
  assert.equal(await sequence(sql), 2);
  const order =
    await sql`select event_id as id from private.audit_sequence order by seq desc limit 2`;
  assert.deepEqual(order.map(({ id }) => id), [second, first]);
});

Deno.test("SEQ-03 a transaction that is rolled back leaves no gap and holds nothing", async () => {
  await using database = await prepared();
  const { sql } = database;
  await drain(sql);
  const slow = await sql.reserve();
  await slow`begin`;
  await record(slow);
  await record(sql);
  await slow`rollback`;
  slow.release();
  assert.equal(await sequence(sql), 1);
  const [row] = await sql`select max(seq) - count(*) as gap from private.audit_sequence`;
  assert.equal(Number(row!.gap), 0);
});

Deno.test("SEQ-04 an open transaction of another database holds nothing back", async () => {
  await using database = await prepared();
  await using other = await createDatabase({ empty: true });
  await drain(database.sql);
  const busy = await other.sql.reserve();
  await busy`begin`;
  await busy`create table t (id int)`; // has a transaction id now
  const worker = database.connect("gatehouse_worker");
  await record(database.sql);
  assert.equal(await sequence(worker), 1);
  await busy`rollback`;
  busy.release();
});

Deno.test("SEQ-05 a subtransaction is its transaction's", async () => {
  await using database = await prepared();
  const { sql } = database;
  await drain(sql);
  await sql.begin(async (tx) => {
    await tx.savepoint((s) => record(s));
    await tx.savepoint(async (s) => {
      await record(s);
      throw new Error("undone");
    }).catch(() => {});
    await record(tx);
  });
  assert.equal(await sequence(sql), 2);
});

Deno.test("SEQ-06 a batch may stop inside a transaction; the rest follows, nothing twice", async () => {
  await using database = await prepared();
  const { sql } = database;
  await drain(sql);
  await sql.begin(async (tx) => {
    for (let i = 0; i < 25; i++) await record(tx);
  });
  const counts = [];
  for (let n = 1; n > 0;) counts.push(n = await sequence(sql, 10));
  assert.deepEqual(counts, [10, 10, 5, 0]);
  const [row] =
    await sql`select count(*)::int as n, count(distinct event_id)::int as events from private.audit_sequence`;
  assert.equal(row!.n, row!.events);
});

Deno.test("SEQ-07 of two sequencers at once one waits for nothing and returns 0", async () => {
  await using database = await prepared();
  const { sql } = database;
  await drain(sql);
  await record(sql);
  const holder = await sql.reserve();
  await holder`begin`;
  assert.equal((await holder`select private.sequence_events(10) as n`)[0]!.n, 1);
  assert.equal(await sequence(sql), 0);
  await holder`commit`;
  holder.release();
});

Deno.test("SEQ-08 with writers, slow writers, sequencers and readers at once no reader skips or repeats an event", async () => {
  await using database = await prepared();
  const writers = database.connect(undefined, { max: 8 });
  const worker = database.connect("gatehouse_worker", { max: 2 });
  await drain(worker);
  const [start] = await database
    .sql`select coalesce(max(seq), 0)::bigint as seq from private.audit_sequence`;
  const written: string[] = [];
  let writing = true;

  const writer = async (number: number) => {
    for (let i = 0; i < 25; i++) {
      await writers.begin(async (tx) => {
        const ids = [await record(tx)];
        // some hold their transaction open while others begin and commit
        if ((number + i) % 3 === 0) await tx`select pg_sleep(0.01)`;
        if (i % 2 === 0) ids.push(await record(tx));
        if (i % 7 === 0) throw "undone";
        return ids;
      }).then((ids) => written.push(...ids as string[]), (error) => {
        if (error !== "undone") throw error;
      });
    }
  };
  const sequencer = async () => {
    while (writing) {
      await sequence(worker, 7);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  };
  const seen: string[] = [];
  let after = start!.seq as string;
  const read = async () => {
    const page = await database.sql`
      select seq, event_id from private.audit_sequence where seq > ${after} order by seq limit 5`;
    for (const { seq, event_id } of page) {
      assert.equal(BigInt(seq), BigInt(after) + 1n, "dense");
      after = seq;
      seen.push(event_id);
    }
    return page.length;
  };
  const reader = async () => {
    while (writing) await read();
  };

  const busy = [sequencer(), sequencer(), reader()];
  await Promise.all(Array.from({ length: 8 }, (_, number) => writer(number)));
  writing = false;
  await Promise.all(busy);
  await drain(worker);
  while (await read() > 0);
  assert.ok(written.length > 200);
  assert.deepEqual(seen.toSorted(), written.toSorted());
});

Deno.test("SEQ-09 after a restore into a cluster with younger transaction ids the order goes on", async () => {
  await using database = await prepared();
  const { sql } = database;
  await drain(sql);
  const [before] = await sql`select max(seq)::int as seq from private.audit_sequence`;
  // as a dump of a much older cluster would bring them
  await sql`update private.audit_sequencer set horizon = '9000000000'`;
  await record(sql);
  await sql`update public.audit_events set xid = '8999999999' where id = (select id from public.audit_events order by recorded_at desc limit 1)`;
  assert.equal(await drain(sql), 1);
  await record(sql);
  assert.equal(await drain(sql), 1);
  const rows = await sql`select seq, event_id from private.audit_sequence order by seq`;
  assert.equal(new Set(rows.map(({ event_id }) => event_id)).size, before!.seq + 2);
  assert.deepEqual(rows.slice(-3).map(({ seq }) => seq), [
    `${before!.seq}`,
    "2000000001",
    "2000000002",
  ]);
});

Deno.test("SEQ-10 of two transactions that overlap, the order is that of what they did, not of their beginning", async () => {
  await using database = await prepared();
  const { sql } = database;
  await drain(sql);
  const older = await sql.reserve();
  await older`begin`;
  const first = await record(older);
  const second = await record(sql);
  const third = await record(older);
  await older`commit`;
  older.release();
  assert.equal(await sequence(sql), 3);
  const order =
    await sql`select event_id as id from private.audit_sequence order by seq desc limit 3`;
  assert.deepEqual(order.map(({ id }) => id), [third, second, first]);
});

const lastSeq = async (sql: Sql): Promise<string> =>
  (await sql`select last_seq from private.audit_sequencer`)[0]!.last_seq;

Deno.test("SEQ-11 of a restore that takes several batches the numbers jump once", async () => {
  await using database = await prepared();
  const { sql } = database;
  await drain(sql);
  for (let i = 0; i < 25; i++) await record(sql);
  await sql`update private.audit_sequencer set system_id = 1`; // as a dump of another cluster has it
  assert.equal(await drain(sql, 10), 25);
  assert.equal(await lastSeq(sql), "2000000025");
});

Deno.test("SEQ-12 a dump that comes back into the same cluster, and a log of writes that was forked, are seen", async () => {
  await using database = await prepared();
  const { sql } = database;
  await drain(sql);
  // a table that was made anew has another oid; a recovery and a failover begin a timeline
  for (const [column, expected] of [["table_id", 2], ["timeline", 4]] as const) {
    await sql`update private.audit_sequencer set ${sql(column)} = 1 + ${sql(column)}::bigint`;
    await record(sql);
    await drain(sql);
    assert.equal(await lastSeq(sql), `${expected}000000001`);
    await record(sql);
    await drain(sql);
    assert.equal(await lastSeq(sql), `${expected}000000002`);
  }
  await sql`update private.audit_sequencer set table_id = null, timeline = null`; // not known yet, after an upgrade
  await record(sql);
  await drain(sql);
  assert.equal(await lastSeq(sql), "4000000003");
});

Deno.test("SEQ-13 what the database cannot see an operator declares, once more without harm, and nobody else", async () => {
  await using database = await prepared();
  const { sql } = database;
  await drain(sql);
  const declare = (by: Sql) => by`select private.declare_restore() as n`.then(([row]) => row!.n);
  assert.deepEqual([await declare(sql), await declare(sql)], ["2000000000", "4000000000"]);
  await record(sql);
  await drain(sql);
  assert.equal(await lastSeq(sql), "4000000001");
  assert.equal(await declare(sql), "6000000000");
  for (const actor of ["anon", "alice", "eve", "pat"] as const) {
    await assert.rejects(as(sql, actor, (tx) => tx`select private.declare_restore()`), {
      code: "42501",
    });
  }
  for (const role of ["gatehouse_worker", "gatehouse_functions", "gatehouse_provision"]) {
    await assert.rejects(declare(database.connect(role)), { code: "42501" });
  }
});

Deno.test("SEQ-14 a reader beyond the newest seq is told so, and what the newest is; a stranger is not", async () => {
  await using database = await prepared();
  const { sql } = database;
  await drain(sql);
  const newest = await lastSeq(sql);
  const list = (actor: Actor, after: string, types: string[] | null = null) =>
    as(
      sql,
      actor,
      (tx) => tx`select * from public.list_events(${tenants.A}, ${after}, 10, ${types})`,
    );
  assert.deepEqual([...await list("audrey", newest)], []);
  assert.deepEqual([...await list("audrey", "0", ["custom.none"])], []);
  const beyond = `${BigInt(newest) + 1n}`;
  await assert.rejects(list("audrey", beyond), (error: Error & { detail: string }) => {
    assert.deepEqual({ ...error, message: error.message }, {
      ...error,
      ...refusal("cursor_ahead", 409),
    });
    assert.ok(error.detail.includes(beyond) && error.detail.endsWith(newest), error.detail);
    return true;
  });
  await assert.rejects(list("eve", beyond), refusal("not_allowed", 403));
});
