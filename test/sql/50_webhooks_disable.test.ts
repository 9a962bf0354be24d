// WEB: an endpoint that is disabled while others are at work on it: nobody waits in a circle, nothing is left behind.
import assert from "node:assert/strict";
import type { Sql, TransactionSql } from "postgres";
import endpoint__pump from "../../functions/_worker/tasks/endpoint__pump.ts";
import { arrangeCast, tenants } from "../support/actors.ts";
import { createDatabase, type TestDatabase } from "../support/database.ts";
import { claimBy, emit, endpoint, ids, pumps } from "./webhook_cases.ts";

async function databaseWithEndpoint(events: number, change = ""): Promise<TestDatabase> {
  const own = await createDatabase();
  await arrangeCast(own.sql);
  await own.sql.begin(async (tx) => {
    await endpoint(tx, "A", ["app.updated"]);
    if (change) await tx.unsafe(`update public.webhook_endpoints set ${change}`);
    await tx`delete from private.webhook_catch_ups`;
    await emit(tx, events);
  });
  return own;
}

const settleBy = (sql: Sql, deliveries: string[], outcome: object) =>
  sql`select private.settle_deliveries(${tenants.A}, ${ids.A}, ${
    sql.json(deliveries.map((id) => ({ id, startedAtMs: 0, durationMs: 1, ...outcome })) as never)
  }) as n`;

const disable = (sql: Sql | TransactionSql) =>
  sql`update public.webhook_endpoints set enabled = false where id = ${ids.A}`;

const states = async (sql: Sql) =>
  (await sql<{ state: string }[]>`
    select state from public.webhook_deliveries where event_type = 'app.updated' order by id`)
    .map(({ state }) => state);

/** Resolves when so many sessions of the database wait for a lock. */
async function waiting(sql: Sql, sessions: number): Promise<void> {
  for (let tries = 0; tries < 500; tries++) {
    const [{ n }] = await sql<[{ n: number }]>`
      select count(*)::int as n from pg_stat_activity
       where datname = current_database() and wait_event_type = 'Lock'`;
    if (n >= sessions) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assert.fail(`no ${sessions} sessions wait for a lock`);
}

Deno.test("WEB-87 an endpoint is disabled just when its failures are settled: no deadlock, and both count", async () => {
  for (
    const outcome of [{ outcome: "disable", status: 410 }, { outcome: "retry", throttle: true }]
  ) {
    await using own = await databaseWithEndpoint(4);
    const worker = own.connect("gatehouse_worker", { max: 1 });
    const claimed = (await claimBy(worker, pumps.first, 2))!.deliveries.map(({ id }) => id);
    let settling: Promise<unknown>;
    await own.sql.begin(async (tx) => {
      await tx`update public.webhook_endpoints set description = 'mine' where id = ${ids.A}`;
      settling = settleBy(worker, claimed, outcome);
      settling.catch(() => {});
      await waiting(own.sql, 1);
      await disable(tx); // its deliveries are still free
    });
    await settling!;
    assert.deepEqual(new Set(await states(own.sql)), new Set(["cancelled"]));
  }
});

Deno.test("WEB-88 an endpoint is disabled just when its deliveries are judged or put in order: no deadlock", async () => {
  for (const change of ["payload_filter = '$.absent'", "ordering = 'strict'"]) {
    await using own = await databaseWithEndpoint(4, change);
    await own.sql`update public.webhook_deliveries set ordering_key = null where state = 'pending'`;
    const worker = own.connect("gatehouse_worker", { max: 1 });
    await worker`select set_config('statement_timeout', '10 s', false)`;
    let claiming: Promise<unknown>;
    await own.sql.begin(async (tx) => {
      await tx`update public.webhook_endpoints set description = 'mine' where id = ${ids.A}`;
      claiming = claimBy(worker, pumps.first, 2);
      claiming.catch(() => {});
      await waiting(own.sql, 1);
      await disable(tx);
    });
    assert.equal(await claiming!, null, change);
    assert.deepEqual(new Set(await states(own.sql)), new Set(["cancelled"]));
  }
});

Deno.test("WEB-89 a settlement that is a deadlock's victim all the same is written once more", async () => {
  await using own = await databaseWithEndpoint(2);
  const worker = own.connect("gatehouse_worker", { max: 2 });
  let pumping: Promise<void>;
  await own.sql.begin(async (tx) => {
    // Against the order: deliveries before their endpoint. Its secret does not open, so the pump settles without sending.
    await tx`select from public.webhook_deliveries where state = 'pending' for update`;
    pumping = endpoint__pump({ tenantId: tenants.A, id: ids.A }, {
      sql: worker,
      now: () => new Date(),
      holder: "test",
      stopping: new AbortController().signal,
    });
    await waiting(own.sql, 1);
    await tx`set local deadlock_timeout = '60 s'`; // it finds the circle, not we
    await tx`update public.webhook_endpoints set description = 'mine' where id = ${ids.A}`;
  });
  await pumping!;
  const [row] = await own.sql`
    select count(*) filter (where next_attempt_at > now() + interval '30 seconds')::int as settled,
           count(*)::int as n
      from public.webhook_deliveries where event_type = 'app.updated' and state = 'pending'`;
  assert.deepEqual({ ...row }, { settled: 2, n: 2 });
});
