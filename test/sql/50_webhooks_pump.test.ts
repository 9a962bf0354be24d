// WEB: the worker finds endpoints with something due, claims a batch, settles it.
import assert from "node:assert/strict";
import { arrangeCast, tenants } from "../support/actors.ts";
import { createDatabase } from "../support/database.ts";
import { eventsOf, jobs, undone } from "../support/log.ts";
import { suiteDatabase } from "../support/suite.ts";
import {
  claim,
  claimBy,
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

Deno.test("WEB-04 one job per endpoint with something due, and none while one waits or runs", async () => {
  await undone(database().sql, async (tx) => {
    await tx`delete from graphile_worker._private_jobs`;
    await endpoint(tx, "A");
    await endpoint(tx, "E");
    await emit(tx, 20);
    await emit(tx, 5, "app.updated", tenants.E);
    assert.equal(await findDue(tx, 1), 1);
    assert.equal(await findDue(tx), 1);
    assert.equal(await findDue(tx), 0);
    const pumps = await jobs(tx, "endpoint__pump");
    assert.deepEqual(pumps.map(({ key }) => key).sort(), [
      `endpoint__pump:${ids.A}`,
      `endpoint__pump:${ids.E}`,
    ]);
    assert.deepEqual(pumps.find(({ key }) => key!.endsWith(ids.A))!.payload, {
      tenantId: tenants.A,
      id: ids.A,
    });
    await tx`update graphile_worker._private_jobs set locked_at = now(), locked_by = 'w'`;
    assert.equal(await findDue(tx), 0, "they run");
    await tx`delete from graphile_worker._private_jobs`;
    assert.equal(await findDue(tx), 2, "they are done and left something");
  });
});

Deno.test("WEB-05 what is not due, in a pump's hands or paused makes no job", async () => {
  await undone(database().sql, async (tx) => {
    await tx`delete from graphile_worker._private_jobs`;
    await endpoint(tx, "A");
    await emit(tx, 2);
    const only = async (change: string) => {
      await tx.unsafe(
        `update public.webhook_deliveries set next_attempt_at = now(); update public.webhook_endpoint_states set pump_until = null; update public.webhook_endpoints set paused_until = null; ${change}`,
      );
      return await findDue(tx);
    };
    assert.equal(
      await only(
        "update public.webhook_deliveries set next_attempt_at = now() + interval '1 hour'",
      ),
      0,
    );
    assert.equal(
      await only(
        "update public.webhook_endpoint_states set pump_until = now() + interval '1 minute'",
      ),
      0,
    );
    assert.equal(
      await only("update public.webhook_endpoints set paused_until = now() + interval '1 minute'"),
      0,
    );
    assert.equal(
      await only(
        "update public.webhook_endpoint_states set pump_until = now() - interval '1 second'",
      ),
      1,
    );
  });
});

Deno.test("WEB-06 a claim has all that is needed to sign and send, oldest first, and counts no attempt", async () => {
  await undone(database().sql, async (tx) => {
    await endpoint(tx, "A");
    await emit(tx, 3); // in one transaction: what was recorded first goes first
    const first = (await claim(tx, 2))!;
    assert.deepEqual(first.endpoint, {
      id: ids.A,
      url: "https://hooks.example/",
      ordering: "parallel",
      failuresInARow: 0,
      pace: null,
      headers: null,
    });
    assert.deepEqual(first.secrets.map(({ keyId, ciphertext }) => [keyId, ciphertext]), [[
      "k1",
      "AQI=",
    ]]);
    assert.deepEqual(first.deliveries.map(({ attempt }) => attempt), [1, 1]);
    const bodies = first.deliveries.map(({ body }) => JSON.parse(body));
    assert.deepEqual(bodies.map(({ data }) => data.n), [1, 2]);
    assert.deepEqual(Object.keys(bodies[0]), [
      "type",
      "timestamp",
      "data",
      "id",
      "tenant_id",
      "version",
      "actor",
      "targets",
    ]);
    assert.equal(bodies[0].id, first.deliveries[0]!.eventId);
    assert.match(bodies[0].timestamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
    assert.match(first.deliveries[0]!.traceparent!, /^00-4bf92f35/);
    assert.equal(first.full, true);
    const rest = (await claim(tx, 2, { behind: first.last }))!;
    assert.deepEqual(rest.deliveries.map(({ body }) => JSON.parse(body).data.n), [3]);
    assert.equal(rest.full, false);
    assert.equal(await claim(tx, 2, { behind: rest.last }), null);
    assert.equal((await claim(tx))!.deliveries.length, 3, "nothing was settled");
    assert.ok((await deliveries(tx)).every(({ attempts }) => attempts === 0));
  });
});

Deno.test("WEB-07 the body has the same bytes on each attempt", async () => {
  await undone(database().sql, async (tx) => {
    await endpoint(tx, "A");
    await emit(tx);
    const first = (await claim(tx))!.deliveries[0]!;
    await settle(tx, { id: first.id, outcome: "retry", status: 500 });
    await tx`update public.webhook_deliveries set next_attempt_at = now()`;
    const second = (await claim(tx))!.deliveries[0]!;
    assert.deepEqual([second.attempt, second.id, second.eventId], [2, first.id, first.eventId]);
    assert.equal(second.body, first.body);
  });
});

Deno.test("WEB-07 whatever an event holds, its body is a line of its own", async () => {
  await undone(database().sql, async (tx) => {
    await endpoint(tx, "A");
    const data = {
      name: 'two\nlines\r, a "quote", a \\n and \u2028\u2029\u0085\u0001 😀',
      "a\nkey": [null, 1.50, true, {}],
    };
    const record = (given: object, traceparent: unknown) =>
      tx`select private.record_event(${tenants.A}, 'app.updated', '[{"kind":"test"}]', ${
        tx.json(given as never)
      },
        null, null, ${tx.json({ traceparent } as never)})`;
    await record(data, 'not one, "but\nkept');
    await record({ n: 2 }, null);
    const { deliveries } = (await claim(tx))!;
    assert.deepEqual(deliveries.map(({ body }) => JSON.parse(body).data), [data, { n: 2 }]);
    assert.deepEqual(deliveries.map(({ traceparent }) => traceparent), [
      'not one, "but\nkept',
      null,
    ]);
  });
});

Deno.test("WEB-08 of pumps at once one has the endpoint, until it lets go", async () => {
  await using own = await createDatabase();
  await arrangeCast(own.sql);
  await own.sql.begin(async (tx) => {
    await endpoint(tx, "A");
    await emit(tx, 200);
  });
  const pool = own.connect("gatehouse_worker", { max: 6 });
  const claimed: string[] = [];
  let holder: string | null = null;
  await Promise.all(Array.from({ length: 6 }, async () => {
    const pump = crypto.randomUUID();
    while (claimed.length < 200) {
      const batch = await claimBy(pool, pump, 7);
      if (batch === null) continue;
      assert.equal(holder, null, "another one has it");
      holder = pump;
      claimed.push(...batch.deliveries.map(({ id }) => id));
      const results = batch.deliveries.map(({ id }) => ({ id, outcome: "delivered" }));
      const settled = results.map((one) => ({ ...one, startedAtMs: Date.now(), durationMs: 1 }));
      await pool`select private.settle_deliveries(${tenants.A}, ${ids.A}, ${
        pool.json(settled as never)
      })`;
      holder = null;
      await pool`select private.let_go_of_endpoint(${tenants.A}, ${ids.A}, ${pump})`;
    }
  }));
  assert.deepEqual([claimed.length, new Set(claimed).size], [200, 200]);
});

Deno.test("WEB-09 a pump that neither claims nor lets go loses the endpoint when its time is over", async () => {
  await undone(database().sql, async (tx) => {
    await endpoint(tx, "A");
    await emit(tx);
    await claim(tx);
    const second = { pump: pumps.second };
    assert.equal(await claim(tx, 10, second), null);
    await letGo(tx, pumps.second); // not its to let go
    assert.equal(await claim(tx, 10, second), null);
    await tx`update public.webhook_endpoint_states set pump_until = now() - interval '1 second'`;
    assert.equal((await claim(tx, 10, second))!.deliveries.length, 1);
    assert.equal(await claim(tx), null, "the first one comes too late");
  });
});

Deno.test("WEB-10 delivered: settled with its attempt on record", async () => {
  await undone(database().sql, async (tx) => {
    await endpoint(tx, "A");
    await emit(tx);
    const id = (await claim(tx))!.deliveries[0]!.id;
    assert.equal(
      await settle(tx, {
        id,
        outcome: "delivered",
        status: 204,
        responseHeaders: { server: "x" },
        responseBody: "ok",
      }),
      1,
    );
    const [row] = await deliveries(tx);
    assert.deepEqual([row!.state, row!.attempts, row!.settled_at !== null], [
      "delivered",
      1,
      true,
    ]);
    const [attempt] =
      await tx`select number, status, duration_ms, response_body, response_headers, error_class from public.webhook_attempts`;
    assert.deepEqual({ ...attempt }, {
      number: 1,
      status: 204,
      duration_ms: 12,
      response_body: "ok",
      response_headers: { server: "x" },
      error_class: null,
    });
  });
});

Deno.test("WEB-11 each failed attempt waits longer, and after the last the delivery is dead", async () => {
  await undone(database().sql, async (tx) => {
    await endpoint(tx, "A");
    await emit(tx);
    const waits: number[] = [];
    for (let attempt = 1; attempt <= 10; attempt++) {
      const id = (await claim(tx))!.deliveries[0]!.id;
      await settle(tx, { id, outcome: "retry", status: 500, errorClass: "http" });
      const [row] =
        await tx`select state, extract(epoch from next_attempt_at - clock_timestamp())::float8 as wait from public.webhook_deliveries where id = ${id}`;
      assert.equal(row!.state, attempt === 10 ? "dead" : "pending");
      if (attempt < 10) waits.push(row!.wait);
      await tx`update public.webhook_deliveries set next_attempt_at = now()`;
    }
    for (
      const [index, seconds] of [5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400].entries()
    ) {
      assert.ok(
        waits[index]! > seconds * 0.8 - 2 && waits[index]! <= seconds * 1.2,
        `${index}: ${waits[index]}`,
      );
    }
    assert.equal(await claim(tx), null);
    assert.equal((await tx`select count(*)::int as n from public.webhook_attempts`)[0]!.n, 10);
    const drawn = await tx<{ wait: number }[]>`
      select extract(epoch from private.retry_delay('{1000}', 1))::float8 as wait
        from generate_series(1, 400) order by 1`;
    const [least, most] = [drawn[0]!.wait, drawn.at(-1)!.wait];
    assert.ok(least >= 800 && least < 850 && most > 1150 && most <= 1200, `${least} to ${most}`);
  });
});

Deno.test("WEB-12 retry-after is heard when it asks for more, a day at most", async () => {
  await undone(database().sql, async (tx) => {
    await endpoint(tx, "A");
    await emit(tx, 2);
    const [one, two] = (await claim(tx))!.deliveries;
    await settle(tx, { id: one!.id, outcome: "retry", retryAfterSeconds: 600 }, {
      id: two!.id,
      outcome: "retry",
      retryAfterSeconds: 9_999_999,
    });
    const rows =
      await tx`select extract(epoch from next_attempt_at - clock_timestamp())::float8 as wait from public.webhook_deliveries where id in (${
        one!.id
      }, ${two!.id}) order by 1`;
    assert.ok(Math.abs(rows[0]!.wait - 600) < 5 && Math.abs(rows[1]!.wait - 86400) < 5);
  });
});

Deno.test("WEB-13 gone (410): the endpoint is disabled with its reason, and everything that waited is cancelled", async () => {
  await undone(database().sql, async (tx) => {
    await endpoint(tx, "A");
    await emit(tx, 3);
    const id = (await claim(tx, 1))!.deliveries[0]!.id;
    await settle(tx, { id, outcome: "disable", status: 410 });
    const [row] =
      await tx`select enabled, disabled_reason from public.webhook_endpoints where id = ${ids.A}`;
    assert.deepEqual({ ...row }, { enabled: false, disabled_reason: "gone" });
    assert.ok((await deliveries(tx)).every(({ state }) => state === "cancelled"));
    assert.equal((await eventsOf(tx, tenants.A, "webhook_endpoint.updated")).length, 1);
  });
});

Deno.test("WEB-14 released: claimed but never sent counts nothing and is due again", async () => {
  await undone(database().sql, async (tx) => {
    await endpoint(tx, "A");
    await emit(tx);
    const id = (await claim(tx))!.deliveries[0]!.id;
    await settle(tx, { id, outcome: "release" });
    const [row] = await deliveries(tx);
    assert.deepEqual([row!.state, row!.attempts], ["pending", 0]);
    assert.equal((await tx`select from public.webhook_attempts`).length, 0);
    assert.equal((await claim(tx))!.deliveries[0]!.attempt, 1);
  });
});

Deno.test("WEB-15 a throttled endpoint rests, and the rest of its backlog with it", async () => {
  await undone(database().sql, async (tx) => {
    await endpoint(tx, "A");
    await emit(tx, 5);
    const id = (await claim(tx, 1))!.deliveries[0]!.id;
    await settle(tx, { id, outcome: "retry", status: 429, throttle: true, retryAfterSeconds: 90 });
    assert.equal(await claim(tx), null);
    const [row] =
      await tx`select extract(epoch from paused_until - now())::float8 as rest from public.webhook_endpoints where id = ${ids.A}`;
    assert.equal(Math.round(row!.rest), 90);
    assert.deepEqual(
      await eventsOf(tx, tenants.A, "webhook_endpoint.updated"),
      [],
      "a pause is not a change of the endpoint",
    );
  });
});

Deno.test("WEB-16 a late word about a settled or another tenant's delivery is not heard", async () => {
  await undone(database().sql, async (tx) => {
    await endpoint(tx, "A");
    await endpoint(tx, "E");
    await emit(tx);
    await emit(tx, 1, "app.updated", tenants.E);
    const id = (await claim(tx))!.deliveries[0]!.id;
    await settle(tx, { id, outcome: "delivered", status: 200 });
    assert.equal(await settle(tx, { id, outcome: "retry", status: 500 }), 0);
    const [foreign] =
      await tx`select id from public.webhook_deliveries where tenant_id = ${tenants.E} and state = 'pending'`;
    assert.equal(await settle(tx, { id: foreign!.id, outcome: "delivered" }), 0);
  });
});
