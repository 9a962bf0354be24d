// REP: after an outage what waits is hurried, by whom, and that nothing is sent twice by it.
import assert from "node:assert/strict";
import type { TransactionSql } from "postgres";
import { type Actor, as, refusal, tenants } from "../support/actors.ts";
import { asOwner, eventsOf } from "../support/log.ts";
import { suiteDatabase } from "../support/suite.ts";
import { claim, emit, endpoint, findDue, ids, letGo, settle } from "./webhook_cases.ts";

const database = suiteDatabase();

/** As the actor, beside an endpoint of tenant A whose receiver was down: twelve failed, and so many came in since. */
const afterOutage = (
  actor: Actor,
  run: (tx: TransactionSql) => Promise<void>,
  since = 0,
) =>
  as(database().sql, actor, run, {
    arrange: async (tx) => {
      await endpoint(tx, "A", ["test.*"]);
      await tx`delete from private.webhook_catch_ups`;
      await emit(tx, 12, "test.failed");
      const { deliveries } = (await claim(tx, 12))!;
      const failed = { outcome: "retry", status: 503, throttle: true, retryAfterSeconds: 600 };
      await settle(tx, ...deliveries.map(({ id }) => ({ id, ...failed })));
      await letGo(tx);
      await emit(tx, since, "test.since");
    },
  });

const resume = async (tx: TransactionSql, tenant: string = tenants.A) =>
  (await tx`select public.resume_endpoint(${tenant}, ${ids.A}) as n`)[0]!.n as number;

/** How the endpoint of A stands. */
async function standing(tx: TransactionSql) {
  const [row] = await tx`
    select s.circuit, s.failures_in_a_row as failures, s.opened,
           coalesce(e.paused_until > now(), false) as paused,
           (select count(*)::int from public.webhook_deliveries d
             where d.endpoint_id = e.id and d.state = 'pending' and d.event_type like 'test.%'
               and d.next_attempt_at > now()) as later
      from public.webhook_endpoints e join public.webhook_endpoint_states s
        on s.tenant_id = e.tenant_id and s.endpoint_id = e.id
     where e.id = ${ids.A}`;
  return { ...row };
}

Deno.test("REP-10 a resumed endpoint is no longer paused, all that waits is due, one delivery finds out, then the rest go in order", async () => {
  await afterOutage("alice", async (tx) => {
    assert.deepEqual(await standing(tx), {
      ...{ circuit: "open", failures: 12, opened: 1, paused: true, later: 12 },
    });
    assert.equal(await asOwner(tx, () => findDue(tx)), 0);
    assert.equal(await resume(tx), 12);
    assert.deepEqual(await standing(tx), {
      ...{ circuit: "half_open", failures: 12, opened: 0, paused: false, later: 0 },
    });
    await asOwner(tx, async () => {
      assert.equal(await findDue(tx), 1);
      const recorded = await tx`
        select id from public.webhook_deliveries
         where endpoint_id = ${ids.A} and event_type = 'test.failed' order by event_recorded_at, id`;
      const [one, ...others] = (await claim(tx, 20))!.deliveries;
      assert.deepEqual([one!.id, others.length], [recorded[0]!.id, 0]);
      await settle(tx, { id: one!.id, outcome: "delivered", status: 204 });
      const rest = (await claim(tx, 20))!.deliveries.map(({ id }) => id);
      assert.deepEqual(rest, recorded.slice(1).map(({ id }) => id));
      assert.equal((await standing(tx)).circuit, "closed");
    });
  });
});

Deno.test("REP-11 it is on record, once: resumed again there is nothing to do and nothing to say", async () => {
  await afterOutage("alice", async (tx) => {
    const [{ paused_until }] = await tx<[{ paused_until: string }]>`
      select to_jsonb(paused_until) as paused_until from public.webhook_endpoints where id = ${ids.A}`;
    assert.equal(await resume(tx), 12);
    assert.equal(await resume(tx), 0);
    await asOwner(tx, async () => {
      const events = await eventsOf(tx, tenants.A, "webhook_endpoint.resumed");
      assert.deepEqual(events.map(({ data, targets }) => ({ data, targets })), [{
        data: { count: 12, circuit: "open", paused_until } as never,
        targets: [{ kind: "webhook_endpoint", id: ids.A }],
      }]);
    });
  });
});

Deno.test("REP-12 a receiver that is still down opens the circuit again, for as short as the first time", async () => {
  await afterOutage("alice", async (tx) => {
    await resume(tx);
    await asOwner(tx, async () => {
      const [one] = (await claim(tx))!.deliveries;
      await settle(tx, { id: one!.id, outcome: "retry", status: 500 });
    });
    const { circuit, opened, paused } = await standing(tx) as Record<string, unknown>;
    assert.deepEqual([circuit, opened, paused], ["open", 1, true]);
  });
});

Deno.test("REP-13 what is due already keeps its place: it may be on its way", async () => {
  await afterOutage("alice", async (tx) => {
    const due = () =>
      tx`
        select id, next_attempt_at from public.webhook_deliveries
         where endpoint_id = ${ids.A} and event_type = 'test.since' order by id`;
    await asOwner(tx, () =>
      tx`
        update public.webhook_deliveries set next_attempt_at = now() - interval '1 minute'
         where event_type = 'test.since'`);
    const before = (await due()).map((row) => ({ ...row }));
    assert.equal(await resume(tx), 12);
    assert.deepEqual((await due()).map((row) => ({ ...row })), before);
  }, 3);
});

Deno.test("REP-14 a delivery that waits for a later attempt is due now when it is replayed, on record once", async () => {
  await afterOutage("alice", async (tx) => {
    const [one] = await tx`
      select id, event_id from public.webhook_deliveries
       where endpoint_id = ${ids.A} and event_type = 'test.failed' order by id limit 1`;
    for (let n = 0; n < 2; n++) {
      const [answer] = await tx`select public.replay_delivery(${tenants.A}, ${one!.id}) as id`;
      assert.equal(answer!.id, one!.id);
    }
    const [row] = await tx`
      select state, attempts, next_attempt_at <= now() as due from public.webhook_deliveries
       where id = ${one!.id}`;
    assert.deepEqual({ ...row }, { state: "pending", attempts: 1, due: true });
    assert.equal((await standing(tx)).later, 11);
    await asOwner(tx, async () => {
      const events = await eventsOf(tx, tenants.A, "webhook_endpoint.replayed");
      assert.deepEqual(events.map(({ data }) => data), [
        { count: 1, filter: { event_id: one!.event_id } } as never,
      ]);
    });
  });
});

Deno.test("REP-15 a disabled or removed endpoint is not resumed", async () => {
  await afterOutage("alice", async (tx) => {
    await tx`update public.webhook_endpoints set enabled = false where id = ${ids.A}`;
    await assert.rejects(tx.savepoint((s) => resume(s)), refusal("endpoint_disabled", 409));
    await tx`select private.remove_webhook_endpoint(${tenants.A}, ${ids.A})`;
    await assert.rejects(tx.savepoint((s) => resume(s)), refusal("endpoint_not_found", 404));
  });
});

for (const actor of ["eve", "bob", "audrey", "visitor", "mallory", "sam", "anon"] as const) {
  Deno.test(`REP-16 ${actor} resumes no endpoint of tenant A`, async () => {
    const expected = actor === "anon" ? { code: "42501" } : refusal("not_allowed", 403);
    await afterOutage(actor, async (tx) => {
      await assert.rejects(tx.savepoint((s) => resume(s)), expected);
      if (actor === "eve") { // by naming her own tenant
        await assert.rejects(
          tx.savepoint((s) => resume(s, tenants.E)),
          refusal("endpoint_not_found", 404),
        );
      }
      const { circuit, later } = await asOwner(tx, () => standing(tx)) as Record<string, unknown>;
      assert.deepEqual([circuit, later], ["open", 12]);
    });
  });
}
