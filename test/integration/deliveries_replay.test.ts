// What is replayed goes out: the worker sends it, under the webhook-id that the receiver knows.
import assert from "node:assert/strict";
import type { TransactionSql } from "postgres";
import { Deliveries, verify } from "./deliveries_support.ts";
import { eventually } from "../support/eventually.ts";

/** As an administrator of the tenant, as check_request would leave it. */
async function asAdministrator<T>(
  bench: Deliveries,
  run: (tx: TransactionSql) => Promise<T>,
): Promise<T> {
  return await bench.database.sql.begin(async (tx) => {
    const [user] = await tx`
      insert into users (issuer, subject, home_tenant_id)
      values ('https://issuer.test', ${crypto.randomUUID()}, ${bench.tenantId}) returning id`;
    await tx`
      insert into assignments (tenant_id, user_id, role_key)
      values (${bench.tenantId}, ${user!.id}, 'tenant_admin')`;
    await tx`
      select set_config('gatehouse.principal_id', ${user!.id}, true),
        set_config('gatehouse.principal_kind', 'user', true),
        set_config('gatehouse.client_kind', 'portal', true), set_config('role', 'authenticated', true)`;
    return await run(tx);
  }) as T;
}

Deno.test("a receiver that was down gets what it missed, each event once, under the same webhook-id", async () => {
  await using bench = await Deliveries.start();
  const worker = await bench.startWorker();
  try {
    let down = true;
    const endpoint = await bench.endpoint(
      "test.missed",
      () => new Response(null, { status: down ? 500 : 204 }),
    );
    await bench.record("test.missed", 3);
    await eventually("all three were tried", () => bench.at(endpoint).length >= 3);
    await bench.database.sql`
      update webhook_deliveries set state = 'dead', settled_at = now()
       where endpoint_id = ${endpoint.id} and state = 'pending'`;
    const idsOf = (from: number) =>
      bench.at(endpoint).slice(from).map(({ headers }) => headers["webhook-id"]!).sort();
    const tried = bench.at(endpoint).length;
    const before = [...new Set(idsOf(0))].sort();
    assert.equal(before.length, 3);

    down = false;
    const replay = (dryRun: boolean) =>
      asAdministrator(bench, async (tx) => {
        const [row] = await tx`
          select replay_deliveries(${bench.tenantId}, ${endpoint.id}, dry_run => ${dryRun}) as n`;
        return row!.n;
      });
    assert.equal(await replay(true), 3);
    assert.equal(await replay(false), 3);
    assert.equal(await replay(false), 0);
    await eventually("all three arrived", () => bench.at(endpoint).length >= tried + 3);
    assert.deepEqual(idsOf(tried), before);
    bench.at(endpoint).forEach((request) => verify(endpoint.secret, request));
    await eventually(
      "they are settled",
      async () =>
        (await bench.deliveries(endpoint)).filter(({ state }) => state === "delivered").length ===
          3,
    );
    const [letters] = await bench.database.sql`select count(*)::int as n from dead_letters`;
    assert.equal(letters!.n, 0);
  } finally {
    await worker.signal("SIGTERM");
  }
});
