import assert from "node:assert/strict";
import type { Sql } from "postgres";
import { Lease, LeaseLost } from "../../functions/provision/lease.ts";
import { Ledger } from "../../functions/provision/ledger.ts";
import { createDatabase, type TestDatabase } from "../support/database.ts";

async function arrange(database: TestDatabase) {
  const [row] = await database.sql`
    insert into public.tenants (slug, name) values ('acme', 'Acme') returning id`;
  const sql = database.connect("gatehouse_worker");
  const take = (holder: string, seconds = 10, clock = Date.now) =>
    Lease.take({ sql, tenantId: row!.id, holder, seconds, clock });
  return { sql, tenantId: row!.id as string, take };
}

const ledgerOf = (sql: Sql, tenantId: string, lease: Lease) =>
  new Ledger({ sql, tenantId, lease, clock: Date.now });

Deno.test("a tenant's lease has one holder at a time", async () => {
  await using database = await createDatabase();
  const { take } = await arrange(database);
  const first = await take("one");
  assert.ok(first);
  assert.equal(await take("two"), null);
  await first.release();
  const second = await take("two");
  assert.ok(second);
  assert.ok(BigInt(second.token) > BigInt(first.token));
  await second.release();
});

Deno.test("there is no lease of a tenant that does not exist", async () => {
  await using database = await createDatabase();
  const sql = database.connect("gatehouse_worker");
  const tenantId = crypto.randomUUID();
  assert.equal(await Lease.take({ sql, tenantId, holder: "one", clock: Date.now }), null);
});

Deno.test("a lease lives on while its holder does", async () => {
  await using database = await createDatabase();
  const { take } = await arrange(database);
  const first = await take("one", 1);
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  first!.check();
  assert.equal(await take("two", 1), null);
  await first!.release();
});

Deno.test("who is taken over cannot write any more", async () => {
  await using database = await createDatabase();
  const { sql, tenantId, take } = await arrange(database);
  // A holder that is held up, as by a stopped process: its clock says nothing, its renewals do not come.
  const stalled = await take("stalled", 60);
  await database.sql`
    update private.provisioning_leases set expires_at = clock_timestamp() - interval '1 second'`;
  const next = await take("next");
  assert.ok(next);
  const ledger = ledgerOf(sql, tenantId, stalled!);
  await assert.rejects(ledger.startStep("organization"), LeaseLost);
  await assert.rejects(ledger.settleStep("organization", { state: "ok" }), LeaseLost);
  const [step] = await database.sql`
    select state, attempts from public.provisioning_steps
     where tenant_id = ${tenantId} and name = 'organization'`;
  assert.deepEqual({ ...step }, { state: "pending", attempts: 0 });
  await stalled!.release(); // gives back what is not its own any more: nothing
  next.check();
  assert.equal(await take("third"), null);
  await next.release();
});

Deno.test("a lease that could not be renewed in time is lost before it runs out", async () => {
  await using database = await createDatabase();
  const { take } = await arrange(database);
  let now = Date.now();
  const lease = await take("one", 10, () => now);
  lease!.check();
  now += 9_500;
  assert.throws(() => lease!.check(), LeaseLost);
  await lease!.release();
});
