// WEB: success and latency per endpoint and day, for who may read them; retention of attempts and deliveries.
import assert from "node:assert/strict";
import type { TransactionSql } from "postgres";
import { as, tenants } from "../support/actors.ts";
import { undone } from "../support/log.ts";
import { suiteDatabase } from "../support/suite.ts";
import { asRole, emit, endpoint, ids } from "./webhook_cases.ts";

const database = suiteDatabase();

/** A delivery of each tenant with attempts of so many milliseconds, so many days ago; every fourth failed. */
async function attempts(tx: TransactionSql, daysAgo: number, durations: number[]): Promise<void> {
  for (const label of ["A", "E"] as const) {
    for (const [index, duration] of durations.entries()) {
      const failed = index % 4 === 3;
      await tx`
        with d as (
          insert into public.webhook_deliveries (tenant_id, endpoint_id, event_id, event_recorded_at, event_type, state, attempts, settled_at)
          values (${tenants[label]}, ${
        ids[label]
      }, gen_random_uuid(), now(), 'app.updated', 'delivered', 1,
            now() - make_interval(days => ${daysAgo}))
          returning tenant_id, id)
        insert into public.webhook_attempts (tenant_id, delivery_id, number, started_at, duration_ms, status, error_class)
        select tenant_id, id, 1, now() - make_interval(days => ${daysAgo}), ${duration},
               ${failed ? null : 204}, ${failed ? "timeout" : null} from d`;
    }
  }
}

const arrange = async (tx: TransactionSql) => {
  await endpoint(tx, "A", ["app.*"]);
  await endpoint(tx, "E", ["app.*"]);
  await attempts(tx, 0, Array.from({ length: 20 }, (_, i) => (i + 1) * 10));
  await attempts(tx, 3, [100, 100, 100, 900]);
};

const statistics = (tx: TransactionSql, tenant: string) =>
  tx`select endpoint, attempts::int, succeeded::int, success_rate::float8, p50_ms, p95_ms
       from public.webhook_statistics(${tenant})`;

Deno.test("WEB-70 per endpoint and day: how many, how many arrived, median and 95th percentile", async () => {
  for (const actor of ["alice", "audrey", "pat"] as const) {
    await as(database().sql, actor, async (tx) => {
      assert.deepEqual((await statistics(tx, tenants.A)).map((row) => Object.values(row)), [
        [ids.A, 4, 3, 0.75, 100, 780],
        [ids.A, 20, 15, 0.75, 105, 190],
      ]);
    }, { arrange });
  }
});

Deno.test("WEB-71 who may not read the attempts gets no row, whatever tenant they name", async () => {
  for (const [actor, tenant] of [["bob", "A"], ["eve", "A"], ["alice", "E"]] as const) {
    await as(database().sql, actor, async (tx) => {
      assert.equal((await statistics(tx, tenants[tenant])).length, 0);
    }, { arrange });
  }
});

Deno.test("WEB-72 attempts and settled deliveries go after their days; what waits and what is young stays", async () => {
  await undone(database().sql, async (tx) => {
    await endpoint(tx, "A", ["app.*"]);
    await endpoint(tx, "E", ["app.*"]);
    await emit(tx, 1);
    await tx`update public.webhook_deliveries set created_at = now() - interval '200 days' where state = 'pending'`;
    for (const days of [1, 29, 31, 89, 91]) await attempts(tx, days, [1]);
    const retain = (limit: number) =>
      asRole(tx, () => tx`select private.retain_deliveries(${limit}) as n`);
    const count = async () => {
      const [row] = await tx`
        select (select count(*)::int from public.webhook_attempts) as attempts,
               (select count(*)::int from public.webhook_deliveries where settled_at is not null) as settled,
               (select count(*)::int from public.webhook_deliveries where state = 'pending') as pending`;
      return { ...row };
    };
    assert.deepEqual(await count(), { attempts: 10, settled: 10, pending: 1 });
    assert.equal((await retain(1))[0]!.n, 1, "in portions");
    assert.equal((await retain(100))[0]!.n, 7);
    assert.deepEqual(await count(), { attempts: 4, settled: 8, pending: 1 });
    await tx`update public.settings set value = '10' where key = 'webhooks.attempts_retention_days'`;
    await tx`update public.settings set value = '20' where key = 'webhooks.deliveries_retention_days'`;
    await retain(100);
    assert.deepEqual(await count(), { attempts: 2, settled: 2, pending: 1 });
    assert.equal((await retain(100))[0]!.n, 0);
  });
});
