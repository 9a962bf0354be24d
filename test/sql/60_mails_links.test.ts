// LNK: a link makes whoever has it the person. So it takes all that the person may.
import assert from "node:assert/strict";
import type { TransactionSql } from "postgres";
import { type Actor, as, people, platform, refusal, tenants } from "../support/actors.ts";
import { asOwner, eventsOf } from "../support/log.ts";
import { suiteDatabase } from "../support/suite.ts";

const database = suiteDatabase();
const { alice, bob, eve, pat, visitor } = people;

const begin = (tx: TransactionSql, id: string, kind = "reset", by = "link") =>
  tx`select private.begin_user_link(${id}, ${kind}, ${by}) as link`.then(([row]) => row!.link);

/** As the actor, after `arrange` by the owner. */
const asked = (
  actor: Actor,
  id: string,
  arrange: (tx: TransactionSql) => Promise<unknown> = async () => {},
) => as(database().sql, actor, (tx) => begin(tx, id), { arrange });

Deno.test("LNK-01 an administrator gets what a link needs for people of the own tenant, on record", async () => {
  await as(database().sql, "alice", async (tx) => {
    const link = await begin(tx, visitor.id, "invitation", "mail");
    assert.deepEqual(link, {
      tenantId: tenants.A,
      subject: visitor.subject,
      organizationId: "340000000000000001",
      inviterName: "alice",
    });
    await asOwner(tx, async () => {
      const [event, ...more] = await eventsOf(tx, tenants.A, "user.link_issued");
      assert.equal(more.length, 0);
      assert.deepEqual([event!.actor, event!.targets, event!.data], [
        { kind: "user", id: alice.id },
        [{ kind: "user", id: visitor.id }],
        { kind: "invitation", by: "mail" },
      ]);
    });
  });
});

Deno.test("LNK-02 for nobody of another tenant, and not by who only reads or signs in", async () => {
  await assert.rejects(asked("alice", eve.id), refusal("not_allowed", 403));
  for (const actor of ["bob", "audrey", "eve", "visitor", "sam", "mallory"] as const) {
    await assert.rejects(asked(actor, visitor.id), refusal("not_allowed", 403), actor);
  }
  const nobody = "01990000-0000-7000-8000-0000000000ff";
  await assert.rejects(asked("alice", nobody), refusal("not_allowed", 403));
  await assert.rejects(asked("pat", nobody), refusal("user_not_found", 404));
});

Deno.test("LNK-03 for platform staff there is none, wherever they are at home", async () => {
  await assert.rejects(asked("pat", pat.id), refusal("platform_user_refused", 403));
  const staff = (tx: TransactionSql) =>
    tx`insert into public.assignments (tenant_id, user_id, role_key) values (${platform}, ${bob.id}, 'platform_auditor')`;
  for (const actor of ["alice", "pat"] as const) {
    await assert.rejects(asked(actor, bob.id, staff), refusal("platform_user_refused", 403));
  }
});

Deno.test("LNK-04 who administers elsewhere too is not to be had from here", async () => {
  const elsewhere = (tx: TransactionSql) =>
    tx`insert into public.assignments (tenant_id, user_id, role_key) values (${tenants.E}, ${bob.id}, 'tenant_admin')`;
  await assert.rejects(asked("alice", bob.id, elsewhere), refusal("not_allowed", 403));
  assert.equal((await asked("pat", bob.id, elsewhere)).subject, bob.subject);
});

Deno.test("LNK-05 who holds users.write alone gets no link to who may more", async () => {
  const narrow = async (tx: TransactionSql) => {
    await tx`insert into public.roles (key, scope, description) values ('helpdesk', 'tenant', 'Helps')`;
    await tx`insert into public.role_rights values ('helpdesk', 'users.write')`;
    await tx`delete from public.assignments where user_id = ${bob.id}`;
    await tx`insert into public.assignments (tenant_id, user_id, role_key) values (${tenants.A}, ${bob.id}, 'helpdesk')`;
  };
  await assert.rejects(asked("bob", alice.id, narrow), refusal("not_allowed", 403));
  assert.equal((await asked("bob", visitor.id, narrow)).subject, visitor.subject);
});

Deno.test("LNK-06 erased and removed people get none", async () => {
  for (const column of ["erased_at = now()", "state = 'removed'"]) {
    const gone = (tx: TransactionSql) =>
      tx.unsafe(`update public.users set ${column} where id = '${visitor.id}'`);
    await assert.rejects(asked("pat", visitor.id, gone), refusal("user_not_found", 404), column);
  }
});
