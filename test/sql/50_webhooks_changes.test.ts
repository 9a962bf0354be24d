// WEB: an endpoint gets another address, and its end.
import assert from "node:assert/strict";
import type { TransactionSql } from "postgres";
import { type Actor, arrangeCast, as, committedAs, refusal, tenants } from "../support/actors.ts";
import { createDatabase } from "../support/database.ts";
import { eventually } from "../support/eventually.ts";
import { asOwner, eventsOf } from "../support/log.ts";
import { suiteDatabase } from "../support/suite.ts";
import { claim, emit, endpoint, ids } from "./webhook_cases.ts";

const database = suiteDatabase();

/** As the actor, beside an endpoint of tenant A with a header and so many deliveries that wait. */
const beside = (actor: Actor, waiting: number, run: (tx: TransactionSql) => Promise<void>) =>
  as(database().sql, actor, run, {
    arrange: async (tx) => {
      await endpoint(tx, "A", ["test.*"]);
      await tx`update public.webhook_endpoints set header_names = '{authorization}'`;
      await tx`
        insert into private.webhook_headers (tenant_id, endpoint_id, key_id, ciphertext)
        values (${tenants.A}, ${ids.A}, 'k1', '\\x01')`;
      await tx`delete from private.webhook_catch_ups`;
      await emit(tx, waiting, "test.waits");
    },
  });

const move = async (tx: TransactionSql, url: string, newHeaders = false) =>
  (await tx`
    select private.move_webhook_endpoint(${tenants.A}, ${ids.A}, ${url}, ${newHeaders}) as one`)[0]!
    .one;
const remove = (tx: TransactionSql, tenant: string = tenants.A) =>
  tx`select private.remove_webhook_endpoint(${tenant}, ${ids.A})`;
const sealedOf = async (tx: TransactionSql) =>
  (await tx`
    select (select count(*)::int from private.webhook_secrets where endpoint_id = ${ids.A}) as secrets,
      (select count(*)::int from private.webhook_headers where endpoint_id = ${ids.A}) as headers`)[
    0
  ]!;
const states = async (tx: TransactionSql) =>
  (await tx`
    select state from public.webhook_deliveries
     where endpoint_id = ${ids.A} and event_type = 'test.waits' order by id`)
    .map(({ state }) => state);

Deno.test("WEB-80 another address is on record; what waits goes there, with the headers where the host is the same", async () => {
  await beside("alice", 2, async (tx) => {
    const moved = await move(tx, "https://hooks.example/other?x=1");
    assert.deepEqual([moved.url, moved.headerNames], [
      "https://hooks.example/other?x=1",
      ["authorization"],
    ]);
    await move(tx, "https://hooks.example/other?x=1"); // no change, no event
    await asOwner(tx, async () => {
      const events = await eventsOf(tx, tenants.A, "webhook_endpoint.updated");
      assert.deepEqual(events.map(({ data }) => data).at(-1), {
        before: { url: "https://hooks.example/" },
        after: { url: "https://hooks.example/other?x=1" },
      });
      assert.equal(events.filter(({ data }) => data.after!.url).length, 1);
      const claimed = await claim(tx);
      assert.equal(claimed!.endpoint.url, "https://hooks.example/other?x=1");
      assert.ok(claimed!.endpoint.headers);
      assert.equal(claimed!.deliveries.length, 2);
    });
  });
});

Deno.test("WEB-81 headers do not follow to another scheme, host or port, nor to an address that is hard to read", async () => {
  for (
    const url of [
      "https://elsewhere.example/",
      "http://hooks.example/",
      "https://hooks.example:8443/",
      "https://hooks.example.evil.example/",
      "https://hooks.example\\@evil.example/",
      "https:///evil.example/",
    ]
  ) {
    await beside("alice", 0, async (tx) => {
      assert.deepEqual((await move(tx, url)).headerNames, [], url);
      await asOwner(tx, async () => assert.equal((await sealedOf(tx)).headers, 0, url));
    });
  }
  await beside("alice", 0, async (tx) => {
    await move(tx, "https://HOOKS.example:443/x"); // the same
    await asOwner(tx, async () => assert.equal((await sealedOf(tx)).headers, 1));
    await move(tx, "https://elsewhere.example/", true); // whoever says so puts new ones
    await asOwner(tx, async () => assert.equal((await sealedOf(tx)).headers, 1));
  });
});

Deno.test("WEB-82 a removed endpoint: what waits is cancelled, what was sealed is erased, nobody sees or enables it; again is no error", async () => {
  await beside("alice", 2, async (tx) => {
    await remove(tx);
    await remove(tx);
    assert.deepEqual([...await tx`select from public.webhook_endpoints where id = ${ids.A}`], []);
    for (const change of ["enabled = true", "description = 'back'"]) {
      const changed = await tx.unsafe(
        `update public.webhook_endpoints set ${change} where id = '${ids.A}'`,
      );
      assert.equal(changed.count, 0, change);
    }
    assert.deepEqual(await states(tx), ["cancelled", "cancelled"]); // still to be read
    await asOwner(tx, async () => {
      assert.deepEqual({ ...await sealedOf(tx) }, { secrets: 0, headers: 0 });
      const [row] = await tx`
        select enabled, disabled_reason, header_names, removed_at is not null as removed
          from public.webhook_endpoints where id = ${ids.A}`;
      assert.deepEqual({ ...row }, {
        ...{ enabled: false, disabled_reason: "removed", header_names: [], removed: true },
      });
      const disabled = await eventsOf(tx, tenants.A, "webhook_endpoint.disabled");
      assert.deepEqual(disabled.map(({ data }) => data.reason), ["removed"]);
      await emit(tx, 1, "test.waits");
      assert.equal((await states(tx)).length, 2);
      assert.equal(await claim(tx), null);
      await assert.rejects(
        tx.savepoint((s) =>
          s`update public.webhook_endpoints set enabled = true where id = ${ids.A}`
        ),
        { code: "23514" },
      );
    });
  });
});

Deno.test("WEB-83 nothing is done with a removed endpoint: not moved, rotated, given headers, opened or replayed", async () => {
  await beside("alice", 1, async (tx) => {
    const [one] = await tx`
      select id from public.webhook_deliveries
       where endpoint_id = ${ids.A} and event_type = 'test.waits'`;
    await remove(tx);
    for (
      const call of [
        `private.move_webhook_endpoint('${tenants.A}', '${ids.A}', 'https://x.example/')`,
        `private.rotate_webhook_secret('${tenants.A}', '${ids.A}', 'v1', null,
           '[{"scheme": "v1", "keyId": "k1", "ciphertext": "AA=="}]', 60)`,
        `private.put_webhook_headers('${tenants.A}', '${ids.A}', '{}', null, null)`,
        `private.open_webhook_endpoint('${tenants.A}', '${ids.A}')`,
        `public.replay_delivery('${tenants.A}', '${one!.id}')`,
        `public.replay_deliveries('${tenants.A}', '${ids.A}')`,
        `public.replay_missed('${tenants.A}', '${ids.A}', now())`,
      ]
    ) {
      await assert.rejects(
        tx.savepoint((s) => s.unsafe(`select ${call}`)),
        refusal("endpoint_not_found", 404),
        call,
      );
    }
  });
});

Deno.test("WEB-84 one that was disabled before is removed as well, with what came in late for it", async () => {
  await beside("alice", 1, async (tx) => {
    await tx`update public.webhook_endpoints set enabled = false where id = ${ids.A}`;
    await asOwner(tx, () =>
      tx`
        update public.webhook_deliveries set state = 'pending', settled_at = null
         where endpoint_id = ${ids.A} and event_type = 'test.waits'`);
    await remove(tx);
    assert.deepEqual(await states(tx), ["cancelled"]);
  });
});

Deno.test("WEB-86 a removal waits for the replay beside it, and cancels what that noted", async () => {
  await using own = await createDatabase();
  await arrangeCast(own.sql);
  await own.sql.begin(async (tx) => {
    await endpoint(tx, "A", ["test.*"]);
    await tx`delete from private.webhook_catch_ups`;
    await emit(tx, 3, "test.waits");
    await tx`update public.webhook_deliveries set state = 'dead' where event_type = 'test.waits'`;
  });
  const pool = own.connect("authenticator", { max: 2 });
  const asAlice = (run: (tx: TransactionSql) => Promise<unknown>) =>
    committedAs(pool, "alice", run);
  let removal: Promise<unknown> = Promise.resolve();
  await asAlice(async (tx) => {
    await tx`select public.replay_deliveries(${tenants.A}, ${ids.A}, dry_run => false)`;
    removal = asAlice(remove);
    await eventually("the removal waits", async () =>
      (await own.sql`
        select from pg_stat_activity
         where datname = current_database() and usename = 'authenticator'
           and wait_event_type = 'Lock'`).length === 1);
  });
  await removal;
  const states = await own.sql`
    select state, count(*)::int as n from public.webhook_deliveries
     where event_type = 'test.waits' group by 1 order by 1`;
  assert.deepEqual(states.map((row) => ({ ...row })), [
    { state: "cancelled", n: 3 },
    { state: "dead", n: 3 },
  ]);
});

for (const actor of ["eve", "bob", "audrey", "visitor", "mallory", "sam"] as const) {
  Deno.test(`WEB-85 ${actor} neither moves nor removes an endpoint of tenant A`, async () => {
    await beside(actor, 1, async (tx) => {
      const not = (slug: string, status: number, run: (s: TransactionSql) => Promise<unknown>) =>
        assert.rejects(tx.savepoint(run), refusal(slug, status));
      await not("not_allowed", 403, (s) => move(s, "https://eve.example/"));
      await not("not_allowed", 403, (s) => remove(s));
      if (actor === "eve") {
        await not("endpoint_not_found", 404, (s) => remove(s, tenants.E)); // by naming her own
        await not("endpoint_not_found", 404, (s) =>
          s`
          select private.move_webhook_endpoint(${tenants.E}, ${ids.A}, 'https://eve.example/')`);
      }
      await asOwner(tx, async () => assert.deepEqual(await states(tx), ["pending"]));
    });
  });
}
