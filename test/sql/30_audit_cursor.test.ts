// CUR: readers of list_events page while 32 writers commit in no order of their ids and a transaction of another database stays open.
// FULL=1: 500,000 events instead of 20,000. The small cases of the sequencer: 30_audit_sequence.test.ts.
import assert from "node:assert/strict";
import type { Sql } from "postgres";
import { type Actor, arrangeCast, bearer, claims, tenants } from "../support/actors.ts";
import { createDatabase } from "../support/database.ts";

const total = Deno.env.get("FULL") ? 500_000 : 20_000;
const writers = 32;
const pageSize = 500;
const types = ["app.updated", "user.updated", "app.created"] as const;

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const below = (n: number) => Math.floor(Math.random() * n);

interface Written {
  id: string;
  tenant: string;
  type: string;
}

/** Transactions of 1 to 20 events that wait before, between and after their writes; one in ten is undone. */
async function write(sql: Sql, share: number, written: Written[]): Promise<void> {
  const undone = Symbol("undone");
  for (let left = share; left > 0;) {
    const count = Math.min(left, 1 + below(20));
    const tenant = below(3) === 0 ? tenants.E : tenants.A;
    await sql.begin(async (tx) => {
      const rows: Written[] = [];
      const record = async (n: number) => {
        const type = types[below(types.length)]!;
        rows.push(
          ...await tx<Written[]>`
          select private.record_event(${tenant}, ${type}, '[{"kind":"test"}]', '{}') as id,
                 ${tenant}::text as tenant, ${type}::text as type from generate_series(1, ${n}::int)`,
        );
      };
      if (below(4) === 0) await sleep(below(20));
      await record(Math.ceil(count / 2));
      if (below(2) === 0) await sleep(below(30)); // its ids are old now, its commit is not
      if (count > 1) await record(Math.floor(count / 2));
      if (below(200) === 0) await sleep(500);
      if (below(10) === 0) throw undone;
      return rows;
    }).then((rows) => {
      written.push(...rows as Written[]);
      left -= count;
    }, (error) => {
      if (error !== undone) throw error;
    });
  }
}

class Reader {
  readonly seen: string[] = [];
  after = 0n;
  constructor(
    readonly sql: Sql,
    readonly actor: Actor,
    readonly tenant: string,
    readonly type?: string,
  ) {}

  async start(): Promise<void> {
    const [row] = await this.sql`select coalesce(max(seq), 0) as seq from private.audit_sequence`;
    this.after = BigInt(row!.seq);
  }

  /** The next page, in a transaction of its own. */
  async page(): Promise<number> {
    const held = claims(this.actor)!; // fresh: FULL takes longer than a token holds
    const headers = JSON.stringify({ authorization: bearer(held) });
    const rows = await this.sql.begin(async (tx) => {
      await tx`
        select set_config('request.jwt.claims', ${JSON.stringify(held)}, true),
          set_config('request.headers', ${headers}, true),
          set_config('request.method', 'POST', true), set_config('role', 'anon', true)`;
      await tx`select private.check_request()`;
      return await tx<{ seq: string; id: string }[]>`
        select seq, id from public.list_events(${this.tenant}, ${this.after.toString()},
          ${pageSize}, ${this.type ? [this.type] : null})`;
    });
    for (const { seq, id } of rows) {
      assert.ok(BigInt(seq) > this.after, "in order");
      this.after = BigInt(seq);
      this.seen.push(id);
    }
    return rows.length;
  }
}

Deno.test("CUR-01 no reader of list_events skips or repeats an event, whatever commits in between", async () => {
  await using database = await createDatabase();
  await using other = await createDatabase({ empty: true });
  await arrangeCast(database.sql);
  const worker = database.connect("gatehouse_worker", { max: 2 });
  const sequence = async (limit: number) =>
    (await worker<[{ n: number }]>`select private.sequence_events(${limit}) as n`)[0].n;
  while (await sequence(10_000) > 0);

  const elsewhere = await other.sql.reserve();
  await elsewhere`begin`;
  await elsewhere`create table held (id int)`; // has a transaction id, older than all that follow

  const readerPool = database.connect(undefined, { max: 4 });
  const readers = [
    new Reader(readerPool, "audrey", tenants.A),
    new Reader(readerPool, "alice", tenants.A, "user.updated"),
    new Reader(readerPool, "eve", tenants.E),
  ];
  for (const reader of readers) await reader.start();

  const written: Written[] = [];
  let writing = true;
  const sequencer = async () => {
    while (writing) {
      await sequence(1 + below(700));
      await sleep(below(20));
    }
  };
  const read = async (reader: Reader) => {
    while (writing) if (await reader.page() === 0) await sleep(10);
  };
  const busy = [sequencer(), sequencer(), ...readers.map(read)];
  const pool = database.connect(undefined, { max: writers });
  await Promise.all(Array.from({ length: writers }, () => write(pool, total / writers, written)));
  const before = readers.map(({ seen }) => seen.length);
  writing = false;
  await Promise.all(busy);
  while (await sequence(10_000) > 0);
  for (const reader of readers) while (await reader.page() > 0);

  assert.ok(written.length >= total, `${written.length}`);
  assert.ok(before.every((n) => n > total / 20), `they read while others wrote: ${before}`);
  const [{ open }] = await database.sql<[{ open: boolean }]>`
    select exists (select from pg_locks l join pg_stat_activity a using (pid)
      where a.datname = ${other.name} and l.locktype = 'transactionid') as open`;
  assert.ok(open, "the other database's transaction was open to the end");
  for (const { tenant, type, seen } of readers) {
    const own = written.filter((one) => one.tenant === tenant && (!type || one.type === type));
    assert.equal(new Set(seen).size, seen.length, "repeated");
    assert.deepEqual(seen.toSorted(), own.map(({ id }) => id).toSorted());
  }
  const [order] = await database.sql<[{ n: number }]>`
    select count(*)::int as n from (
      select event_id < lag(event_id) over (order by seq) as late from private.audit_sequence) s
     where late`;
  assert.ok(order.n > 100, `${order.n} events were committed out of the order of their ids`);
  await elsewhere`rollback`;
  elsewhere.release();
});
