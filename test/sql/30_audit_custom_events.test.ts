// CUS: a tenant registers types of its own; what their schemas may be, who registers, and what becomes of an event.
import assert from "node:assert/strict";
import type { ISql, TransactionSql } from "postgres";
import { type Actor, as, people, refusal, sam, tenants } from "../support/actors.ts";
import { asOwner, eventsOf } from "../support/log.ts";
import { suiteDatabase } from "../support/suite.ts";
import { ids } from "./webhook_cases.ts";

const database = suiteDatabase();

const type = "custom.order.placed";
const schema = { type: "object", properties: { amount: { type: "integer" } } };

const register = (
  tx: TransactionSql,
  given: object = schema,
  name = type,
  tenant: string = tenants.A,
) =>
  tx`
  insert into public.custom_event_types (tenant_id, name, schema)
  values (${tenant}, ${name}, ${tx.json(given as never)}) returning version`;

const record = async (
  tx: TransactionSql,
  { key = null, request = {}, data = { amount: 1 }, version = 1, name = type, at = null }: {
    key?: string | null;
    request?: object;
    data?: object;
    version?: number;
    name?: string;
    at?: Date | null;
  } = {},
) =>
  (await tx`
    select private.record_custom_event(${tenants.A}, ${name}, ${version}, '[{"kind": "order", "id": "7"}]',
      ${tx.json(data as never)}, ${at}, ${key}, ${tx.json(request as never)}) as answer`)[0]!
    .answer;

const refused: [what: string, schema: unknown, where: RegExp][] = [
  ["a list", [], /it is an object/],
  ["a reference", { $ref: "#/$defs/a" }, /#\/\$ref is not a keyword/],
  ["definitions", { $defs: {} }, /#\/\$defs is not a keyword/],
  ["a pattern", { properties: { a: { pattern: "(a+)+$" } } }, /#\/properties\/a\/pattern is not/],
  ["patterns of names", { patternProperties: { "(a+)+$": {} } }, /patternProperties is not/],
  ["an unknown keyword", { items: [{ surprise: 1 }] }, /#\/items is an object, true or false/],
  ["an unknown keyword within", { items: { surprise: 1 } }, /#\/items\/surprise is not/],
  ["unique items, which cost the square", { uniqueItems: true }, /uniqueItems is not/],
  ["an unknown type", { type: "text" }, /#\/type is one or more/],
  ["a type that is no text", { type: [1] }, /#\/type is one or more/],
  [
    "an unknown format",
    { properties: { a: { format: "regex" } } },
    /#\/properties\/a\/format is date-time/,
  ],
  ["required that is no list", { required: "a" }, /#\/required is a list of names/],
  ["required of numbers", { required: [1] }, /#\/required is a list of names/],
  ["a bound that is no number", { minimum: "1" }, /#\/minimum is a number/],
  ["a length below nothing", { maxLength: -1 }, /#\/maxLength is a whole number/],
  ["a multiple of nothing", { multipleOf: 0 }, /#\/multipleOf is a number above 0/],
  ["an empty choice", { anyOf: [] }, /#\/anyOf is a list of schemas/],
  ["a choice of texts", { oneOf: ["a"] }, /#\/oneOf\/0 is an object/],
  ["another draft", { $schema: "http://json-schema.org/draft-07/schema#" }, /#\/\$schema names/],
  [
    "a draft within",
    { not: { $schema: "https://json-schema.org/draft/2020-12/schema" } },
    /\$schema names/,
  ],
  [
    "too many parts",
    { anyOf: Array.from({ length: 101 }, () => ({ const: 1 })) },
    /200 parts at most/,
  ],
  ["too long a one", { description: "x".repeat(9000) }, /8192 characters at most/],
];

for (const [what, given, where] of refused) {
  Deno.test(`CUS-01 a schema with ${what} is refused, and it says where`, async () => {
    await assert.rejects(
      as(database().sql, "alice", (tx) => register(tx, given as object)),
      (error: {
        code: string;
        message: string;
        detail: string;
      }) => {
        assert.deepEqual([error.code, error.message], ["PT422", "event_schema_refused"]);
        assert.match(error.detail, where);
        return true;
      },
    );
  });
}

Deno.test("CUS-02 what people need of JSON Schema is taken", async () => {
  await as(database().sql, "alice", async (tx) => {
    await register(tx, {
      $schema: "https://json-schema.org/draft/2020-12/schema",
      title: "Order",
      type: ["object", "null"],
      required: ["id"],
      additionalProperties: false,
      properties: {
        id: { type: "string", format: "uuid", description: "Ours" },
        amount: { type: "number", minimum: 0, exclusiveMaximum: 1000, multipleOf: 0.01 },
        lines: {
          type: "array",
          minItems: 1,
          maxItems: 10,
          items: { oneOf: [{ type: "string" }, { const: 7 }] },
        },
        pair: { prefixItems: [true, false], items: false },
        colour: { enum: ["red", null], default: null, examples: ["red"] },
        not_this: { not: { allOf: [{ minLength: 3 }, { maxLength: 5 }] } },
      },
    });
  });
});

Deno.test("CUS-03 a type is in the tenant's namespace, once, and its version counts changes of the schema", async () => {
  await as(database().sql, "alice", async (tx) => {
    const [made] = await register(tx);
    assert.equal(made!.version, 1);
    const change = (set: string) =>
      tx.unsafe(
        `update public.custom_event_types set ${set} where name = '${type}' returning version`,
      );
    assert.equal((await change("description = 'Somebody bought'"))[0]!.version, 1);
    assert.equal((await change(`schema = '{"type": "object"}'`))[0]!.version, 2);
    assert.equal((await change(`schema = schema`))[0]!.version, 2);
    await assert.rejects(tx.savepoint((s) => register(s)), {
      constraint_name: "custom_event_type_taken",
    });
    for (
      const name of [
        "custom",
        "order.placed",
        "user.signed_in",
        "custom.",
        "custom.A",
        "custom.a.*",
        `custom.${"a".repeat(100)}`,
      ]
    ) {
      await assert.rejects(tx.savepoint((s) => register(s, schema, name)), {
        constraint_name: "custom_event_type_malformed",
      }, name);
    }
    await asOwner(tx, async () => {
      const types = (await eventsOf(tx, tenants.A, "custom_event_type.%")).map((one) => one.type);
      assert.deepEqual(types, [
        "custom_event_type.created",
        "custom_event_type.updated",
        "custom_event_type.updated",
      ]);
    });
  });
});

Deno.test("CUS-04 an event names its version and the caller, person or service, and is delivered as any other", async () => {
  for (const actor of ["alice", "sam"] as const) {
    await as(database().sql, actor, async (tx) => {
      const answer = await record(tx, { version: 1 });
      assert.deepEqual(Object.keys(answer).sort(), ["id", "recordedAt", "type", "version"]);
      await asOwner(tx, async () => {
        const [event, ...more] = await eventsOf(tx, tenants.A, "custom.%");
        assert.deepEqual(more, []);
        assert.deepEqual(
          event!.actor,
          actor === "alice"
            ? { kind: "user", id: people.alice.id }
            : { kind: "service", id: sam.id },
        );
        assert.deepEqual(event!.targets, [{ kind: "order", id: "7" }]);
        const delivered =
          await tx`select event_id from public.webhook_deliveries where event_type = ${type}`;
        assert.deepEqual(delivered.map(({ event_id }) => event_id), [answer.id]);
      });
    }, {
      arrange: async (tx) => {
        await register(tx);
        await tx`insert into public.assignments (tenant_id, service_account_id, role_key) values (${tenants.A}, ${sam.id}, 'event_recorder')`;
        await tx`insert into public.webhook_endpoints (tenant_id, id, url, event_types) values (${tenants.A}, ${ids.A}, 'https://hooks.example/', '{custom.order.*}')`;
      },
    });
  }
});

Deno.test("CUS-05 under one key one request is recorded once; another request under it is refused", async () => {
  await as(database().sql, "alice", async (tx) => {
    await asOwner(tx, () => register(tx));
    const one = await record(tx, { key: "k", request: { a: 1 } });
    assert.deepEqual(await record(tx, { key: "k", request: { a: 1 } }), { ...one, replayed: true });
    const begin = (request: object) =>
      tx`
      select private.begin_custom_event(${tenants.A}, ${type}, 'k', ${
        tx.json(request as never)
      }) as begun`;
    assert.deepEqual((await begin({ a: 1 }))[0]!.begun, { answer: one });
    for (
      const attempt of [() => record(tx, { key: "k", request: { a: 2 } }), () => begin({ a: 2 })]
    ) {
      await assert.rejects(tx.savepoint(attempt), refusal("idempotency_key_reused", 409));
    }
    await record(tx, { key: "k2", request: { a: 1 } });
    await asOwner(tx, async () => {
      assert.equal((await eventsOf(tx, tenants.A, "custom.%")).length, 2);
      await tx`update private.event_requests set created_at = now() - interval '25 hours' where key = 'k'`;
      assert.equal((await tx`select private.forget_event_requests(10) as n`)[0]!.n, 1);
    });
  });
});

Deno.test("CUS-06 no event of Gatehouse's own, of the future or of long ago can be recorded so", async () => {
  const attempt = (given: object) => as(database().sql, "alice", (tx) => record(tx, given));
  await assert.rejects(attempt({ name: "user.signed_in" }), refusal("event_type_unknown", 422));
  const days = (n: number) => new Date(Date.now() + n * 86_400_000);
  await assert.rejects(attempt({ at: days(1) }), refusal("occurred_at_refused", 422));
  await assert.rejects(attempt({ at: days(-31) }), refusal("occurred_at_refused", 422));
});

Deno.test("CUS-07 an endpoint may ask for a type of its tenant's own, not for one that is another's", async () => {
  const subscribe = (actor: Actor, tenant: string, filter: string) =>
    as(database().sql, actor, (tx) =>
      tx`
      select private.create_webhook_endpoint(${tenant}, private.new_id(), ${
        tx.json({ url: "https://hooks.example/", event_types: [filter] })
      }, '[{"scheme": "v1", "keyId": "k1", "ciphertext": "AA=="}]')`, {
      arrange: (tx) => register(tx),
    });
  for (const filter of [type, "custom.order.*", "custom.*"]) {
    await subscribe("alice", tenants.A, filter);
  }
  await subscribe("eve", tenants.E, "custom.*");
  await assert.rejects(subscribe("eve", tenants.E, type), refusal("event_type_unknown", 422));
  await assert.rejects(
    subscribe("alice", tenants.A, "custom.orders.*"),
    refusal("event_type_unknown", 422),
  );
});

for (const actor of ["eve", "bob", "audrey", "visitor", "mallory", "sam"] as const) {
  Deno.test(`CUS-08 ${actor} neither registers types for tenant A nor records its events`, async () => {
    const held = (attempt: (tx: TransactionSql) => Promise<unknown>) =>
      as(database().sql, actor, attempt, {
        arrange: (tx: ISql) => register(tx as TransactionSql, schema, "custom.there"),
      });
    await assert.rejects(held((tx) => register(tx)), { code: "42501" });
    await assert.rejects(held((tx) => record(tx)), refusal("not_allowed", 403));
    await assert.rejects(
      held((tx) => tx`select private.begin_custom_event(${tenants.A}, 'custom.there', null, '{}')`),
      refusal("not_allowed", 403),
    );
    const seen = await held((tx) => tx`select from public.custom_event_types`) as unknown[];
    assert.equal(seen.length, actor === "audrey" ? 1 : 0);
  });
}
