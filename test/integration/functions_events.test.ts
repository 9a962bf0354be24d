// POST /events against the real database, as the role it runs with: validated, recorded once, by whom the token names.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { people, sam, tenants } from "../support/actors.ts";
import { arrange, type Arranged } from "./functions_support.ts";

let arranged: Arranged;
let app: { request(path: string, init?: RequestInit): Response | Promise<Response> };
let stop: () => Promise<void>;

const type = "custom.order.placed";
const schema = {
  type: "object",
  required: ["id"],
  additionalProperties: false,
  properties: {
    id: { type: "string", format: "uuid" },
    amount: { type: "integer", minimum: 0 },
    lines: { type: "array", items: { anyOf: [{ type: "string" }, { const: 7 }] } },
    "a/b": { type: "string" },
  },
};
const order = { id: "01990000-0000-7000-8000-000000000777", amount: 3 };

before(async () => {
  arranged = await arrange();
  Deno.env.set("GATEHOUSE_DB_URL", arranged.database.url("gatehouse_provision"));
  const { sql } = arranged.database;
  await sql`
    insert into public.custom_event_types (tenant_id, name, schema)
    values (${tenants.A}, ${type}, ${sql.json(schema)}), (${tenants.A}, 'custom.many', ${
    sql.json({ anyOf: Array.from({ length: 95 }, (_, n) => ({ const: n })).concat({} as never) })
  })`;
  await sql`
    insert into public.assignments (tenant_id, service_account_id, role_key)
    values (${tenants.A}, ${sam.id}, 'event_recorder')`;
  app = (await import("../../functions/events/app.ts")).app;
  const { closeDatabase } = await import("../../functions/_shared/db.ts");
  stop = closeDatabase;
});
after(async () => {
  await stop();
  await arranged.dispose();
});

interface Answer {
  status: number;
  json: Record<string, unknown> & { errors?: { pointer: string; detail: string }[] };
  slug: string | undefined;
  replayed: string | null;
}

async function post(
  content: unknown,
  { token, headers = {} }: { token?: string; headers?: Record<string, string> } = {},
): Promise<Answer> {
  const response = await app.request("/events", {
    method: "POST",
    body: typeof content === "string" ? content : JSON.stringify(content),
    headers: {
      "content-type": "application/json",
      authorization: `Bearer ${token ?? await arranged.token("alice")}`,
      ...headers,
    },
  });
  const json = await response.json();
  const replayed = response.headers.get("idempotency-replayed");
  return { status: response.status, json, slug: json.type?.split(":").pop(), replayed };
}

const event = (more = {}) => ({ tenantId: tenants.A, type, data: order, ...more });
const recorded = () =>
  arranged.database
    .sql`select * from public.audit_events where type like 'custom.%' order by recorded_at`;

test("a person's and a service's events are recorded with their data, targets, time and who it was", async () => {
  const occurredAt = new Date(Date.now() - 3_600_000).toISOString();
  const targets = [{ kind: "order", id: "7" }];
  const answers = [
    await post(event({ targets, occurredAt })),
    await post(event(), { token: await arranged.token("sam") }),
  ];
  for (const { status, json } of answers) {
    assert.equal(status, 201, JSON.stringify(json));
    assert.deepEqual(Object.keys(json).sort(), ["id", "recordedAt", "type", "version"]);
  }
  const [one, two] = await recorded();
  assert.deepEqual([one!.id, one!.actor, one!.targets, one!.data, one!.occurred_at.toISOString()], [
    answers[0]!.json.id,
    { kind: "user", id: people.alice.id },
    targets,
    order,
    occurredAt,
  ]);
  assert.deepEqual([two!.actor, two!.tenant_id], [{ kind: "service", id: sam.id }, tenants.A]);
});

test("a service says who acted, from where and on what by name; itself stays on record", async () => {
  const token = await arranged.token("sam");
  const metadata = Object.fromEntries(
    Array.from({ length: 20 }, (_, n) => [`key.${n}`, n ? "x".repeat(500) : true]),
  );
  const given = {
    actor: { kind: "user", id: people.bob.id, name: "Bob Bee" },
    context: { address: "2001:db8::7", userAgent: "Shop/2" },
    targets: [{ kind: "order", id: "7", name: "Chairs", metadata }],
  };
  const { status, json } = await post(event(given), { token });
  assert.equal(status, 201, JSON.stringify(json));
  const [row] = await arranged.database.sql`
    select private.with_personal(e) as whole, e::text as stored from public.audit_events e where id = ${json
    .id as string}`;
  const { actor, targets, context } = row!.whole;
  assert.deepEqual({ actor, targets }, { actor: given.actor, targets: given.targets });
  assert.deepEqual(context.recorded_by, { kind: "service", id: sam.id });
  assert.deepEqual([context.address, context.user_agent], ["2001:db8::7", "Shop/2"]);
  for (const value of ["Bob Bee", "Chairs", "key.1", "2001:db8::7", "Shop/2"]) {
    assert.ok(!row!.stored.includes(value), value);
  }
  // the same under a key; another actor is another request
  const headers = { "idempotency-key": "named" };
  const keyed = [
    await post(event(given), { token, headers }),
    await post(event(given), { token, headers }),
    await post(event({ ...given, actor: undefined }), { token, headers }),
  ];
  assert.deepEqual(keyed.map((one) => [one.status, one.replayed]), [
    [201, null],
    [201, "true"],
    [409, null],
  ]);
});

test("an actor of another tenant, and more than may be said, are refused", async () => {
  const before = (await recorded()).length;
  const target = (more: object) => ({ targets: [{ kind: "order", id: "7", ...more }] });
  const many = Object.fromEntries(Array.from({ length: 21 }, (_, n) => [`k${n}`, n]));
  const cases: [string, object, string, string?][] = [
    ["eve", { actor: { kind: "user", id: people.eve.id } }, "event_actor_refused"],
    ["platform staff", { actor: { kind: "user", id: people.pat.id } }, "event_actor_refused"],
    ["an operator", { actor: { kind: "operator", id: "x" } }, "invalid_request", "#/actor/kind"],
    ["the system", { actor: { kind: "system", id: "x" } }, "invalid_request", "#/actor/kind"],
    ["a forged recorder", { context: { recorded_by: {} } }, "invalid_request"],
    ["no address", { context: { address: "here" } }, "invalid_request", "#/context/address"],
    ["too many members", target({ metadata: many }), "invalid_request", "#/targets/0/metadata"],
    ["too long a value", target({ metadata: { a: "x".repeat(501) } }), "invalid_request"],
    ["nesting", target({ metadata: { a: {} } }), "invalid_request"],
    ["U+0000", target({ name: "\0" }), "invalid_request", "#/targets/0/name"],
    ["U+0000 in an actor", { actor: { kind: "user", id: "\0" } }, "invalid_request", "#/actor/id"],
  ];
  for (const [what, more, expected, pointer] of cases) {
    const { status, json, slug } = await post(event(more), { token: await arranged.token("sam") });
    assert.deepEqual([status, slug], [422, expected], what);
    if (pointer) assert.deepEqual(json.errors!.map((one) => one.pointer), [pointer], what);
  }
  assert.equal((await recorded()).length, before);
});

test("ten at once under one key are one event and one answer; another body under it is a conflict", async () => {
  const before = (await recorded()).length;
  const headers = { "idempotency-key": "order-7" };
  const answers = await Promise.all(Array.from({ length: 10 }, () => post(event(), { headers })));
  assert.deepEqual(new Set(answers.map(({ status, json }) => `${status} ${json.id}`)).size, 1);
  assert.equal(answers[0]!.status, 201);
  assert.equal(answers.filter(({ replayed }) => replayed === "true").length, 9);
  assert.equal((await recorded()).length, before + 1);
  const other = await post(event({ data: { ...order, amount: 4 } }), { headers });
  assert.deepEqual([other.status, other.slug], [409, "idempotency_key_reused"]);
  const refusedKey = await post(event(), { headers: { "idempotency-key": "a b" } });
  assert.deepEqual([refusedKey.status, refusedKey.slug], [422, "invalid_request"]);
  // the same answer also when the schema has moved on
  const { sql } = arranged.database;
  await sql`update public.custom_event_types set schema = '{"required": ["more"]}' where name = ${type}`;
  const again = await post(event(), { headers });
  assert.deepEqual([again.status, again.json.id, again.json.version], [
    201,
    answers[0]!.json.id,
    1,
  ]);
  await sql`update public.custom_event_types set schema = ${sql.json(schema)} where name = ${type}`;
  assert.equal((await post(event())).json.version, 3);
});

test("what the schema refuses is named by pointer, and not recorded", async () => {
  const before = (await recorded()).length;
  const faults = async (data: unknown) => {
    const { status, slug, json } = await post(event({ data }));
    assert.deepEqual([status, slug], [422, "event_data_refused"], JSON.stringify(json));
    return json.errors!.map(({ pointer }) => pointer).sort();
  };
  assert.deepEqual(await faults({}), ["#/data"]);
  assert.deepEqual(await faults({ id: "x", amount: -1, lines: ["a", 8], "a/b": 1, extra: true }), [
    "#/data/amount",
    "#/data/a~1b",
    "#/data/extra",
    "#/data/id",
    "#/data/lines/1",
  ]);
  const slow = await post(event({ type: "custom.many", data: { list: Array(7_000).fill(1) } }));
  assert.deepEqual([slow.status, slug(slow)], [422, "event_data_refused"]);
  assert.equal((await recorded()).length, before);
});

const slug = (answer: Answer) => answer.slug;

test("what cannot be stored, is too large or is not as expected is refused", async () => {
  const deep = `{"a":`.repeat(40) + "1" + "}".repeat(40);
  const text = (data: string) => `{"tenantId":"${tenants.A}","type":"${type}","data":${data}}`;
  const cases: [string, unknown, number, string][] = [
    ["another's namespace", event({ type: "user.signed_in" }), 422, "invalid_request"],
    ["an unknown type", event({ type: "custom.unknown" }), 422, "event_type_unknown"],
    ["an unknown member", event({ actors: [] }), 422, "invalid_request"],
    ["data that is a list", event({ data: [] }), 422, "invalid_request"],
    ["depth", text(deep), 422, "invalid_request"],
    ["U+0000", text('{"id":"\\u0000"}'), 422, "invalid_request"],
    ["half a surrogate pair", text('{"id":"\\ud800"}'), 422, "invalid_request"],
    ["a name with U+0000", text('{"\\u0000":1}'), 422, "invalid_request"],
    ["no number", text('{"amount":1e999}'), 422, "invalid_request"],
    ["too much", text(`{"id":"${"x".repeat(25_000)}"}`), 413, "payload_too_large"],
    [
      "the future",
      event({ occurredAt: new Date(Date.now() + 86_400_000).toISOString() }),
      422,
      "occurred_at_refused",
    ],
  ];
  for (const [what, content, status, expected] of cases) {
    const answer = await post(content);
    assert.deepEqual([answer.status, answer.slug], [status, expected], what);
  }
});

test("who lacks events.write in the tenant records nothing", async () => {
  for (const actor of ["bob", "audrey", "eve", "visitor", "mallory"] as const) {
    const answer = await post(event(), { token: await arranged.token(actor) });
    assert.deepEqual([answer.status, answer.slug], [403, "not_allowed"], actor);
  }
  const nobody = await app.request("/events", { method: "POST", body: "{}" });
  assert.equal(nobody.status, 401);
  const elsewhere = await post(event({ tenantId: tenants.E }));
  assert.deepEqual([elsewhere.status, elsewhere.slug], [403, "not_allowed"]);
});
