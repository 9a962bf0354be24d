// CTX: how a request came, as the log says it: the address by the trusted hop, and what let the caller in.
import assert from "node:assert/strict";
import type { TransactionSql } from "postgres";
import { type Actor, as, type Coming, tenants } from "../support/actors.ts";
import { asOwner, undone } from "../support/log.ts";
import { suiteDatabase } from "../support/suite.ts";

const database = suiteDatabase();

/** The context of the newest event, whole. */
const newest = async (tx: TransactionSql) =>
  (await tx`
    select private.with_personal(e) -> 'context' as context from public.audit_events e
     order by recorded_at desc, id desc limit 1`)[0]!.context;

/** What is on record of a change that the actor makes. */
const changed = (actor: Actor, coming: Coming = {}) =>
  as(database().sql, actor, async (tx) => {
    await tx`insert into public.apps (tenant_id, name) values (${tenants.A}, 'context')`;
    return await asOwner(tx, () => newest(tx));
  }, coming);

const forwarded = "203.0.113.1, 203.0.113.2,203.0.113.3";
const withHops = (value: unknown): Coming => ({
  headers: { "x-forwarded-for": forwarded },
  ...(value === undefined ? {} : {
    arrange: (tx) =>
      tx.unsafe(`select private.put_setting('network.trusted_hops', '${JSON.stringify(value)}')`),
  }),
});

for (
  const [hops, expected] of [
    [undefined, "203.0.113.3"],
    [1, "203.0.113.3"],
    [2, "203.0.113.2"],
    [3, "203.0.113.1"],
    [10, "203.0.113.1"],
    // what is no number of hops believes nobody's word
    [0, "203.0.113.3"],
    [11, "203.0.113.3"],
    ["2", "203.0.113.3"],
    [null, "203.0.113.3"],
    [{ hops: 2 }, "203.0.113.3"],
  ] as const
) {
  Deno.test(`CTX-01 with ${JSON.stringify(hops)} trusted hops the address is the one that the outermost of them saw`, async () => {
    assert.equal((await changed("alice", withHops(hops))).address, expected);
  });
}

Deno.test("CTX-02 without the header, or an empty one, there is no address; one entry is it", async () => {
  const of = async (value: string) =>
    (await changed("alice", { ...withHops(2), headers: { "x-forwarded-for": value } })).address;
  assert.ok(!("address" in await changed("alice")));
  assert.equal(await of(" "), undefined);
  assert.equal(await of("203.0.113.9"), "203.0.113.9");
});

Deno.test("CTX-03 a caller does not set the hops, whoever it is", async () => {
  for (const actor of ["anon", "alice", "eve"] as const) {
    await assert.rejects(
      as(
        database().sql,
        actor,
        (tx) => tx`select private.put_setting('network.trusted_hops', '3')`,
      ),
      { code: "42501" },
    );
  }
});

Deno.test("CTX-04 a person's token, a service's and the worker are told apart; an operator's change says nothing", async () => {
  assert.equal((await changed("alice")).auth_method, "user_session");
  const arrange = (tx: TransactionSql) =>
    tx`
    insert into public.assignments (tenant_id, service_account_id, role_key)
    select ${tenants.A}, id, 'tenant_admin' from public.service_accounts`;
  assert.equal((await changed("sam", { arrange })).auth_method, "service_account");
  await undone(database().sql, async (tx) => {
    await tx`insert into public.apps (tenant_id, name) values (${tenants.A}, 'operated')`;
    assert.deepEqual(await newest(tx), {});
  });
  const worker = database().connect("gatehouse_worker", { max: 1 });
  await worker`select private.report_fork(${tenants.A}, 1, 1)`;
  await undone(database().sql, async (tx) => {
    assert.deepEqual(await newest(tx), { auth_method: "worker" });
  });
});
