// REP: what is sent once more, by whom, and that nothing is doubled by asking twice.
import assert from "node:assert/strict";
import type { TransactionSql } from "postgres";
import { arrangeCast, as, committedAs, refusal, tenants } from "../support/actors.ts";
import { createDatabase } from "../support/database.ts";
import { asOwner, eventsOf } from "../support/log.ts";
import { suiteDatabase } from "../support/suite.ts";
import { emit, endpoint, ids } from "./webhook_cases.ts";

const database = suiteDatabase();

interface Row {
  id: string;
  event_id: string;
  event_type: string;
  state: string;
  attempts: number;
  replayed_as: string | null;
}

const rows = (tx: TransactionSql) =>
  tx<Row[]>`
    select id, event_id, event_type, state, attempts, replayed_as from public.webhook_deliveries
     where endpoint_id = ${ids.A} and event_type like 'test.%'
     order by event_recorded_at, attempts desc, replayed_as is null`;

/** As alice, with an endpoint that had these deliveries. */
async function withDeliveries(
  states: string[],
  run: (tx: TransactionSql, made: Row[]) => Promise<void>,
): Promise<void> {
  await as(database().sql, "alice", async (tx) => {
    await run(tx, await rows(tx));
  }, {
    arrange: async (tx) => {
      await endpoint(tx, "A", ["test.*"]);
      for (const [n, state] of states.entries()) {
        await emit(tx, 1, `test.${n % 2 ? "odd" : "even"}`);
        await tx`
          update public.webhook_deliveries set state = ${state}, attempts = 10, settled_at = now()
           where endpoint_id = ${ids.A} and state = 'pending' and attempts = 0`;
      }
    },
  });
}

const replayDelivery = async (tx: TransactionSql, id: string, tenant: string = tenants.A) =>
  (await tx`select public.replay_delivery(${tenant}, ${id}) as id`)[0]!.id as string;

const replay = async (tx: TransactionSql, given: Record<string, unknown> = {}) => {
  const { types = null, states = ["dead", "cancelled"], dryRun = false } = given as {
    types?: string[];
    states?: string[];
    dryRun?: boolean;
  };
  const [row] = await tx`
    select public.replay_deliveries(${tenants.A}, ${ids.A}, types => ${types}, states => ${states},
      dry_run => ${dryRun}) as n`;
  return row!.n as number;
};

Deno.test("REP-01 a dead delivery is sent once more as a new one of the same event; asked again, it is the same", async () => {
  await withDeliveries(["dead"], async (tx, [dead]) => {
    const id = await replayDelivery(tx, dead!.id);
    assert.equal(await replayDelivery(tx, dead!.id), id);
    assert.equal(await replayDelivery(tx, id), id);
    const [old, fresh, ...more] = await rows(tx);
    assert.deepEqual(more, []);
    assert.deepEqual({ ...old }, { ...dead, replayed_as: id });
    assert.deepEqual({ ...fresh }, {
      ...{ id, event_id: dead!.event_id, event_type: dead!.event_type },
      ...{ state: "pending", attempts: 0, replayed_as: null },
    });
    await asOwner(tx, async () => {
      const events = await eventsOf(tx, tenants.A, "webhook_endpoint.replayed");
      assert.deepEqual(events.map(({ data }) => data), [
        { count: 1, filter: { event_id: dead!.event_id } },
      ]);
    });
  });
});

Deno.test("REP-02 what arrived can be sent once more too, and again after that", async () => {
  await withDeliveries(["delivered"], async (tx, [one]) => {
    const second = await replayDelivery(tx, one!.id);
    await asOwner(
      tx,
      () => tx`update public.webhook_deliveries set state = 'delivered' where id = ${second}`,
    );
    const third = await replayDelivery(tx, one!.id); // of the first: leads to the newest
    assert.notEqual(third, second);
    assert.deepEqual((await rows(tx)).map(({ replayed_as }) => replayed_as), [second, third, null]);
  });
});

Deno.test("REP-03 a filter says first how many, then sends them, and finds none when asked again", async () => {
  await withDeliveries(
    ["dead", "dead", "delivered", "cancelled", "dead", "filtered"],
    async (tx) => {
      assert.equal(await replay(tx, { dryRun: true }), 4);
      const [untouched] = await tx`
      select public.replay_deliveries(${tenants.A}, ${ids.A}) as n`; // dry unless told otherwise
      assert.equal(untouched!.n, 4);
      assert.equal((await rows(tx)).length, 6);
      assert.equal(await replay(tx, { types: ["test.even"] }), 2);
      assert.equal(await replay(tx, { types: ["test.even"] }), 0);
      assert.equal(await replay(tx, { types: ["test.*"], states: ["delivered"] }), 1);
      assert.equal(await replay(tx, { types: ["tes.*", "test.other"] }), 0);
      assert.equal(await replay(tx), 2);
      assert.equal(await replay(tx), 0);
      assert.equal((await rows(tx)).filter(({ state }) => state === "pending").length, 5);
      await asOwner(tx, async () => {
        const events = await eventsOf(tx, tenants.A, "webhook_endpoint.replayed");
        assert.deepEqual(events.map(({ data }) => data.count), [2, 1, 2]);
      });
    },
  );
});

Deno.test("REP-04 a filter by time holds its bounds", async () => {
  await withDeliveries(["dead", "dead", "dead"], async (tx) => {
    const [count] = await asOwner(tx, () =>
      tx`
      with at as (select event_recorded_at as t, row_number() over (order by event_recorded_at) as n
        from public.webhook_deliveries where endpoint_id = ${ids.A} and state = 'dead' and event_type like 'test.%')
      select public.replay_deliveries(${tenants.A}, ${ids.A}, since => (select t from at where n = 2)) as from_second,
        public.replay_deliveries(${tenants.A}, ${ids.A}, until => (select t from at where n = 2)) as before_second,
        public.replay_deliveries(${tenants.A}, ${ids.A}, since => (select t from at where n = 2),
          until => (select t from at where n = 3)) as second_only`);
    assert.deepEqual({ ...count }, { from_second: 2, before_second: 1, second_only: 1 });
  });
});

Deno.test("REP-05 what was missed is what died, was cancelled or was never meant for it: not what arrived or waits", async () => {
  await withDeliveries(["dead", "delivered", "cancelled", "filtered"], async (tx, made) => {
    await asOwner(tx, async () => {
      await tx`delete from public.webhook_deliveries where id = ${made[2]!.id}`; // as if it had not been there yet
    });
    const missed = async (dryRun: boolean) =>
      (await tx`
        select public.replay_missed(${tenants.A}, ${ids.A}, now() - interval '1 hour', ${dryRun}) as n`)[
        0
      ]!.n;
    assert.equal(await missed(true), 2);
    assert.equal(await missed(false), 2);
    assert.equal(await missed(false), 0);
    const pending = (await rows(tx)).filter(({ state }) => state === "pending");
    assert.deepEqual(
      pending.map(({ event_id }) => event_id).sort(),
      [
        made[0]!.event_id,
        made[2]!.event_id,
      ].sort(),
    );
    const dead = (await rows(tx)).find(({ id }) => id === made[0]!.id);
    assert.equal(
      dead!.replayed_as,
      pending.find(({ event_id }) => event_id === dead!.event_id)!.id,
    );
  });
});

Deno.test("REP-06 dead letters are what died and was not replayed, with the last result", async () => {
  await withDeliveries(["dead", "dead", "cancelled"], async (tx, made) => {
    await asOwner(tx, () =>
      tx`
      insert into public.webhook_attempts (tenant_id, delivery_id, number, started_at, duration_ms, status, error_class)
      values (${tenants.A}, ${made[0]!.id}, 1, now(), 1, 500, null), (${tenants.A}, ${
        made[0]!.id
      }, 2, now(), 1, null, 'timeout')`);
    const letters = () =>
      tx`select id, last_result from public.dead_letters order by event_recorded_at`;
    assert.deepEqual((await letters()).map((one) => ({ ...one })), [
      { id: made[0]!.id, last_result: "timeout" },
      { id: made[1]!.id, last_result: null },
    ]);
    await replayDelivery(tx, made[0]!.id);
    assert.deepEqual((await letters()).map(({ id }) => id), [made[1]!.id]);
  });
});

Deno.test("REP-07 a disabled endpoint, an unknown delivery or state, too long ago, an event that is gone: refused", async () => {
  await withDeliveries(["dead"], async (tx, [dead]) => {
    const refused = (
      attempt: (s: TransactionSql) => Promise<unknown>,
      slug: string,
      status: number,
    ) => assert.rejects(tx.savepoint(attempt), refusal(slug, status), slug);
    const nobody = "01990000-0000-7000-8000-00000000dead";
    await refused((s) => replayDelivery(s, nobody), "delivery_not_found", 404);
    await refused((s) => replay(s, { states: ["pending"] }), "delivery_state_unknown", 422);
    await refused(
      (s) => s`select public.replay_missed(${tenants.A}, ${ids.A}, now() - interval '31 days')`,
      "since_too_old",
      422,
    );
    await refused(
      (s) => s`select public.replay_missed(${tenants.A}, ${nobody}, now())`,
      "endpoint_not_found",
      404,
    );
    await asOwner(tx, () =>
      tx`
      update public.webhook_deliveries set event_recorded_at = event_recorded_at - interval '1 second' where id = ${
        dead!.id
      }`);
    await refused((s) => replayDelivery(s, dead!.id), "event_gone", 409);
    assert.equal(await replay(tx, { dryRun: true }), 0);
    await tx`update public.webhook_endpoints set enabled = false where id = ${ids.A}`;
    await refused((s) => replayDelivery(s, dead!.id), "endpoint_disabled", 409);
  });
});

Deno.test("REP-08 twenty at once of each kind make one delivery an event", async () => {
  await using own = await createDatabase();
  await arrangeCast(own.sql);
  await own.sql.begin(async (tx) => {
    await endpoint(tx, "A", ["test.*"]);
    await tx`delete from private.webhook_catch_ups`;
    await emit(tx, 30, "test.many");
    await tx`update public.webhook_deliveries set state = 'dead' where endpoint_id = ${ids.A}`;
  });
  const [one] = await own
    .sql`select id from public.webhook_deliveries where endpoint_id = ${ids.A} limit 1`;
  const pool = own.connect("authenticator", { max: 10 });
  const asAlice = (run: (tx: TransactionSql) => Promise<unknown>) =>
    committedAs(pool, "alice", run);
  await Promise.all(Array.from({ length: 20 }, (_, n) =>
    asAlice(async (tx) => {
      if (n % 3 === 0) return await replayDelivery(tx, one!.id);
      if (n % 3 === 1) return await replay(tx);
      return await tx`select public.replay_missed(${tenants.A}, ${ids.A}, now() - interval '1 hour', false)`;
    })));
  const [found] = await own.sql`
    select count(*)::int as all, count(distinct event_id)::int as events from public.webhook_deliveries
     where endpoint_id = ${ids.A} and state = 'pending' and event_type = 'test.many'`;
  assert.deepEqual({ ...found }, { all: 30, events: 30 });
});

for (const actor of ["eve", "bob", "audrey", "visitor", "mallory", "sam", "anon"] as const) {
  Deno.test(`REP-09 ${actor} replays nothing of tenant A`, async () => {
    const expected = actor === "anon" ? { code: "42501" } : refusal("not_allowed", 403);
    for (
      const call of [
        `replay_deliveries('${tenants.A}', '${ids.A}')`,
        `replay_missed('${tenants.A}', '${ids.A}', now())`,
        `replay_delivery('${tenants.A}', '${ids.A}')`,
      ]
    ) {
      await assert.rejects(
        as(database().sql, actor, (tx) => tx.unsafe(`select public.${call}`), {
          arrange: (tx) => endpoint(tx, "A"),
        }),
        expected,
        call,
      );
    }
  });
}
