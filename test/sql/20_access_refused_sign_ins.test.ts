// REF: what strangers cause is one event per tenant, account and minute, and names nobody who does not exist.
import assert from "node:assert/strict";
import type { ISql, TransactionSql } from "postgres";
import { arrangeCast, as, people, tenants } from "../support/actors.ts";
import { createDatabase } from "../support/database.ts";
import { eventsOf, undone } from "../support/log.ts";
import { suiteDatabase } from "../support/suite.ts";

const database = suiteDatabase();

interface Given {
  tenant?: string;
  subject?: string | null;
  loginName?: string | null;
  reason?: string;
  at?: Date;
  context?: Record<string, string>;
}

async function refuse(sql: ISql, given: Given = {}): Promise<void> {
  const { tenant = tenants.A, subject = null, loginName = "ghost@a", reason = "account_unknown" } =
    given;
  await sql`
    select private.count_refused_sign_in(${tenant}, ${subject}, ${loginName}, ${reason},
      ${given.at ?? new Date()}, ${sql.json(given.context ?? {})})`;
}

/** As if so many minutes had gone by. */
const later = (sql: ISql, minutes = 2) =>
  sql`update private.refused_sign_ins set minute_at = minute_at - ${minutes} * interval '1 minute'`;

async function sweep(sql: ISql): Promise<number> {
  return (await sql`select private.record_refused_sign_ins() as n`)[0]!.n;
}

const recorded = (tx: TransactionSql, tenant: string = tenants.A) =>
  eventsOf(tx, tenant, "user.sign_in_failed") as unknown as Promise<
    { targets: unknown; actor: unknown; data: Record<string, unknown> }[]
  >;

Deno.test("REF-01 a thousand refusals of one account in a minute are one event with their count", async () => {
  await undone(database().sql, async (tx) => {
    const at = new Date(); // one, so that no minute ends meanwhile
    for (let i = 0; i < 1000; i++) {
      await refuse(tx, { at, reason: i % 4 ? "password" : "second_factor" });
    }
    assert.equal(await sweep(tx), 0, "its minute is not over");
    await later(tx);
    assert.equal(await sweep(tx), 1);
    assert.equal(await sweep(tx), 0);
    const [event, ...more] = await recorded(tx);
    assert.deepEqual(more, []);
    assert.deepEqual(event!.actor, { kind: "anonymous", id: null });
    const { count, reasons, account } = event!.data;
    assert.deepEqual({ count, reasons }, {
      count: 1000,
      reasons: { password: 750, second_factor: 250 },
    });
    assert.deepEqual(event!.targets, [{ kind: "account", id: account }]);
  });
});

Deno.test("REF-02 the typed name stands nowhere, and its hash is salted", async () => {
  await undone(database().sql, async (tx) => {
    await refuse(tx, { loginName: "nobody-at-all@a" });
    await later(tx);
    await sweep(tx);
    const rows =
      await tx`select e::text as row from public.audit_events e where type = 'user.sign_in_failed'`;
    assert.equal(rows.length, 1);
    assert.ok(!rows[0]!.row.includes("nobody-at-all"));
    const unsalted = await tx`select encode(sha256(convert_to(s, 'UTF8')), 'hex') as hash
      from unnest(array['nobody-at-all@a', ${tenants.A + "/login/nobody-at-all@a"}]) s`;
    for (const { hash } of unsalted) assert.ok(!rows[0]!.row.includes(hash));
  });
});

Deno.test("REF-03 the same name in other letters is the same account; another tenant's is another", async () => {
  await undone(database().sql, async (tx) => {
    for (const loginName of ["Ghost@A", " ghost@a ", "ghost@a"]) await refuse(tx, { loginName });
    await refuse(tx, { tenant: tenants.E });
    await later(tx);
    assert.equal(await sweep(tx), 2);
    const [inA] = await recorded(tx);
    const [inE] = await recorded(tx, tenants.E);
    assert.equal(inA!.data.count, 3);
    assert.notEqual(inA!.data.account, inE!.data.account);
  });
});

Deno.test("REF-04 somebody who exists is named by id, whoever counted", async () => {
  await undone(database().sql, async (tx) => {
    const { subject } = people.bob;
    await refuse(tx, { subject, loginName: "bob", reason: "account_refused" });
    await refuse(tx, { subject, loginName: null, reason: "password" });
    await later(tx);
    await sweep(tx);
    const [event, ...more] = await recorded(tx);
    assert.deepEqual(more, []);
    assert.deepEqual(event!.targets, [{ kind: "user", id: people.bob.id }]);
    assert.deepEqual(event!.data.reasons, { account_refused: 1, password: 1 });
  });
});

Deno.test("REF-05 made-up names beyond a hundred in a minute are one sum of the tenant", async () => {
  await undone(database().sql, async (tx) => {
    const at = new Date(); // one, so that no minute ends meanwhile
    for (let i = 0; i < 350; i++) await refuse(tx, { at, loginName: `ghost-${i}@a` });
    await refuse(tx, { tenant: tenants.E }); // another tenant is not crowded out
    await later(tx);
    assert.equal(await sweep(tx), 102);
    const sum = (await recorded(tx)).filter(({ data }) => data.account === null);
    assert.deepEqual(sum.map(({ data, targets }) => [data.count, targets]), [
      [250, [{ kind: "tenant", id: tenants.A }]],
    ]);
  });
});

Deno.test("REF-06 what comes late is counted in the oldest open minute, never in one that is on record", async () => {
  await undone(database().sql, async (tx) => {
    const at = new Date("2026-01-01T10:00:30Z");
    await refuse(tx, { at });
    await refuse(tx, { at: new Date("2036-01-01T10:00:30Z") }); // a clock that is ahead
    const [open] = await tx`
      select count(*)::int as all, count(*) filter (
        where minute_at between private.refused_sign_ins_horizon() and now())::int as open
        from private.refused_sign_ins`;
    assert.ok(open!.all > 0 && open!.all === open!.open);
    await later(tx);
    await sweep(tx);
    assert.ok((await recorded(tx)).some(({ data }) => Date.parse(data.first_at as string) === +at));
  });
});

Deno.test("REF-07 counting and putting on record at once: every refusal is counted once", async () => {
  await using own = await createDatabase();
  await arrangeCast(own.sql);
  const pool = own.connect("gatehouse_functions", { max: 6 });
  const worker = own.connect("gatehouse_worker", { max: 1 });
  let over = false;
  const sweeping = (async () => {
    while (!over) {
      await later(own.sql);
      await sweep(worker);
    }
  })();
  await Promise.all(
    Array.from({ length: 300 }, (_, i) => refuse(pool, { loginName: `ghost-${i % 7}` })),
  );
  over = true;
  await sweeping;
  await later(own.sql);
  await sweep(worker);
  const [sum] = await own.sql`
    select sum((data ->> 'count')::int)::int as n from public.audit_events where type = 'user.sign_in_failed'`;
  assert.equal(sum!.n, 300);
});

Deno.test("REF-08 HTTP roles neither count nor read", async () => {
  for (const actor of ["anon", "alice", "pat"] as const) {
    for (
      const statement of [
        `select private.count_refused_sign_in('${tenants.A}', null, 'x', 'password', now(), '{}')`,
        "select private.record_refused_sign_ins()",
        "select * from private.refused_sign_ins",
        "select * from private.account_salt",
      ]
    ) {
      await assert.rejects(as(database().sql, actor, (tx) => tx.unsafe(statement)), {
        code: "42501",
      });
    }
  }
});
