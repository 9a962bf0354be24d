// WEB: what a payload filter may cost. A filter that is let in takes as long as the data is; one that takes longer nevertheless is stopped by the clock.
import assert from "node:assert/strict";
import fc from "fast-check";
import type { TransactionSql } from "postgres";
import endpoint__pump from "../../functions/_worker/tasks/endpoint__pump.ts";
import { arrangeCast, as, tenants } from "../support/actors.ts";
import { createDatabase } from "../support/database.ts";
import { undone } from "../support/log.ts";
import { suiteDatabase } from "../support/suite.ts";
import { claim, claimBy, emit, endpoint, ids, pumps, settle } from "./webhook_cases.ts";

const database = suiteDatabase();

/** Of 64 KiB at most, and of as many parts as fit. */
const adversarial = {
  trues: Array(15_000).fill(true),
  texts: Array(15_000).fill(""),
  numbers: Array(4_500).fill(1),
  objects: Array.from({ length: 1_200 }, () => ({ a: 1, b: [2] })),
  lists: Array.from({ length: 30 }, () => Array(150).fill(1)),
  deep: Array.from({ length: 350 }, () => ({ a: [{ a: { a: [{ a: { a: true } }] } }] })),
  nested: { a: { b: Array.from({ length: 400 }, () => ({ a: [{ b: [1, 2, 3] }] })) } },
  chain: JSON.parse('{"a":['.repeat(1_000) + "1" + "]}".repeat(1_000)),
  one: { a: 1 },
};

// The whole language, and more of what multiplies: much of it is refused.
const harmless = fc.constantFrom(
  ...[".a", ".a", ".b", ".b", "[0]", "[last]", ".*", "[*]", "[0 to last]", ".type()", ".size()"],
  ...[".abs()", ".floor()", ".ceiling()"],
);
const harmful = fc.constantFrom(
  ...["[0,0]", "[0,0,0,0]", "[0 to last,0 to last]", "[last - 1]", "[$.a]", "[$.b[*]]", ".**"],
  ...[".**{1 to last}", ".keyvalue()", ".double()", ".datetime()", ".string()", ".decimal()"],
  ...[".number()", ".boolean()", ".bigint()", ".integer()", ".date()", " * 2", " / 3", " - 1"],
);
const mostly = <T>(arbitrary: fc.Arbitrary<T>, else_: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 40, arbitrary }, { weight: 1, arbitrary: else_ });
const step = mostly(harmless, harmful);
const root = mostly(
  fc.constantFrom("$", "$", "@"),
  fc.constantFrom("(1 + 1)", "-$", "($ + 1)", "(1e65000 / 3)", "-@"),
);
const literal = mostly(
  fc.constantFrom("1", "-1.5", '"a"', "true", "null", "1e9"),
  fc.constantFrom("1e131071", "(1 + 1)", "$.a", "@"),
);
const operator = fc.constantFrom("==", "!=", "<>", "<", "<=", ">", ">=");
const repeated = mostly(fc.constant(1), fc.integer({ min: 2, max: 20 }));
const { filter } = fc.letrec<{ path: string; filter: string; test: string; within: string }>(
  (tie) => ({
    path: fc.tuple(root, fc.array(step, { maxLength: 6 }), repeated).map(([root, steps, often]) =>
      root + steps.join("").repeat(often)
    ),
    within: fc.oneof(
      { maxDepth: 3, depthIdentifier: "filter" },
      tie("path"),
      fc.tuple(tie("path"), tie("test"), fc.array(step, { maxLength: 3 }))
        .map(([path, test, steps]) => `${path} ? (${test.replaceAll("$", "@")})${steps.join("")}`),
    ),
    test: fc.oneof(
      { maxDepth: 3, depthIdentifier: "filter" },
      fc.tuple(tie("within"), operator, literal).map((parts) => parts.join(" ")),
      fc.tuple(tie("test"), fc.constantFrom("&&", "||"), tie("test")).map((parts) =>
        parts.join(" ")
      ),
      fc.tuple(tie("test"), repeated)
        .map(([test, often]) => Array(often).fill(test).join(" || ")),
      tie("test").map((test) => `!(${test})`),
      tie("test").map((test) => `(${test}) is unknown`),
      tie("within").map((path) => `exists(${path})`),
      tie("within").map((path) => `${path} starts with "a"`),
    ),
    filter: fc.tuple(fc.constantFrom("", "strict "), fc.oneof(tie("within"), tie("test")))
      .map((parts) => parts.join("")),
  }),
);

Deno.test("WEB-67 whatever filter is let in finds no more than the data has, in time that is bounded", async () => {
  const filters = [
    ...fc.sample(filter, { numRuns: 6_000, seed: 67 }),
    ...["$[*]" + "[0]".repeat(39), "$[*]" + ".type()".repeat(39)],
    `$[*] ? (${Array(19).fill("@[0][0]>1").join("||")})`,
    `$[*] ? (exists(@ ? (${Array(17).fill("@.a==1").join("||")})))`,
    `$[*] ? (${"!(".repeat(80)}@ == 1${")".repeat(80)})`,
  ];
  await undone(database().sql, async (tx) => {
    const taken = await tx<{ filter: string }[]>`
      select distinct f as filter from unnest(${filters}::text[]) f
       where private.payload_filter_problem(f) is null`;
    assert.ok(taken.length > 300, `${taken.length} of ${filters.length} are let in`);
    await tx`set local statement_timeout = '20 s'`; // what a busy machine needs for 0.1 s
    for (const [name, value] of Object.entries(adversarial)) {
      await tx`create temp table datum on commit drop as
        select ${tx.json(value as never)}::jsonb as data`;
      const [{ size, parts }] = await tx<[{ size: number; parts: number }]>`
        select pg_column_size(data) as size,
               (select count(*) from jsonb_path_query(data, 'strict $.**'))::int as parts
          from (select data || '[]' as data from datum where jsonb_typeof(data) = 'array'
            union all select data || '{}' from datum where jsonb_typeof(data) = 'object') d`;
      assert.ok(size <= 65_536, `${name} has ${size} bytes`);
      const slow = await tx<{ filter: string; found: number; ms: number }[]>`
        select * from (
          select f as filter, n.found, extract(epoch from clock_timestamp() - b.began) * 1000 as ms
            from datum d, unnest(${taken.map(({ filter }) => filter)}::text[]) f
            cross join lateral (select clock_timestamp() as began offset length(f) * 0) b
            cross join lateral (
              select count(*)::int as found
                from jsonb_path_query(d.data, f::jsonpath, '{}', b.began is not null)
              offset 0) n
          offset 0) x
         where x.found > ${parts} or x.ms > 5000`;
      assert.deepEqual([...slow], [], name);
      await tx`drop table datum`;
    }
  });
});

/** A filter that nobody is let in with, and that would run for hours. */
async function evil(tx: TransactionSql): Promise<void> {
  await endpoint(tx, "A", ["app.updated"]);
  await tx`alter table public.webhook_endpoints disable trigger _110_check_filter`;
  await tx`update public.webhook_endpoints
    set payload_filter = ${"$.n" + "[0,0,0,0]".repeat(25) + " ? (@ > 9)"} where id = ${ids.A}`;
  await tx`alter table public.webhook_endpoints enable trigger _110_check_filter`;
  await emit(tx, 2);
}

const runPump = (sql: ReturnType<Awaited<ReturnType<typeof createDatabase>>["connect"]>) =>
  endpoint__pump({ tenantId: tenants.A, id: ids.A }, {
    sql,
    now: () => new Date(),
    holder: "test",
    stopping: new AbortController().signal,
  });

Deno.test("WEB-68 a claim that runs on is stopped by the clock, its endpoint disabled, and the pump ends", async () => {
  await using own = await createDatabase();
  await arrangeCast(own.sql);
  await own.sql.begin(evil);
  const worker = own.connect("gatehouse_worker", { max: 1 });
  const began = performance.now();
  await runPump(worker);
  assert.ok(performance.now() - began < 60_000);
  const [row] = await own.sql`
    select enabled, disabled_reason,
           (select array_agg(distinct state) from public.webhook_deliveries
             where endpoint_id = e.id) as states,
           (select pump from public.webhook_endpoint_states where endpoint_id = e.id) as pump
      from public.webhook_endpoints e where id = ${ids.A}`;
  assert.deepEqual({ ...row }, {
    enabled: false,
    disabled_reason: "payload_filter_slow",
    states: ["cancelled"],
    pump: null,
  });
  const [limits] = await worker`
    select current_setting('statement_timeout') as statement, current_setting('lock_timeout') as lock`;
  assert.deepEqual({ ...limits }, { statement: "0", lock: "0" }, "nothing stays on the connection");
});

Deno.test("WEB-69 a filter is not judged by at all without a limit, or with one that is none", async () => {
  await using own = await createDatabase();
  await arrangeCast(own.sql);
  await own.sql.begin(evil);
  const worker = own.connect("gatehouse_worker", { max: 1 });
  for (const limit of ["0", "10001", "1h"]) {
    await worker`select set_config('statement_timeout', ${limit}, false)`;
    assert.equal(await claimBy(worker, pumps.first, 10), null);
    const [row] = await worker`
      select claim, unbounded from private.claim_deliveries(
        ${tenants.A}, ${ids.A}, ${pumps.first}, 10, 30)`;
    assert.deepEqual({ ...row }, { claim: null, unbounded: true }, limit);
  }
  const [{ states }] = await own.sql<[{ states: string[] }]>`
    select array_agg(distinct state) as states from public.webhook_deliveries
     where event_type = 'app.updated'`;
  assert.deepEqual(states, ["pending"]);
});

Deno.test("WEB-78 waiting for a lock is not held against a filter", async () => {
  await using own = await createDatabase();
  await arrangeCast(own.sql);
  await own.sql.begin(async (tx) => {
    await endpoint(tx, "A", ["app.updated"]);
    await tx`update public.webhook_endpoints set payload_filter = '$.n' where id = ${ids.A}`;
    await emit(tx, 2);
  });
  await own.sql.begin(async (tx) => {
    await tx`select from public.webhook_endpoint_states where endpoint_id = ${ids.A} for update`;
    await runPump(own.connect("gatehouse_worker", { max: 1 }));
  });
  const [row] = await own.sql`
    select enabled, disabled_reason from public.webhook_endpoints where id = ${ids.A}`;
  assert.deepEqual({ ...row }, { enabled: true, disabled_reason: null });
});

Deno.test("WEB-79 nobody but the worker stops a filter, and it stops none that is not there", async () => {
  for (const actor of ["alice", "eve", "pat", "anon"] as const) {
    await assert.rejects(
      as(
        database().sql,
        actor,
        (tx) => tx`select private.stop_slow_filter(${tenants.A}, ${ids.A})`,
        { arrange: (tx) => endpoint(tx, "A") },
      ),
      { code: "42501" },
      actor,
    );
  }
  await undone(database().sql, async (tx) => {
    await endpoint(tx, "A");
    const [done] = await tx`select private.stop_slow_filter(${tenants.A}, ${ids.A}) as stopped`;
    assert.equal(done!.stopped, false);
    const [row] = await tx`select enabled from public.webhook_endpoints where id = ${ids.A}`;
    assert.equal(row!.enabled, true);
  });
});

Deno.test("WEB-100 a claim judges for a second; what it did not get to is the next one's", async () => {
  await undone(database().sql, async (tx) => {
    await endpoint(tx, "A", ["app.updated"]);
    await tx`set local statement_timeout = '10 s'`;
    await tx`update public.webhook_endpoints set payload_filter = '$.n == 1' where id = ${ids.A}`;
    await tx.unsafe(`create or replace function private.passes_filter(p_data jsonb, p_filter text)
      returns boolean language plpgsql as $$
      begin perform pg_sleep(0.1); return p_data -> 'n' <> '1'; end $$`);
    await emit(tx, 20);
    const seen: number[] = [];
    for (let claims = 1; seen.length < 19; claims++) {
      assert.ok(claims < 20);
      const { deliveries } = (await claim(tx, 20))!;
      assert.ok(deliveries.length <= 10, `${deliveries.length} at 100 ms each`);
      seen.push(...deliveries.map(({ body }) => JSON.parse(body).data.n));
      await settle(tx, ...deliveries.map(({ id }) => ({ id, outcome: "delivered", status: 200 })));
    }
    assert.deepEqual(seen, Array.from({ length: 19 }, (_, n) => n + 2));
    const [row] = await tx`select enabled from public.webhook_endpoints where id = ${ids.A}`;
    assert.equal(row!.enabled, true);
  });
});
