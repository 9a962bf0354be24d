// WEB: each endpoint's own schedule, its circuit, and the end of an endpoint whose receiver does nothing but fail.
import assert from "node:assert/strict";
import type { TransactionSql } from "postgres";
import { as, tenants } from "../support/actors.ts";
import { eventsOf, undone } from "../support/log.ts";
import { suiteDatabase } from "../support/suite.ts";
import {
  asRole,
  claim,
  deliveries,
  emit,
  endpoint,
  findDue,
  ids,
  letGo,
  pumps,
  settle,
} from "./webhook_cases.ts";

const database = suiteDatabase();

async function state(tx: TransactionSql) {
  const [row] = await tx`
    select s.circuit, s.failures_in_a_row, s.opened, s.first_failure_at, e.enabled, e.disabled_reason,
           extract(epoch from e.paused_until - now())::float8 as rests
      from public.webhook_endpoint_states s
      join public.webhook_endpoints e on e.tenant_id = s.tenant_id and e.id = s.endpoint_id
     where e.id = ${ids.A}`;
  return row!;
}

const wake = (tx: TransactionSql) =>
  tx.unsafe(`update public.webhook_endpoints set paused_until = null;
    update public.webhook_deliveries set next_attempt_at = now() where state = 'pending'`);

/** Claims as many as it gets, at most `limit`, has them all end so, and lets go. */
async function end(tx: TransactionSql, limit: number, outcome: string, more = {}) {
  const { deliveries = [] } = await claim(tx, limit) ?? {};
  if (deliveries.length > 0) {
    await settle(tx, ...deliveries.map(({ id }) => ({ id, outcome, ...more })));
  }
  await letGo(tx);
  return deliveries.length;
}

Deno.test("WEB-30 an endpoint's own schedule: its waits, then dead; none at all means one attempt", async () => {
  await undone(database().sql, async (tx) => {
    await endpoint(tx, "A", ["app.*"]);
    await tx`update public.webhook_endpoints set retry_schedule = '{60, 3600}'`;
    await emit(tx);
    const waits: number[] = [];
    for (const expected of ["pending", "pending", "dead"]) {
      await end(tx, 1, "retry", { status: 500 });
      const [row] = await deliveries(tx);
      assert.equal(row!.state, expected);
      waits.push((row!.next_attempt_at.getTime() - Date.now()) / 1_000);
      await wake(tx);
    }
    assert.ok(waits[0]! > 47 && waits[0]! <= 72, `${waits[0]}`);
    assert.ok(waits[1]! > 2_879 && waits[1]! <= 4_320, `${waits[1]}`);
    await emit(tx, 40);
    assert.equal(await end(tx, 40, "retry", { status: 500 }), 40);
    const [spread] = await tx`
      select extract(epoch from max(next_attempt_at) - min(next_attempt_at))::float8 as seconds,
             count(distinct round(extract(epoch from next_attempt_at)))::int as different
        from public.webhook_deliveries where state = 'pending'`;
    assert.ok(
      spread!.seconds > 12 && spread!.seconds <= 26,
      `${spread!.seconds} s of 24 and a bit`,
    );
    assert.ok(spread!.different > 10, `${spread!.different} seconds for 40 deliveries`);
    await tx`delete from public.webhook_deliveries where state = 'pending'`;
    await wake(tx);
    await tx`update public.webhook_endpoint_states set circuit = 'closed', failures_in_a_row = 0`;
    await tx`update public.webhook_endpoints set retry_schedule = '{}'`;
    await emit(tx);
    await end(tx, 1, "retry", { status: 500 });
    assert.deepEqual((await deliveries(tx)).map(({ state }) => state), ["dead", "dead"]);
  });
});

Deno.test("WEB-31 the default schedule is the standard's: 10 attempts over 75 h 35 min 5 s", async () => {
  await undone(database().sql, async (tx) => {
    await endpoint(tx, "A", ["app.*"]);
    const [row] = await tx`
      select cardinality(retry_schedule) + 1 as attempts,
             (select sum(s)::int from unnest(retry_schedule) s) as seconds
        from public.webhook_endpoints`;
    assert.deepEqual({ ...row }, { attempts: 10, seconds: (75 * 60 + 35) * 60 + 5 });
  });
});

Deno.test("WEB-32 a schedule is at most 20 waits of a second to a day", async () => {
  for (
    const bad of ["{0}", "{86401}", "{5,null}", "{{5},{6}}", `{${Array(21).fill(5).join(",")}}`]
  ) {
    await assert.rejects(
      as(
        database().sql,
        "alice",
        (tx) => tx`update public.webhook_endpoints set retry_schedule = ${bad}::text::integer[]`,
        { arrange: (tx) => endpoint(tx, "A") },
      ),
      { constraint_name: "retry_schedule_malformed" },
      bad,
    );
  }
});

Deno.test("WEB-33 ten failures in a row open the circuit; a success between them counts from the start", async () => {
  await undone(database().sql, async (tx) => {
    await endpoint(tx, "A", ["app.*"]);
    await emit(tx, 40);
    assert.equal(await end(tx, 9, "retry", { status: 500 }), 9);
    assert.deepEqual([(await state(tx)).circuit, (await state(tx)).failures_in_a_row], [
      "closed",
      9,
    ]);
    await end(tx, 1, "delivered", { status: 200 });
    assert.equal((await state(tx)).failures_in_a_row, 0);
    await end(tx, 10, "retry", { status: 500 });
    const open = await state(tx);
    assert.equal(open.circuit, "open");
    assert.ok(open.rests > 10 && open.rests < 20, `${open.rests}`);
    assert.equal(await claim(tx), null);
    await tx`delete from graphile_worker._private_jobs`;
    assert.equal(await findDue(tx), 0, "no job while it is open");
  });
});

Deno.test("WEB-34 after its rest one delivery finds out: it fails, and the rest is twice as long; it arrives, and all flows", async () => {
  await undone(database().sql, async (tx) => {
    await endpoint(tx, "A", ["app.*"]);
    await emit(tx, 40);
    await end(tx, 10, "retry", { status: 500 });
    for (const [low, high] of [[25, 35], [50, 70], [100, 140]] as const) {
      await wake(tx);
      const probe = (await claim(tx, 10))!;
      assert.equal(probe.deliveries.length, 1);
      assert.equal(await claim(tx, 10, { pump: pumps.second }), null, "one at a time");
      assert.equal((await state(tx)).circuit, "half_open");
      await settle(tx, { id: probe.deliveries[0]!.id, outcome: "retry", errorClass: "timeout" });
      const { circuit, rests } = await state(tx);
      assert.equal(circuit, "open");
      assert.ok(rests > low && rests < high, `${rests}`);
    }
    await wake(tx);
    assert.equal(await end(tx, 10, "delivered", { status: 204 }), 1);
    assert.deepEqual((await state(tx)).circuit, "closed");
    assert.equal((await claim(tx, 10))!.deliveries.length, 10);
  });
});

Deno.test("WEB-35 a probe that nobody settles is made again when its pump's time is over; one given back at once", async () => {
  await undone(database().sql, async (tx) => {
    await endpoint(tx, "A", ["app.*"]);
    await emit(tx, 20);
    await end(tx, 10, "retry", { status: 500 });
    await wake(tx);
    await claim(tx, 10);
    const second = { pump: pumps.second };
    assert.equal(await claim(tx, 10, second), null);
    await tx`update public.webhook_endpoint_states set pump_until = now() - interval '1 s'`;
    const again = (await claim(tx, 10, second))!;
    assert.equal(again.deliveries.length, 1);
    await letGo(tx, pumps.second);
    assert.equal((await claim(tx, 10))!.deliveries.length, 1);
  });
});

const failSince = (tx: TransactionSql, ago: string) =>
  tx`update public.webhook_endpoint_states
      set first_failure_at = now() - ${ago}::interval, failures_in_a_row = 50 where endpoint_id = ${ids.A}`;
const other = "01990000-0000-7000-8000-0000000000f2";

Deno.test("WEB-36 five days of nothing but failure disable the endpoint, and the tenant's other endpoints are told", async () => {
  await undone(database().sql, async (tx) => {
    await endpoint(tx, "A", ["app.*"]);
    await endpoint(tx, "E");
    await tx`insert into public.webhook_endpoints (tenant_id, id, url, event_types) values (${tenants.A}, ${other}, 'https://other.example/', ${[
      "webhook_endpoint.disabled",
    ]})`;
    await emit(tx, 3);
    await failSince(tx, "4 days 23:59");
    await end(tx, 1, "retry", { status: 500 });
    assert.equal((await state(tx)).enabled, true, "not yet");
    await wake(tx);
    await failSince(tx, "5 days 00:01");
    await end(tx, 1, "retry", { status: 500 });
    const { enabled, disabled_reason } = await state(tx);
    assert.deepEqual([enabled, disabled_reason], [false, "failing"]);
    const [event] = await eventsOf(tx, tenants.A, "webhook_endpoint.disabled");
    assert.deepEqual(event!.targets, [{ kind: "webhook_endpoint", id: ids.A }]);
    assert.equal(event!.data.reason, "failing");
    const told = await tx`
      select endpoint_id from public.webhook_deliveries where event_type = 'webhook_endpoint.disabled'`;
    assert.deepEqual(told.map(({ endpoint_id }) => endpoint_id), [other]);
  });
});

Deno.test("WEB-37 how long is a setting; one success in between, or too few failures, is not nothing but failure", async () => {
  await undone(database().sql, async (tx) => {
    await endpoint(tx, "A", ["app.*"]);
    await emit(tx, 10);
    await failSince(tx, "6 days");
    await end(tx, 1, "delivered", { status: 200 });
    await end(tx, 1, "retry", { status: 500 });
    assert.equal((await state(tx)).enabled, true);
    await tx`update public.webhook_endpoint_states set first_failure_at = now() - interval '6 days', failures_in_a_row = 3`;
    await end(tx, 1, "retry", { status: 500 });
    assert.equal((await state(tx)).enabled, true, "three failures");
    await tx`update public.settings set value = '7' where key = 'webhooks.disable_after_days'`;
    await failSince(tx, "6 days");
    await end(tx, 1, "retry", { status: 500 });
    assert.equal((await state(tx)).enabled, true);
  });
});

Deno.test("WEB-38 an endpoint that is enabled again starts with nothing held against it", async () => {
  await undone(database().sql, async (tx) => {
    await endpoint(tx, "A", ["app.*"]);
    await emit(tx, 20);
    await end(tx, 10, "retry", { status: 500 });
    await failSince(tx, "9 days");
    await tx`update public.webhook_endpoints set enabled = false, disabled_reason = 'by hand'`;
    await tx`update public.webhook_endpoints set enabled = true, disabled_reason = null`;
    const { circuit, first_failure_at, failures_in_a_row, rests } = await state(tx);
    assert.deepEqual([circuit, first_failure_at, failures_in_a_row, rests], [
      "closed",
      null,
      0,
      null,
    ]);
    await emit(tx, 2);
    assert.equal((await claim(tx))!.deliveries.length, 2);
  });
});

Deno.test("WEB-39 webhook-delivery: disable is heard with an answer of any kind, and the answer still counts", async () => {
  for (const [outcome, kept] of [["delivered", "delivered"], ["disable", "cancelled"]] as const) {
    await undone(database().sql, async (tx) => {
      await endpoint(tx, "A", ["app.*"]);
      await emit(tx, 2);
      const { id } = (await claim(tx, 1))!.deliveries[0]!;
      await settle(tx, { id, outcome, status: 200, stop: "asked" });
      assert.deepEqual(
        (await deliveries(tx)).map(({ state }) => state).sort(),
        [
          "cancelled",
          kept,
        ].sort(),
      );
      assert.equal((await state(tx)).disabled_reason, "asked");
    });
  }
});

Deno.test("WEB-40 the probe of a worker that died is made again by the next one at once", async () => {
  await undone(database().sql, async (tx) => {
    await tx`delete from graphile_worker._private_jobs`;
    await endpoint(tx, "A", ["app.*"]);
    await emit(tx, 20);
    await end(tx, 10, "retry", { status: 500 });
    await wake(tx);
    await findDue(tx);
    await tx`
      update graphile_worker._private_jobs set locked_at = now() - interval '9 s', locked_by = 'dead'`;
    await claim(tx, 10);
    const second = { pump: pumps.second };
    assert.equal(await claim(tx, 10, second), null);
    await asRole(tx, () => tx`select private.unlock_dead_workers()`);
    assert.equal((await claim(tx, 10, second))!.deliveries.length, 1);
  });
});

Deno.test("WEB-41 released by a fault of ours: the endpoint rests, and its circuit, failures and days stay as they were", async () => {
  await undone(database().sql, async (tx) => {
    await endpoint(tx, "A", ["app.*"]);
    await emit(tx, 30);
    const ours = { retryAfterSeconds: 60, throttle: true };
    for (const [circuit, failures] of [["closed", 0], ["half_open", 10]] as const) {
      if (circuit === "half_open") {
        assert.equal(await end(tx, 10, "retry", { status: 500 }), 10);
        await tx`update public.webhook_endpoint_states set first_failure_at = now() - interval '6 days'`;
        await wake(tx);
      }
      const before = { ...await state(tx), circuit, failures_in_a_row: failures, rests: 60 };
      assert.equal(await end(tx, 5, "release", ours), circuit === "closed" ? 5 : 1);
      const after = await state(tx);
      assert.deepEqual({ ...after, rests: Math.round(after.rests) }, before);
      assert.equal(await claim(tx), null);
      await wake(tx);
    }
    assert.equal((await tx`select from public.webhook_attempts`).length, 10);
    assert.equal(await end(tx, 5, "delivered", { status: 204 }), 1, "still one to find out");
    assert.equal((await state(tx)).circuit, "closed");
  });
});

Deno.test("WEB-43 why an endpoint was disabled is forgotten when it is enabled, so the next time is told with its own reason", async () => {
  const change = (tx: TransactionSql, enabled: boolean, more = "") =>
    tx.unsafe(`update public.webhook_endpoints set enabled = ${enabled} ${more}`);
  await undone(database().sql, async (tx) => {
    await endpoint(tx, "A", ["app.*"]);
    await emit(tx, 1);
    await failSince(tx, "6 days");
    await end(tx, 1, "retry", { status: 500 });
    assert.equal((await state(tx)).disabled_reason, "failing");
    await change(tx, true);
    assert.equal((await state(tx)).disabled_reason, null);
    await change(tx, true, ", disabled_reason = 'too early'");
    assert.equal((await state(tx)).disabled_reason, null, "it is not disabled");
    await change(tx, false);
    await change(tx, true);
    await change(tx, false, ", disabled_reason = 'by hand'");
    const events = await eventsOf(tx, tenants.A, "webhook_endpoint.disabled");
    assert.deepEqual(events.map(({ data }) => data.reason), ["failing", null, "by hand"]);
  });
});

Deno.test("WEB-42 a reason has 500 characters at most; a stranger writes none", async () => {
  const write = (actor: "alice" | "eve", length: number) =>
    as(
      database().sql,
      actor,
      async (tx) =>
        (await tx`update public.webhook_endpoints
          set enabled = false, disabled_reason = ${"x".repeat(length)} where id = ${ids.A}`).count,
      { arrange: (tx) => endpoint(tx, "A") },
    );
  assert.equal(await write("alice", 500), 1);
  await assert.rejects(write("alice", 501), { code: "23514" });
  assert.equal(await write("eve", 5), 0);
});
