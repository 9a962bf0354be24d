// PER: tries to sign in are counted per account, address and tenant, whoever the account is of, and blocked for longer each time.
import assert from "node:assert/strict";
import type { ISql } from "postgres";
import { as, tenants } from "../support/actors.ts";
import { undone } from "../support/log.ts";
import { suiteDatabase } from "../support/suite.ts";

const database = suiteDatabase();

interface Given {
  tenant?: string;
  kind?: "guess" | "mail" | "look";
  account?: string | null;
  address?: string | null;
}

async function take(sql: ISql, given: Given = {}): Promise<number> {
  const { tenant = tenants.A, kind = "guess", account = "vera", address = null } = given;
  const [row] = await sql`
    select private.take_widget_permit(${tenant}, ${kind}, ${account}, ${address}) as wait`;
  return row!.wait;
}

async function giveBack(sql: ISql, given: Given = {}): Promise<void> {
  const { tenant = tenants.A, kind = "guess", account = "vera", address = null } = given;
  await sql`select private.give_back_widget_permit(${tenant}, ${kind}, ${account}, ${address})`;
}

const takeMany = async (sql: ISql, times: number, given: (n: number) => Given = () => ({})) => {
  const waits: number[] = [];
  for (let n = 0; n < times; n++) waits.push(await take(sql, given(n)));
  return waits;
};

/** As if so long had gone by. */
const later = (sql: ISql, seconds: number) =>
  sql`update private.widget_permits
         set started_at = started_at - ${seconds} * interval '1 second',
             blocked_until = blocked_until - ${seconds} * interval '1 second'`;

Deno.test("PER-01 ten tries of an account in five minutes, then a wait; another account, kind and tenant go on", async () => {
  await undone(database().sql, async (tx) => {
    assert.deepEqual(await takeMany(tx, 10), Array(10).fill(0));
    assert.equal(await take(tx), 30);
    assert.equal(await take(tx), 30, "asking again does not make it longer");
    assert.equal(await take(tx, { account: "uma" }), 0);
    assert.equal(await take(tx, { kind: "look" }), 0);
    assert.equal(await take(tx, { tenant: tenants.E }), 0);
  });
});

Deno.test("PER-02 each block is twice as long as the one before, up to a quarter of an hour; a day forgives", async () => {
  await undone(database().sql, async (tx) => {
    const waits: number[] = [];
    for (let round = 0; round < 8; round++) {
      waits.push((await takeMany(tx, 11)).at(-1)!);
      await later(tx, waits.at(-1)!);
    }
    assert.deepEqual(waits, [30, 60, 120, 240, 480, 900, 900, 900]);
    await later(tx, 2 * 86_400);
    assert.equal((await takeMany(tx, 11)).at(-1), 30);
  });
});

Deno.test("PER-03 a window that is over counts anew", async () => {
  await undone(database().sql, async (tx) => {
    await takeMany(tx, 10);
    await later(tx, 300);
    assert.deepEqual(await takeMany(tx, 10), Array(10).fill(0));
  });
});

Deno.test("PER-04 a try that was right is given back, and ends no block", async () => {
  await undone(database().sql, async (tx) => {
    for (let n = 0; n < 30; n++) {
      assert.equal(await take(tx), 0);
      await giveBack(tx);
    }
    await takeMany(tx, 11);
    await giveBack(tx);
    assert.ok(await take(tx) > 0);
  });
});

Deno.test("PER-05 one address is counted over all tenants and accounts; of IPv6 the /64 is one", async () => {
  await undone(database().sql, async (tx) => {
    const spray = (address: (n: number) => string) => (n: number): Given => ({
      tenant: n % 2 ? tenants.A : tenants.E,
      account: `somebody ${n}`,
      address: address(n),
    });
    assert.equal((await takeMany(tx, 201, spray(() => "192.0.2.7"))).at(-1), 30);
    assert.equal(await take(tx, { address: "192.0.2.8" }), 0);
    const v6 = await takeMany(tx, 201, spray((n) => `2001:db8:0:1::${n.toString(16)}`));
    assert.equal(v6.at(-1), 30);
    assert.equal(await take(tx, { address: "2001:db8:0:2::1" }), 0);
    assert.equal(await take(tx, { address: "not an address" }), 0, "counted by account and tenant");
  });
});

Deno.test("PER-06 a tenant is guarded against spraying from everywhere, for seconds only", async () => {
  await undone(database().sql, async (tx) => {
    await tx`update private.widget_limits set max_count = 20 where scope = 'tenant'`;
    const waits = await takeMany(tx, 21, (n) => ({ account: `a${n}`, address: `198.51.100.${n}` }));
    assert.equal(waits.at(-1), 5);
    assert.equal(await take(tx, { tenant: tenants.E, account: "x" }), 0);
  });
});

Deno.test("PER-07 whoever is asked about has no name in the table, and after a day no row", async () => {
  await undone(database().sql, async (tx) => {
    await take(tx, { account: "vera", address: "192.0.2.7" });
    const rows = await tx`select p::text as text from private.widget_permits p`;
    assert.equal(rows.length, 3);
    for (const { text } of rows) assert.doesNotMatch(text, /vera|192\.0/);
    const forget = async () => (await tx`select private.forget_widget_permits(10) as n`)[0]!.n;
    assert.equal(await forget(), 0);
    await later(tx, 86_401);
    assert.equal(await forget(), 3);
  });
});

Deno.test("PER-08 many at once are counted one by one", async () => {
  const { sql } = database();
  const account = crypto.randomUUID();
  const waits = await Promise.all(Array.from({ length: 25 }, () => take(sql, { account })));
  assert.equal(waits.filter((wait) => wait === 0).length, 10);
});

Deno.test("PER-09 nobody but the functions takes a permit or reads the counts", async () => {
  const { sql } = database();
  for (const actor of ["anon", "alice", "pat"] as const) {
    for (
      const statement of [
        "select private.take_widget_permit(null, 'guess', 'vera', null)",
        "select private.give_back_widget_permit(null, 'guess', 'vera', null)",
        "select private.is_administrator('1')",
        "select private.is_app_origin('https://shop.example')",
        "select private.widget_tenant('acme')",
        "select from private.widget_permits",
        "select from private.widget_limits",
      ]
    ) {
      await assert.rejects(
        as(sql, actor, (tx) => tx.unsafe(statement)),
        { code: "42501" },
        statement,
      );
    }
  }
});

Deno.test("PER-10 origins of an application are those of its web addresses, while it is switched on", async () => {
  await undone(database().sql, async (tx) => {
    const known = async (origin: string) =>
      (await tx`select private.is_app_origin(${origin}) as known`)[0]!.known;
    await tx`
      insert into public.apps (tenant_id, name, kind, redirect_uris)
      values (${tenants.A}, 'inline', 'native',
        ${[
      "https://members.example/a",
      "https://members.example:8443/b?c",
      "com.example.app:/d",
    ]})`;
    assert.equal(await known("https://members.example"), true);
    assert.equal(await known("https://members.example:8443"), true);
    for (
      const other of ["https://members.example/", "http://members.example", "com.example.app:", ""]
    ) {
      assert.equal(await known(other), false, other);
    }
    await tx`update public.apps set enabled = false where name = 'inline'`;
    assert.equal(await known("https://members.example"), false);
  });
});
