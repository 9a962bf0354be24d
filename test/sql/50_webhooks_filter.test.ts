// WEB: payload filters are judged in the worker's claim, within bounds; headers show their names only.
import assert from "node:assert/strict";
import type { TransactionSql } from "postgres";
import { as, refusal, tenants } from "../support/actors.ts";
import { asOwner, eventsOf, undone } from "../support/log.ts";
import { suiteDatabase } from "../support/suite.ts";
import { type Claim, claim, deliveries, endpoint, ids } from "./webhook_cases.ts";

const database = suiteDatabase();

async function filtering(tx: TransactionSql, filter: string): Promise<void> {
  await endpoint(tx, "A", ["app.updated"]);
  await tx`set local statement_timeout = '10 s'`; // else a claim does not judge
  await tx`update public.webhook_endpoints set payload_filter = ${filter}`;
}

async function emit(tx: TransactionSql, ...names: unknown[]): Promise<void> {
  for (const name of names) {
    const data = { before: { name: "old" }, after: { name } };
    await tx`select private.record_event(${tenants.A}, 'app.updated', '[{"kind": "app", "id": "1"}]', ${
      tx.json(data as never)
    })`;
  }
}

const namesOf = (claimed: Claim | null) =>
  claimed?.deliveries.map(({ body }) => JSON.parse(body).data.after.name) ?? [];

Deno.test("WEB-60 only what the filter wants is sent; the rest is settled as filtered, without an attempt", async () => {
  for (
    const filter of [
      '$.after.name == "shop"',
      '$.after.name ? (@ == "shop")',
      '$.after ? (@.name starts with "sh").name',
    ]
  ) {
    await undone(database().sql, async (tx) => {
      await filtering(tx, filter);
      await emit(tx, "shop", "other", "shop", "else");
      assert.deepEqual(namesOf(await claim(tx)), ["shop", "shop"], filter);
      const rows = await deliveries(tx);
      assert.deepEqual(rows.map(({ state, attempts }) => [state, attempts]), [
        ["pending", 0],
        ["filtered", 0],
        ["pending", 0],
        ["filtered", 0],
      ]);
      assert.ok(rows[1]!.settled_at);
    });
  }
});

Deno.test("WEB-61 a long run of unwanted events does not end the search, and leaves nothing behind", async () => {
  await undone(database().sql, async (tx) => {
    await filtering(tx, '$.after.name == "shop"');
    await emit(tx, ...Array(45).fill("other"), "shop");
    const found = await claim(tx, 10);
    assert.deepEqual(namesOf(found), ["shop"]);
    await emit(tx, "other");
    assert.equal(await claim(tx, 10, { behind: found!.last }), null);
    assert.equal((await deliveries(tx)).filter(({ state }) => state === "pending").length, 1);
  });
});

Deno.test("WEB-62 the truth of a filter: what it finds first, unless that is false or null", async () => {
  const data = { yes: true, no: false, nothing: null, zero: 0, list: [1, 2, 3], text: "a" };
  const truths: [string, boolean][] = [
    ["$.yes", true],
    ["$.no", false],
    ["$.nothing", false],
    ["$.absent", false],
    ["$.zero", true],
    ["$.list[*] ? (@ > 2)", true],
    ["$.list[*] ? (@ > 3)", false],
    ["$.nothing == null", true],
    ['$.text == "a" && $.zero == 0', true],
    ["$.text > 1", false], // unknown
    ["$.text / 2 == 1", false], // an error in the path finds nothing
    ["strict $.absent.further", false],
  ];
  for (const [filter, passes] of truths) {
    const [row] = await database().sql`
      select private.passes_filter(${database().sql.json(data)}, ${filter}) as passes`;
    assert.equal(row!.passes, passes, filter);
  }
});

Deno.test("WEB-63 data too long to be judged passes; null of a filter passes all", async () => {
  const { sql } = database();
  const long = { text: Array.from({ length: 20_000 }, () => Math.random().toString(36)).join("") };
  const [row] = await sql`
    select private.passes_filter(${sql.json(long)}, '$.absent') as long,
           private.passes_filter('{}', null) as none`;
  assert.deepEqual({ ...row }, { long: true, none: true });
});

Deno.test("WEB-64 what is no jsonpath, or could take long, is refused when it is written", async () => {
  const refused = [
    "",
    "name = 'shop'",
    "$.",
    '$.name like_regex "(a+)+$"',
    "$.**.name",
    "$.**{2}.name",
    "$[*].a[*].b[*]",
    "$.a ? (@.b ? (@.c ? (@ > 1) > 1) > 1)",
    "$.name == $tenant",
    "$.a > $.b",
    "$.a ? (@ > @)",
    "$.a == (1 + $.b)",
    "$.a ? ($.b > 1)",
    "$.keyvalue().keyvalue()",
    "$.a == 1" + " || $.a == 1".repeat(40),
    "$" + "[0,0,0,0]".repeat(33),
    "$.a[0 to last,0 to last]",
    "$[0 to last][0 to last][0 to last]",
    "$.a[$.b]",
    "$.a[last - 1]",
    "$.a == (1 + 1) * $.b",
    "$.a + 1 > 2",
    "-$.a > 2",
    "$.* ? ((1e65000/3)*(1e65000/7) > 1)",
    "$.a > 1e131071",
    "$[*] ? (@.double() > 1)",
    '$[*] ? (@.datetime() > "2026-01-01".datetime())',
    "$>1" + "||$>1".repeat(20),
    "$" + "[0]".repeat(41),
  ];
  for (const filter of refused) {
    await assert.rejects(
      as(
        database().sql,
        "alice",
        (tx) => tx`update public.webhook_endpoints set payload_filter = ${filter}`,
        { arrange: (tx) => endpoint(tx, "A") },
      ),
      refusal("payload_filter_refused", 422),
      filter,
    );
  }
  const taken = [
    '$.name == "a ** b * c ? like_regex $x > $.b"',
    "$[*] ? (@.a > 1 && @.b.c < 2)",
    "$.a > 1 && $.b == 2 || exists($.c)",
    "$.a ? (@.b ? (@.c > 1).d == 2)",
    "$.a[0].b[last].c[1 to 3] <> -1.5",
    '!($.a.type() == "array") && ($.a.size() > 2) is unknown',
    '$."a\\"[0,0]" == "1e9 + 2 \\" $.b"',
    "strict exists($.a ? (@ != null))",
    "$",
  ];
  for (const filter of taken) {
    await as(
      database().sql,
      "alice",
      (tx) => tx`update public.webhook_endpoints set payload_filter = ${filter}`,
      { arrange: (tx) => endpoint(tx, "A") },
    );
  }
});

Deno.test("WEB-65 a filter that takes too long all the same stops its endpoint and nobody else's", async () => {
  await undone(database().sql, async (tx) => {
    await tx`alter table public.webhook_endpoints disable trigger _110_check_filter`; // it would not let this in
    await filtering(tx, "$.after.redirect_uris ? ($.after.redirect_uris > $.after.redirect_uris)");
    const data = { redirect_uris: Array(500).fill("https://shop.example/") };
    await tx`select private.record_event(${tenants.A}, 'app.updated', '[{"kind": "app", "id": "1"}]', ${
      tx.json({ before: data, after: data })
    })`;
    const began = performance.now();
    assert.equal(await claim(tx), null);
    assert.ok(performance.now() - began < 10_000);
    const [row] = await tx`
      select enabled, disabled_reason from public.webhook_endpoints where id = ${ids.A}`;
    assert.deepEqual({ ...row }, { enabled: false, disabled_reason: "payload_filter_slow" });
  });
});

Deno.test("WEB-66 headers: alice puts them; names are seen, values nowhere, ours and the connection's refused", async () => {
  const put = (tx: TransactionSql, names: string[]) =>
    tx`select private.put_webhook_headers(${tenants.A}, ${ids.A}, ${names}, 'k1', '\\x73656372657476616c7565')`;
  await as(database().sql, "alice", async (tx) => {
    await put(tx, ["authorization", "x-shop"]);
    const [row] = await tx`select header_names from public.webhook_endpoints where id = ${ids.A}`;
    assert.deepEqual(row!.header_names, ["authorization", "x-shop"]);
    await asOwner(tx, async () => {
      const events = await eventsOf(tx, tenants.A);
      assert.doesNotMatch(JSON.stringify(events), /73656372|c2VjcmV0/);
      const [{ n }] = await tx<
        [{ n: number }]
      >`select count(*)::int as n from private.webhook_headers`;
      assert.equal(n, 1);
    });
    await put(tx, []);
    await asOwner(tx, async () => {
      assert.equal((await tx`select from private.webhook_headers`).length, 0);
    });
  }, { arrange: (tx) => endpoint(tx, "A") });
  for (
    const name of ["webhook-id", "content-type", "host", "x-forwarded-for", "traceparent", "X-Up"]
  ) {
    await assert.rejects(
      as(database().sql, "alice", (tx) => put(tx, [name]), {
        arrange: (tx) => endpoint(tx, "A"),
      }),
      { constraint_name: "header_names_refused" },
      name,
    );
  }
  await assert.rejects(
    as(database().sql, "alice", (tx) => put(tx, ["x-up"])),
    refusal("endpoint_not_found", 404),
  );
});

Deno.test("WEB-77 another value under the same name is on record, by its name alone; none in place of none is not", async () => {
  const put = (tx: TransactionSql, names: string[], value: string) =>
    tx`
      select private.put_webhook_headers(${tenants.A}, ${ids.A}, ${names}, 'k1',
        convert_to(${value}, 'UTF8'))`;
  await as(database().sql, "alice", async (tx) => {
    await put(tx, [], "none"); // there were none
    await put(tx, ["authorization"], "first-value");
    await put(tx, ["authorization"], "second-value");
    await put(tx, [], "none");
    await put(tx, [], "none");
    await asOwner(tx, async () => {
      const events = await eventsOf(tx, tenants.A, "webhook_endpoint.headers_changed");
      assert.deepEqual(events.map(({ data, targets }) => [data, targets[0]!.id]), [
        [{ names: ["authorization"] }, ids.A],
        [{ names: ["authorization"] }, ids.A],
        [{ names: [] }, ids.A],
      ]);
      const [{ log }] = await tx<[{ log: string }]>`
        select string_agg(e::text, '') as log from public.audit_events e`;
      for (const value of ["first-value", "second-value"]) {
        const hex = new TextEncoder().encode(value).toHex();
        assert.ok(!log.includes(value) && !log.includes(hex) && !log.includes(btoa(value)), value);
      }
    });
  }, { arrange: (tx) => endpoint(tx, "A") });
});
