// WEB: a strictly ordering endpoint. Of one key nothing is claimed before the earlier event is settled, whoever claims and whatever commits late.
import assert from "node:assert/strict";
import type { TransactionSql } from "postgres";
import { arrangeCast, tenants } from "../support/actors.ts";
import { createDatabase } from "../support/database.ts";
import { undone } from "../support/log.ts";
import { suiteDatabase } from "../support/suite.ts";
import {
  type Claim,
  claim,
  claimBy,
  endpoint,
  findDue,
  ids,
  pumps,
  settle,
} from "./webhook_cases.ts";

const database = suiteDatabase();

async function strict(tx: TransactionSql): Promise<void> {
  await endpoint(tx, "A", ["app.*"]);
  await tx`update public.webhook_endpoints set ordering = 'strict'`;
}

/** One event for each key, in this order. Recorded a while ago: an event waits 50 ms for what may be beside it. */
async function emit(tx: TransactionSql, ...keys: string[]): Promise<void> {
  for (const key of keys) {
    await tx`select private.record_event(${tenants.A}, 'app.updated',
      ${tx.json([{ kind: "app", id: key }])}, ${
      tx.json({ before: { name: key }, after: { name: key } })
    })`;
  }
  await tx`select pg_sleep(0.06)`;
}

const keysOf = (claimed: Claim | null) =>
  claimed?.deliveries.map(({ body }) => JSON.parse(body).targets[0].id) ?? [];
const all = (claimed: Claim | null, outcome: string) =>
  (claimed?.deliveries ?? []).map(({ id }) => ({ id, outcome, status: 500 }));

Deno.test("WEB-50 of each key the earliest is claimed, in the order of the log", async () => {
  await undone(database().sql, async (tx) => {
    await strict(tx);
    await emit(tx, "b", "a", "b", "c", "a");
    const first = await claim(tx);
    assert.deepEqual(keysOf(first), ["b", "a", "c"]);
    assert.equal(await claim(tx, 10, { pump: pumps.second }), null, "the others wait for these");
    await settle(tx, ...all(first, "delivered"));
    const second = await claim(tx);
    assert.deepEqual(keysOf(second), ["b", "a"]);
    await settle(tx, ...all(second, "delivered"));
    assert.equal(await claim(tx), null);
  });
});

Deno.test("WEB-51 one that waits for its retry holds up its key and no other", async () => {
  await undone(database().sql, async (tx) => {
    await strict(tx);
    await emit(tx, "a", "a", "b", "b");
    const first = await claim(tx);
    const [a, b] = first!.deliveries;
    await settle(tx, { id: a!.id, outcome: "retry", status: 500 }, {
      id: b!.id,
      outcome: "delivered",
    });
    const second = await claim(tx);
    assert.deepEqual(keysOf(second), ["b"]);
    await settle(tx, ...all(second, "delivered"));
    assert.equal(await claim(tx), null);
    await tx`delete from graphile_worker._private_jobs`;
    assert.equal(await findDue(tx), 0, "and nobody looks in vain every 100 ms");
    await tx`update public.webhook_deliveries set next_attempt_at = now() where id = ${a!.id}`;
    await tx`update public.webhook_endpoint_states set look_again_after = null`;
    const retried = await claim(tx);
    assert.deepEqual(retried!.deliveries.map(({ id, attempt }) => [id, attempt]), [[a!.id, 2]]);
    await settle(tx, { id: a!.id, outcome: "dead", status: 400 });
    assert.deepEqual(keysOf(await claim(tx)), ["a"], "dead is settled");
  });
});

Deno.test("WEB-52 a long line of one key that is stuck does not hide the others behind it", async () => {
  await undone(database().sql, async (tx) => {
    await strict(tx);
    await tx`
      select private.record_event(${tenants.A}, 'app.updated', '[{"kind": "app", "id": "stuck"}]', '{"before": {"name": "x"}, "after": {"name": "y"}}')
        from generate_series(1, 5000)`;
    await emit(tx, "other");
    await settle(tx, ...all(await claim(tx, 1), "retry"));
    const began = performance.now();
    assert.deepEqual(keysOf(await claim(tx)), ["other"]);
    assert.ok(performance.now() - began < 1_000);
  });
});

Deno.test("WEB-53 what was noted before the endpoint ordered strictly is sent too, in order", async () => {
  await undone(database().sql, async (tx) => {
    await endpoint(tx, "A", ["app.*"]);
    await emit(tx, "a", "a");
    await tx`update public.webhook_endpoints set ordering = 'strict'`;
    assert.equal(await claim(tx), null, "keys are noted");
    for (let i = 0; i < 2; i++) {
      const claimed = await claim(tx);
      assert.deepEqual(keysOf(claimed), ["a"]);
      await settle(tx, ...all(claimed, "delivered"));
    }
  });
});

Deno.test("WEB-54 an earlier event that commits late is waited for", async () => {
  await using own = await createDatabase();
  await arrangeCast(own.sql);
  await own.sql.begin((tx) => strict(tx));
  const beside = await own.connect(undefined, { max: 1 }).reserve();
  const claimNow = () => own.sql.begin((tx) => claim(tx));
  try {
    await beside`begin`;
    await beside`select private.record_event(${tenants.A}, 'app.updated', '[{"kind": "app", "id": "a"}]', '{"before": {"name": "first"}, "after": {"name": "y"}}')`;
    await own.sql.begin((tx) => emit(tx, "a"));
    assert.equal(await claimNow(), null, "the earlier one may still come");
    assert.equal(await claimNow(), null);
    await beside`commit`;
    await own.sql`select pg_sleep(0.06)`;
    await claimNow().then(async (first) => {
      assert.equal(JSON.parse(first!.deliveries[0]!.body).data.before.name, "first");
      await own.sql.begin((tx) => settle(tx, ...all(first, "delivered")));
    });
    assert.equal(JSON.parse((await claimNow())!.deliveries[0]!.body).data.before.name, "a");
  } finally {
    beside.release();
  }
});

Deno.test("WEB-56 an earlier event is waited for, also where its transaction is the youngest of all", async () => {
  await using own = await createDatabase();
  await arrangeCast(own.sql);
  await own.sql.begin((tx) => strict(tx));
  const beside = await own.connect(undefined, { max: 1 }).reserve();
  const claimNow = () => own.sql.begin((tx) => claim(tx));
  const nameOf = (claimed: Claim | null) =>
    JSON.parse(claimed!.deliveries[0]!.body).data.before.name;
  try {
    await own.sql.begin(async (tx) => {
      await tx`select pg_current_xact_id()`; // older than the one beside, which records first
      await beside`begin`;
      await beside`select private.record_event(${tenants.A}, 'app.updated', '[{"kind": "app", "id": "a"}]', '{"before": {"name": "first"}, "after": {"name": "y"}}')`;
      await emit(tx, "a");
    });
    for (let again = 0; again < 3; again++) {
      assert.equal(await claimNow(), null, "nothing that ended is younger, and it runs on");
    }
    await beside`commit`;
    await own.sql`select pg_sleep(0.06)`;
    const first = await claimNow();
    assert.equal(nameOf(first), "first");
    await own.sql.begin((tx) => settle(tx, ...all(first, "delivered")));
    assert.equal(nameOf(await claimNow()), "a");
  } finally {
    beside.release();
  }
});

Deno.test("WEB-55 claims at once never hold two of a key", async () => {
  await using own = await createDatabase();
  await arrangeCast(own.sql);
  await own.sql.begin(async (tx) => {
    await strict(tx);
    for (let i = 0; i < 40; i++) await emit(tx, "a", "b", "c");
  });
  const pool = own.connect("gatehouse_worker", { max: 5 });
  const held = new Map<string, string>();
  const order = new Map<string, string[]>();
  let settled = 0;
  await Promise.all(Array.from({ length: 5 }, async () => {
    const pump = crypto.randomUUID();
    while (settled < 120) {
      for (const { id, eventId, body } of (await claimBy(pool, pump, 2))?.deliveries ?? []) {
        const key = JSON.parse(body).targets[0].id;
        assert.equal(held.get(key), undefined, `two of ${key} at once`);
        held.set(key, id);
        order.set(key, [...order.get(key) ?? [], eventId]);
        await new Promise((resolve) => setTimeout(resolve, 1));
        held.delete(key);
        const results = [{ id, outcome: "delivered", startedAtMs: Date.now(), durationMs: 1 }];
        await pool`select private.settle_deliveries(${tenants.A}, ${ids.A}, ${
          pool.json(results as never)
        })`;
        settled++;
      }
      await pool`select private.let_go_of_endpoint(${tenants.A}, ${ids.A}, ${pump})`;
    }
  }));
  for (const [key, sent] of order) {
    const log = await own.sql`
      select id from public.audit_events where type = 'app.updated' and targets -> 0 ->> 'id' = ${key} order by recorded_at`;
    assert.deepEqual(sent, log.map(({ id }) => id));
  }
});
