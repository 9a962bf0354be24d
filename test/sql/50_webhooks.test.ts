// WEB: an event becomes deliveries of its tenant's endpoints in the same transaction; endpoints and secrets are for who may.
import assert from "node:assert/strict";
import type { TransactionSql } from "postgres";
import { apps, arrangeCast, as, people, refusal, tenants } from "../support/actors.ts";
import { createDatabase } from "../support/database.ts";
import { asOwner, eventsOf, undone } from "../support/log.ts";
import { suiteDatabase } from "../support/suite.ts";
import { claim, deliveries, emit, endpoint, findDue, ids } from "./webhook_cases.ts";

const database = suiteDatabase();

Deno.test("WEB-01 an event goes to the endpoints of its tenant that want its type", async () => {
  await undone(database().sql, async (tx) => {
    await endpoint(tx, "A", ["app.*", "user.signed_in"]);
    await endpoint(tx, "E");
    await emit(tx, 1, "app.updated");
    await emit(tx, 1, "user.signed_in");
    await emit(tx, 1, "user.signed_out");
    await emit(tx, 1, "application.made");
    const found = (await deliveries(tx)).map((
      { endpoint_id, event_type },
    ) => [endpoint_id, event_type]).sort(); // ids made within one millisecond have no order
    assert.deepEqual(found, [[ids.A, "app.updated"], [ids.A, "user.signed_in"]]);
  });
});

Deno.test("WEB-02 a change that is rolled back is delivered to nobody", async () => {
  await undone(database().sql, async (tx) => {
    await endpoint(tx, "A");
    await tx.savepoint(async (s) => {
      await s`update public.apps set name = 'x' where id = ${apps.A.id}`;
      throw "undone";
    }).catch(() => {});
    assert.equal((await deliveries(tx)).length, 0);
    await tx`update public.apps set name = 'x' where id = ${apps.A.id}`;
    assert.deepEqual((await deliveries(tx)).map(({ event_type }) => event_type), ["app.updated"]);
  });
});

Deno.test("WEB-03 a disabled endpoint gets nothing more, and what waited is cancelled", async () => {
  await undone(database().sql, async (tx) => {
    await endpoint(tx, "A");
    await emit(tx, 3);
    await tx`update public.webhook_endpoints set enabled = false`;
    assert.deepEqual((await deliveries(tx)).map(({ state }) => state), [
      "cancelled",
      "cancelled",
      "cancelled",
    ]);
    await emit(tx);
    assert.equal((await deliveries(tx)).length, 3);
    assert.equal(await claim(tx), null);
    assert.equal(await findDue(tx), 0);
  });
});

const create = (tx: TransactionSql, types: string[] | null, since: string | null = null) =>
  tx`
  select private.create_webhook_endpoint(${tenants.A}, ${ids.A},
    ${tx.json({ url: "https://hooks.example/", event_types: types, since_at: since })},
    '[{"scheme": "v1", "keyId": "k1", "ciphertext": "AQ=="}]') as made`;

Deno.test("WEB-20 alice makes an endpoint with its sealed secret; the log tells the row and never the secret", async () => {
  await as(database().sql, "alice", async (tx) => {
    const [row] = await create(tx, ["app.*"]);
    assert.deepEqual([row!.made.id, row!.made.eventTypes, row!.made.enabled], [
      ids.A,
      ["app.*"],
      true,
    ]);
    assert.equal((await tx`select from public.webhook_endpoints`).length, 1);
    await asOwner(tx, async () => {
      const [event] = await eventsOf(tx, tenants.A, "webhook_endpoint.created");
      assert.deepEqual(event!.actor, { kind: "user", id: people.alice.id });
      assert.doesNotMatch(JSON.stringify(event), /ciphertext|x01/);
    });
  });
});

Deno.test("WEB-21 an endpoint for unknown types, a time too long ago or another's tenant is refused", async () => {
  await assert.rejects(
    as(database().sql, "alice", (tx) => create(tx, ["app.*", "apps.*"])),
    refusal("event_type_unknown", 422),
  );
  await assert.rejects(
    as(database().sql, "alice", (tx) => create(tx, null, "2020-01-01T00:00:00Z")),
    refusal("since_too_old", 422),
  );
  await assert.rejects(as(database().sql, "alice", (tx) => create(tx, [])), {
    constraint_name: "event_types_malformed",
  });
  for (const actor of ["eve", "bob", "audrey", "visitor", "mallory", "sam"] as const) {
    await assert.rejects(
      as(database().sql, actor, (tx) => create(tx, null)),
      refusal("not_allowed", 403),
      actor,
    );
  }
  await assert.rejects(as(database().sql, "anon", (tx) => create(tx, null)), { code: "42501" });
});

Deno.test("WEB-22 an endpoint that asks for the past gets each event since then once, those of the future too", async () => {
  await using own = await createDatabase();
  await arrangeCast(own.sql);
  const { sql } = own;
  await sql.begin((tx) => emit(tx, 3));
  await sql`insert into public.webhook_endpoints (tenant_id, id, url, event_types, since_at) values (${tenants.A}, ${ids.A}, 'https://hooks.example/', ${[
    "app.updated",
  ]}, now() - interval '1 hour')`;
  await sql.begin((tx) => emit(tx, 2));
  const pool = own.connect("gatehouse_worker", { max: 1 });
  while ((await sql`select from private.webhook_catch_ups`).length > 0) {
    await pool`select private.catch_up_endpoints()`; // transactions of other databases may put it off
  }
  assert.deepEqual([...await pool`select private.catch_up_endpoints() as n`], [{ n: 0 }]);
  const [row] =
    await sql`select count(*)::int as n, count(distinct event_id)::int as events from public.webhook_deliveries`;
  assert.deepEqual({ ...row }, { n: 5, events: 5 });
});

Deno.test("WEB-23 a rotated secret signs beside the old one for the overlap, then alone", async () => {
  await undone(database().sql, async (tx) => {
    await endpoint(tx, "A");
    await tx`select set_config('gatehouse.principal_id', ${people.alice.id}, true), set_config('gatehouse.principal_kind', 'user', true), set_config('gatehouse.client_kind', 'portal', true)`;
    await tx`select private.rotate_webhook_secret(${tenants.A}, ${ids.A}, 'v1', null, '[{"scheme": "v1", "keyId": "k2", "ciphertext": "Aw=="}]', 60)`;
    await emit(tx);
    assert.deepEqual((await claim(tx))!.secrets.map(({ keyId }) => keyId), ["k2", "k1"]);
    await tx`update private.webhook_secrets set expires_at = now() where expires_at is not null`;
    assert.deepEqual((await claim(tx))!.secrets.map(({ keyId }) => keyId), ["k2"]);
    assert.equal((await eventsOf(tx, tenants.A, "webhook_endpoint.secret_rotated")).length, 1);
  });
});

Deno.test("WEB-24 a secret is rotated and an endpoint tried out by who may change it only", async () => {
  const calls = [
    `private.rotate_webhook_secret('${tenants.A}', '${ids.A}', 'v1', null, '[{"scheme": "v1", "keyId": "k2", "ciphertext": "Aw=="}]', 60)`,
    `private.put_webhook_headers('${tenants.A}', '${ids.A}', '{x-token}', 'k2', '\\x03')`,
    `private.open_webhook_endpoint('${tenants.A}', '${ids.A}')`,
  ];
  for (const call of calls) {
    const run = (actor: "alice" | "eve" | "bob", there = true) =>
      as(database().sql, actor, (tx) => tx.unsafe(`select ${call} as r`), {
        arrange: (tx) => there ? endpoint(tx, "A") : Promise.resolve(),
      });
    await run("alice");
    await assert.rejects(run("alice", false), refusal("endpoint_not_found", 404));
    await assert.rejects(run("eve"), refusal("not_allowed", 403));
    await assert.rejects(run("bob"), refusal("not_allowed", 403));
  }
});

Deno.test("WEB-25 nobody but the worker claims, settles or reads a secret", async () => {
  for (const actor of ["alice", "pat", "anon"] as const) {
    for (
      const call of [
        `select private.claim_deliveries('${tenants.A}', '${ids.A}', '${ids.A}', 1, 1)`,
        `select private.settle_deliveries('${tenants.A}', '${ids.A}', '[]')`,
        "select ciphertext from private.webhook_secrets",
        "update public.webhook_deliveries set state = 'pending'",
        `insert into public.webhook_endpoints (tenant_id, url) values ('${tenants.A}', 'https://x.example/')`,
      ]
    ) {
      await assert.rejects(
        as(database().sql, actor, (tx) => tx.unsafe(call)),
        { code: "42501" },
        `${actor} ${call}`,
      );
    }
  }
});

const wish = (
  actor: "alice" | "eve" | "pat",
  types: unknown,
  had: string[] | null = null,
) =>
  as(
    database().sql,
    actor,
    async (tx) => {
      await tx`update public.webhook_endpoints set event_types = ${types as string[]}
        where id = ${ids.A}`;
      const [row] = await tx`select event_types from public.webhook_endpoints where id = ${ids.A}`;
      return row?.event_types;
    },
    {
      arrange: async (tx) => {
        await endpoint(tx, "A", had);
        for (
          const [tenant, name] of [[tenants.A, "custom.order.placed"], [tenants.E, "custom.e"]]
        ) {
          await tx`insert into public.custom_event_types (tenant_id, name, schema)
            values (${tenant!}, ${name!}, '{}')`;
        }
      },
    },
  );

Deno.test("WEB-26 a change of types is held to what there is, as a new endpoint is: element by element", async () => {
  for (const types of [null, ["app.*"], ["user.signed_in", "custom.*"], ["custom.order.placed"]]) {
    assert.deepEqual(await wish("alice", types), types);
    assert.deepEqual(await wish("pat", types), types, "platform");
  }
  for (const types of [["usr.*"], ["app.*", "app.create"], ["custom.e"], ["custom.orders.*"]]) {
    await assert.rejects(wish("alice", types), refusal("event_type_unknown", 422), `${types}`);
  }
  const malformed = [
    [],
    ["app.created user.created"],
    ["app.created", null],
    [null],
    ["App.*"],
    [""],
    ["app.*.created"],
    ["*"],
    [["app.created"], ["user.created"]],
    Array(101).fill("app.*"),
  ];
  for (const types of malformed) {
    await assert.rejects(
      wish("alice", types),
      { constraint_name: "event_types_malformed" },
      JSON.stringify(types),
    );
  }
  for (const types of [["app.created user.created"], ["app.created", null]]) {
    await assert.rejects(
      as(database().sql, "alice", (tx) => create(tx, types as string[])),
      { constraint_name: "event_types_malformed" },
      JSON.stringify(types),
    );
  }
  assert.equal(await wish("eve", ["usr.*"]), undefined, "a stranger reaches no row");
});

Deno.test("WEB-27 what an endpoint was sent already stands in no change's way", async () => {
  assert.deepEqual(await wish("alice", ["gone.type", "app.*"], ["gone.type"]), [
    "gone.type",
    "app.*",
  ]);
});
