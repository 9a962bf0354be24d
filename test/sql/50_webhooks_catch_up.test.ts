// WEB: a new endpoint gets what was recorded from its since_at on, in portions that hold up nobody.
import assert from "node:assert/strict";
import type { Sql, TransactionSql } from "postgres";
import deliveries__cancel_stranded from "../../functions/_worker/tasks/deliveries__cancel_stranded.ts";
import endpoints__catch_up from "../../functions/_worker/tasks/endpoints__catch_up.ts";
import endpoints__find_due from "../../functions/_worker/tasks/endpoints__find_due.ts";
import { arrangeCast, as, tenants } from "../support/actors.ts";
import { createDatabase, type TestDatabase } from "../support/database.ts";
import { jobs } from "../support/log.ts";
import { suiteDatabase } from "../support/suite.ts";
import { emit, ids } from "./webhook_cases.ts";

const database = suiteDatabase();
const other = "01990000-0000-7000-8000-0000000000f2";

async function ownDatabase(): Promise<TestDatabase> {
  const own = await createDatabase();
  await arrangeCast(own.sql);
  return own;
}

const add = (sql: Sql | TransactionSql, id = ids.A) =>
  sql`insert into public.webhook_endpoints (tenant_id, id, url, event_types, since_at)
    values (${tenants.A}, ${id}, 'https://hooks.example/', '{app.updated}', coalesce(
      (select min(recorded_at) from public.audit_events where type = 'app.updated'), now()))`;

/** All that was written beside it has ended, whatever runs in the cluster's other databases. */
const addLongAgo = async (sql: Sql, id = ids.A) => {
  await add(sql, id);
  await sql`update private.webhook_catch_ups set barrier_xid = '3'`;
};

const enable = (sql: Sql | TransactionSql, enabled: boolean) =>
  sql`update public.webhook_endpoints set enabled = ${enabled} where id = ${ids.A}`;

const run = (task: typeof endpoints__catch_up, sql: Sql) =>
  task({}, {
    sql,
    now: () => new Date(),
    holder: "test",
    stopping: new AbortController().signal,
  });

const portion = async (sql: Sql, limit: number): Promise<number> =>
  (await sql<[{ n: number }]>`select private.catch_up_endpoints(${limit}) as n`)[0].n;

/** Of the endpoint's events of applications: how many deliveries there are in a state, and of how many events. */
async function noted(sql: Sql, state: string, id = ids.A) {
  const [row] = await sql<[{ n: number; events: number }]>`
    select count(*)::int as n, count(distinct event_id)::int as events
      from public.webhook_deliveries
     where endpoint_id = ${id} and state = ${state} and event_type = 'app.updated'`;
  return { ...row };
}

const waiting = async (sql: Sql) =>
  (await sql`select endpoint_id from private.webhook_catch_ups order by 1`)
    .map(({ endpoint_id }) => endpoint_id);

Deno.test("WEB-90 an endpoint catches up in portions, each event once, also those of the future", async () => {
  await using own = await ownDatabase();
  await own.sql.begin((tx) => emit(tx, 25));
  await own.sql.begin((tx) => emit(tx, 5, "user.signed_in"));
  await addLongAgo(own.sql);
  await addLongAgo(own.sql, other);
  const worker = own.connect("gatehouse_worker", { max: 1 });
  assert.equal(await portion(worker, 10), 10);
  assert.equal(await portion(worker, 10), 10, "the other one's turn");
  assert.deepEqual([await noted(own.sql, "pending"), await noted(own.sql, "pending", other)], [
    { n: 10, events: 10 },
    { n: 10, events: 10 },
  ]);
  await own.sql.begin((tx) => emit(tx, 3)); // noted as they are recorded
  await run(endpoints__catch_up, worker);
  for (const id of [ids.A, other]) {
    assert.deepEqual(await noted(own.sql, "pending", id), { n: 28, events: 28 });
  }
  assert.deepEqual(await waiting(own.sql), []);
});

Deno.test("WEB-91 what was written beside the endpoint's creation is noted once its transaction has ended", async () => {
  await using own = await ownDatabase();
  const worker = own.connect("gatehouse_worker", { max: 1 });
  let made: Promise<unknown>;
  await own.sql.begin(async (creating) => {
    await add(creating); // gets its id first, so the other one's is the higher
    const { promise: recorded, resolve } = Promise.withResolvers<void>();
    const { promise: end, resolve: commit } = Promise.withResolvers<void>();
    made = own.sql.begin(async (tx) => {
      await emit(tx, 2); // does not see the endpoint
      resolve();
      await end;
    });
    await recorded;
    setTimeout(async () => {
      await run(endpoints__catch_up, worker).catch(() => {});
      commit();
    }, 500);
  });
  await made!;
  while ((await waiting(own.sql)).length > 0) await run(endpoints__catch_up, worker);
  assert.deepEqual(await noted(own.sql, "pending"), { n: 2, events: 2 });
});

Deno.test("WEB-92 a disabled endpoint no longer catches up, nor with what it missed when it is enabled again", async () => {
  await using own = await ownDatabase();
  const worker = own.connect("gatehouse_worker", { max: 1 });
  await own.sql.begin((tx) => emit(tx, 20));
  await addLongAgo(own.sql);
  assert.equal(await portion(worker, 10), 10);
  await enable(own.sql, false);
  await own.sql.begin((tx) => emit(tx, 2));
  await enable(own.sql, true);
  await run(endpoints__catch_up, worker);
  assert.deepEqual(await noted(own.sql, "pending"), { n: 0, events: 0 });
  assert.deepEqual(await noted(own.sql, "cancelled"), { n: 10, events: 10 });
});

Deno.test("WEB-93 an endpoint that is being disabled or replayed keeps nobody: neither the finder nor who catches up beside it", async () => {
  await using own = await ownDatabase();
  const worker = own.connect("gatehouse_worker", { max: 1 });
  await own.sql.begin((tx) => emit(tx, 3));
  await addLongAgo(own.sql);
  await addLongAgo(own.sql, other);
  await own.sql.begin((tx) => emit(tx, 1));
  const others = ["select from private.webhook_catch_ups where endpoint_id = $1 for update"];
  others.push("update public.webhook_endpoints set description = 'mine' where id = $1");
  for (const statement of others) {
    await own.sql.begin(async (tx) => {
      await tx.unsafe(statement, [ids.A]);
      await worker`select set_config('lock_timeout', '5 s', false)`;
      await run(endpoints__catch_up, worker);
      await run(endpoints__find_due, worker);
    });
    assert.deepEqual(await waiting(own.sql), [ids.A]);
  }
  assert.deepEqual(await noted(own.sql, "pending", other), { n: 4, events: 4 });
  assert.equal((await jobs(own.sql, "endpoint__pump")).length, 2);
  await run(endpoints__catch_up, worker);
  assert.deepEqual(await noted(own.sql, "pending"), { n: 4, events: 4 });
});

Deno.test("WEB-94 one endpoint's fault is its own: the others catch up and the finder finds", async () => {
  await using own = await ownDatabase();
  const worker = own.connect("gatehouse_worker", { max: 1 });
  await own.sql.begin((tx) => emit(tx, 3));
  await addLongAgo(own.sql);
  await addLongAgo(own.sql, other);
  await own.sql.unsafe(`alter table public.webhook_deliveries
    add constraint fault check (endpoint_id <> '${ids.A}') not valid`);
  await run(endpoints__catch_up, worker);
  await run(endpoints__catch_up, worker);
  await run(endpoints__find_due, worker);
  assert.deepEqual(await noted(own.sql, "pending", other), { n: 3, events: 3 });
  assert.deepEqual(await waiting(own.sql), [ids.A]);
  assert.equal((await jobs(own.sql, "endpoint__pump")).length, 1);
});

Deno.test("WEB-95 a delivery that was noted beside the disabling does not wait for ever", async () => {
  await using own = await ownDatabase();
  const worker = own.connect("gatehouse_worker", { max: 1 });
  await addLongAgo(own.sql);
  await run(endpoints__catch_up, worker);
  await own.sql.begin(async (tx) => {
    await emit(tx, 3); // sees it enabled
    await enable(own.sql, false); // another session, and sees nothing of them
  });
  assert.deepEqual(await noted(own.sql, "pending"), { n: 3, events: 3 });
  await own.sql.begin(async (tx) => {
    await tx`select from public.webhook_endpoints where id = ${ids.A} for update`;
    await run(deliveries__cancel_stranded, worker); // waits for nobody
  });
  assert.deepEqual(await noted(own.sql, "pending"), { n: 3, events: 3 });
  await worker`select private.cancel_stranded_deliveries(2)`;
  assert.deepEqual(await noted(own.sql, "pending"), { n: 1, events: 1 }, "in portions");
  await run(deliveries__cancel_stranded, worker);
  assert.deepEqual(await noted(own.sql, "cancelled"), { n: 3, events: 3 });
  await enable(own.sql, true);
  await own.sql.begin((tx) => emit(tx, 1));
  await run(deliveries__cancel_stranded, worker);
  assert.deepEqual(await noted(own.sql, "pending"), { n: 1, events: 1 }, "of an enabled one none");
});

Deno.test("WEB-96 nobody but the worker catches up or cancels", async () => {
  for (const actor of ["alice", "eve", "pat", "anon"] as const) {
    for (const call of ["catch_up_endpoints(1)", "cancel_stranded_deliveries(1)"]) {
      await assert.rejects(
        as(database().sql, actor, (tx) => tx.unsafe(`select private.${call}`)),
        { code: "42501" },
        `${actor} ${call}`,
      );
    }
  }
});
