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

const periods = (tx: TransactionSql) =>
  tx`select endpoint_id, period, attempts::int, succeeded::int, success_rate::float8, p50_ms, p95_ms,
            last_success_at is not null as succeeded_once, waiting::int, dead::int
       from public.webhook_endpoint_statistics order by endpoint_id, period`;

Deno.test("WEB-73 per endpoint and period: success and latency, what waits and what is dead", async () => {
  const arrangeAll = async (tx: TransactionSql) => {
    await arrange(tx);
    await attempts(tx, 8, [7000]);
    await emit(tx, 3);
    await tx`
      insert into public.webhook_attempts (tenant_id, delivery_id, number, started_at, duration_ms, status)
      select tenant_id, id, 1, now() - interval '6 days', 10, 500 from public.webhook_deliveries
       where endpoint_id = ${ids.A} and state = 'pending' order by id limit 1`;
    await tx`
      update public.webhook_deliveries set attempts = 1
       where id in (select delivery_id from public.webhook_attempts where status = 500)`;
    await tx`
      update public.webhook_deliveries set state = 'dead' where id in (
        select d.id from public.webhook_deliveries d
          join public.webhook_attempts a on a.delivery_id = d.id
         where d.endpoint_id = ${ids.A} and a.duration_ms = 900)`;
    await tx`
      update public.webhook_endpoint_states set last_success_at = now() where endpoint_id = ${ids.A}`;
  };
  for (const actor of ["alice", "audrey"] as const) {
    await as(database().sql, actor, async (tx) => {
      assert.deepEqual((await periods(tx)).map((row) => Object.values(row)), [
        [ids.A, "24 hours", 20, 15, 0.75, 105, 190, true, 3, 1],
        [ids.A, "7 days", 25, 18, 0.72, 100, 198, true, 3, 1],
      ]);
    }, { arrange: arrangeAll });
  }
  await as(database().sql, "alice", async (tx) => {
    assert.deepEqual((await periods(tx)).map((row) => Object.values(row)), [
      [ids.A, "24 hours", 0, 0, null, null, null, false, 0, 0],
      [ids.A, "7 days", 0, 0, null, null, null, false, 0, 0],
    ]);
  }, { arrange: (tx) => endpoint(tx, "A", ["app.*"]) });
});

Deno.test("WEB-74 the log of attempts: with endpoint and event, the failed ones newest first", async () => {
  await as(database().sql, "audrey", async (tx) => {
    const rows = await tx`
      select tenant_id, endpoint_id, event_type, number, duration_ms, status, error_class, failed
        from public.webhook_attempt_log
       where endpoint_id = ${ids.A} and failed order by started_at desc, duration_ms desc`;
    assert.deepEqual(rows.map(({ duration_ms }) => duration_ms), [200, 160, 120, 80, 40, 900]);
    assert.deepEqual({ ...rows[0] }, {
      tenant_id: tenants.A,
      endpoint_id: ids.A,
      event_type: "app.updated",
      number: 1,
      duration_ms: 200,
      status: null,
      error_class: "timeout",
      failed: true,
    });
    const [all] = await tx`
      select count(*)::int as n, count(*) filter (where event_id is not null)::int as known
        from public.webhook_attempt_log where not failed`;
    assert.deepEqual({ ...all }, { n: 18, known: 18 });
  }, { arrange });
});

Deno.test("WEB-75 a stranger, a member and another tenant's admin find nothing of it in the views", async () => {
  for (
    const [actor, own] of [["eve", "E"], ["bob", null], ["visitor", null], [
      "mallory",
      null,
    ]] as const
  ) {
    await as(database().sql, actor, async (tx) => {
      for (const view of ["webhook_endpoint_statistics", "webhook_attempt_log"]) {
        const rows = await tx.unsafe(`select distinct tenant_id from public.${view}`);
        assert.deepEqual(
          rows.map(({ tenant_id }) => tenant_id),
          own === null ? [] : [tenants[own]],
          `${actor} ${view}`,
        );
      }
    }, { arrange });
  }
});

interface Node {
  "Node Type": string;
  "Relation Name"?: string;
  "Actual Rows": number;
  "Actual Loops": number;
  "Rows Removed by Filter"?: number;
  Plans?: Node[];
}

Deno.test("WEB-76 for one endpoint the views read its rows by an index, however many the others have", async (t) => {
  const busy = "01990000-0000-7000-8000-0000000000f2";
  const fill = async (tx: TransactionSql) => {
    await arrange(tx);
    await tx`insert into public.webhook_endpoints (tenant_id, id, url) values (${tenants.A}, ${busy}, 'https://busy.example/')`;
    for (const [tenant, id] of [[tenants.A, busy], [tenants.E, ids.E]] as const) {
      await tx`
        with d as (
          insert into public.webhook_deliveries (tenant_id, endpoint_id, event_id, event_recorded_at, event_type, state, attempts, settled_at)
          select ${tenant}::uuid, ${id}::uuid, gen_random_uuid(), now(), 'app.updated', 'delivered', 1,
                 now() - n * interval '30 seconds' from generate_series(1, 15000) n
          returning tenant_id, id, settled_at)
        insert into public.webhook_attempts (tenant_id, delivery_id, number, started_at, duration_ms, status)
        select tenant_id, id, 1, settled_at, 5, 204 from d`;
    }
    await tx.unsafe("analyze public.webhook_deliveries, public.webhook_attempts");
  };
  const mine = `where tenant_id = '${tenants.A}' and endpoint_id = '${ids.A}'`;
  const queries = {
    statistics: `select * from public.webhook_endpoint_statistics ${mine}`,
    "the newest": `
      select * from public.webhook_attempt_log ${mine}
       order by delivery_id desc, number desc limit 10`,
    "the newest that failed": `
      select * from public.webhook_attempt_log ${mine} and failed
       order by started_at desc limit 5`,
    "the newest of the busy one": `
      select * from public.webhook_attempt_log where tenant_id = '${tenants.A}'
         and endpoint_id = '${busy}' order by delivery_id desc, number desc limit 10`,
  };
  await as(database().sql, "alice", async (tx) => {
    for (const [name, query] of Object.entries(queries)) {
      await t.step(name, async () => {
        const [row] = await tx.unsafe(`explain (analyze, format json) ${query}`);
        const scans: string[] = [];
        const walk = (node: Node) => {
          const relation = node["Relation Name"];
          if (relation && /^webhook_(deliveries|attempts)$/.test(relation)) {
            const read = (node["Actual Rows"] + (node["Rows Removed by Filter"] ?? 0)) *
              node["Actual Loops"];
            const scan = `${node["Node Type"]} of ${relation} read ${read}`;
            scans.push(scan);
            assert.doesNotMatch(scan, /^Seq/);
            assert.ok(read <= 60, scan);
          }
          node.Plans?.forEach(walk);
        };
        walk(row!["QUERY PLAN"][0].Plan);
        assert.ok(scans.length > 0);
      });
    }
  }, { arrange: fill });
});
