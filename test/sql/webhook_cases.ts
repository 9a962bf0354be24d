// Endpoints and events for the tests of webhooks, and the worker's calls as the worker makes them.
import assert from "node:assert/strict";
import type { Sql, TransactionSql } from "postgres";
import { tenants } from "../support/actors.ts";

export const ids = {
  A: "01990000-0000-7000-8000-0000000000f1",
  E: "01990000-0000-7000-8000-0000000000f5",
};

export async function endpoint(
  tx: TransactionSql,
  tenant: keyof typeof ids,
  types: string[] | null = null,
): Promise<void> {
  await tx`insert into public.webhook_endpoints (tenant_id, id, url, event_types) values (${
    tenants[tenant]
  }, ${ids[tenant]}, 'https://hooks.example/', ${types})`;
  await tx`insert into private.webhook_secrets (tenant_id, endpoint_id, key_id, ciphertext) values (${
    tenants[tenant]
  }, ${ids[tenant]}, 'k1', '\\x0102')`;
  await tx`update public.webhook_deliveries set state = 'cancelled'`; // its own creation is not what is tested
}

export async function emit(
  tx: TransactionSql,
  count = 1,
  type = "app.updated",
  tenant: string = tenants.A,
): Promise<void> {
  await tx`
    select private.record_event(${tenant}, ${type}, '[{"kind":"test"}]', jsonb_build_object('n', n), null, null,
        '{"traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}')
      from generate_series(1, ${count}::int) n`;
}

export const deliveries = (tx: TransactionSql) =>
  tx`
  select tenant_id, endpoint_id, event_type, state, attempts, next_attempt_at, settled_at
    from public.webhook_deliveries where state <> 'cancelled' or settled_at is not null order by event_recorded_at, id`;

export interface Claim {
  endpoint: {
    id: string;
    url: string;
    ordering: string;
    failuresInARow: number;
    pace: { perSecond: number; startsInMs: number } | null;
    headers: { keyId: string; ciphertext: string } | null;
  };
  secrets: { id: string; scheme: string; keyId: string; ciphertext: string }[];
  deliveries: {
    id: string;
    attempt: number;
    eventId: string;
    body: string;
    traceparent: string | null;
  }[];
  full: boolean;
  last: [string, string, string];
}

export const pumps = {
  first: "01990000-0000-7000-8000-0000000000e1",
  second: "01990000-0000-7000-8000-0000000000e2",
};

export async function claim(
  tx: TransactionSql,
  limit = 10,
  { pump = pumps.first, behind = null }: { pump?: string; behind?: Claim["last"] | null } = {},
): Promise<Claim | null> {
  return await asRole(tx, () => claimBy(tx, pump, limit, behind));
}

/** As the worker's connection, which `sql` is. */
export async function claimBy(
  sql: Sql | TransactionSql,
  pump: string,
  limit: number,
  behind: Claim["last"] | null = null,
): Promise<Claim | null> {
  const [row] = await sql`
    select claim, bodies from private.claim_deliveries(
      ${tenants.A}, ${ids.A}, ${pump}, ${limit}, 30, ${behind && sql.json(behind)})`;
  if (row!.claim === null) return null;
  const lines = (row!.bodies as string).split("\n");
  assert.equal(lines.length, row!.claim.deliveries.length, "a line each");
  const deliveries = row!.claim.deliveries.map((one: object, n: number) => ({
    ...one,
    body: lines[n],
  }));
  return { ...row!.claim, deliveries };
}

export const letGo = (tx: TransactionSql, pump = pumps.first) =>
  asRole(tx, () => tx`select private.let_go_of_endpoint(${tenants.A}, ${ids.A}, ${pump})`);

export async function settle(tx: TransactionSql, ...results: object[]): Promise<number> {
  const all = results.map((one) => ({
    startedAtMs: Date.UTC(2026, 10, 22, 10),
    durationMs: 12,
    ...one,
  }));
  const [row] = await asRole(
    tx,
    () =>
      tx`select private.settle_deliveries(${tenants.A}, ${ids.A}, ${tx.json(all as never)}) as n`,
  );
  return row!.n;
}

export async function findDue(tx: TransactionSql, limit = 10): Promise<number> {
  return (await asRole(tx, () => tx`select private.find_due_endpoints(${limit}) as n`))[0]!.n;
}

export async function asRole<T>(tx: TransactionSql, run: () => Promise<T>): Promise<T> {
  await tx`set local role gatehouse_worker`;
  const result = await run();
  await tx`reset role`;
  return result;
}
