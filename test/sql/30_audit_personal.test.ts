// PER: personal values stand beside the log. The event commits to them; readers with audit.read see them in their places.
import assert from "node:assert/strict";
import type { ISql } from "postgres";
import { as, people, refusal, tenants } from "../support/actors.ts";
import { asOwner, undone } from "../support/log.ts";
import { suiteDatabase } from "../support/suite.ts";

const database = suiteDatabase();

const headers = { "x-forwarded-for": "198.51.100.7, 10.1.2.3", "user-agent": "Shop/1.0" };

interface Row {
  id: string;
  data: { before?: Record<string, unknown>; after?: Record<string, unknown> };
  context: Record<string, string | null>;
  personal: Record<string, string> | null;
}

const newest = (tx: ISql, type: string) =>
  tx<Row[]>`
    select id, data, context, personal from public.audit_events
     where type = ${type} order by recorded_at desc, id desc limit 1`.then(([row]) => row!);

const valuesOf = (tx: ISql, id: string) =>
  tx<{ slot: string; user_id: string | null; value: Record<string, unknown>; holds: boolean }[]>`
    select p.slot, p.user_id, p.value,
           length(p.salt) = 32 and encode(sha256(p.salt || convert_to(p.value::text, 'UTF8')), 'hex')
             = e.personal ->> p.slot as holds
      from private.audit_personal p join public.audit_events e on e.id = p.event_id
     where p.event_id = ${id} order by p.slot`;

Deno.test("PER-01 names, e-mail and login name of a person stand beside the event, which commits to them", async () => {
  await undone(database().sql, async (tx) => {
    await tx`
      update public.users set email = 'alice@a.example', email_verified = true, login_name = 'alice2'
       where id = ${people.alice.id}`;
    const event = await newest(tx, "user.updated");
    assert.deepEqual(event.data, {
      before: { email: null, email_verified: false, login_name: null },
      after: { email: null, email_verified: true, login_name: null },
    });
    assert.deepEqual([...await valuesOf(tx, event.id)], [{
      slot: "target",
      user_id: people.alice.id,
      value: {
        "data.before.login_name": "alice",
        "data.after.login_name": "alice2",
        "data.after.email": "alice@a.example",
      },
      holds: true,
    }]);
    assert.deepEqual(Object.keys(event.personal!), ["target"]);
  });
});

Deno.test("PER-02 address and user agent of a request stand beside the event, as values of who asked", async () => {
  await as(database().sql, "alice", async (tx) => {
    await tx`update public.apps set name = 'till'`;
    await asOwner(tx, async () => {
      const event = await newest(tx, "app.updated");
      assert.equal(event.context.address, null);
      assert.equal(event.context.user_agent, null);
      assert.deepEqual([...await valuesOf(tx, event.id)], [{
        slot: "actor",
        user_id: people.alice.id,
        value: { "context.address": "10.1.2.3", "context.user_agent": "Shop/1.0" },
        holds: true,
      }]);
    });
  }, { headers });
});

Deno.test("PER-03 the first administrator of a tenant is personal too", async () => {
  await undone(database().sql, async (tx) => {
    await tx`
      insert into public.tenants (slug, name, admin_email, admin_given_name, admin_family_name)
      values ('probe', 'Probe', 'ada@probe.example', 'Ada', 'Byron')`;
    const event = await newest(tx, "tenant.created");
    assert.equal(event.data.after!.name, "Probe");
    assert.equal(event.data.after!.admin_email, null);
    assert.deepEqual((await valuesOf(tx, event.id))[0]!.value, {
      "data.after.admin_email": "ada@probe.example",
      "data.after.admin_given_name": "Ada",
      "data.after.admin_family_name": "Byron",
    });
  });
});

Deno.test("PER-04 an event without personal values has nothing beside it", async () => {
  await undone(database().sql, async (tx) => {
    await tx`update public.apps set name = 'till' where tenant_id = ${tenants.A}`;
    const event = await newest(tx, "app.updated");
    assert.equal(event.personal, null);
    assert.equal((await valuesOf(tx, event.id)).length, 0);
  });
});

Deno.test("PER-05 equal values of two events have different commitments", async () => {
  await undone(database().sql, async (tx) => {
    const [row] = await tx`
      select count(distinct commitment)::int as n
        from (select private.keep_personal(${tenants.A}, now(), private.uuid_v7(), 'actor', null, '{"a": "b"}') as commitment
                from generate_series(1, 20)) x`;
    assert.equal(row!.n, 20);
  });
});

Deno.test("PER-06 who has audit.read finds the values in list_events and in personal_values", async () => {
  const { sql } = database(); // committed: the sequencer numbers nothing else
  await sql`update public.users set email = 'bob@a.example' where id = ${people.bob.id}`;
  await sql`select private.sequence_events(10000)`;
  for (const actor of ["alice", "audrey", "pat"] as const) {
    await as(database().sql, actor, async (tx) => {
      const listed = await tx`
        select data from public.list_events(${tenants.A}, types => array['user.updated'])`;
      assert.deepEqual(listed.at(-1)!.data, {
        before: { email: null },
        after: { email: "bob@a.example" },
      });
      const [computed] = await tx`
        select personal_values(e) as v from public.audit_events e
         where type = 'user.updated' order by recorded_at desc limit 1`;
      assert.deepEqual(computed!.v, { "data.after.email": "bob@a.example" });
    });
  }
});

Deno.test("PER-07 nobody else reads a value: not by a row made up, not from the table, not by the helper", async () => {
  const made =
    `jsonb_populate_record(null::public.audit_events, '{"tenant_id": "${tenants.A}", "personal": {}}')`;
  for (const actor of ["bob", "eve", "visitor", "mallory", "sam"] as const) {
    await assert.rejects(
      as(database().sql, actor, (tx) => tx.unsafe(`select public.personal_values(${made})`)),
      refusal("not_allowed", 403),
      actor,
    );
  }
  for (const actor of ["alice", "audrey", "pat", "eve", "anon"] as const) {
    for (
      const statement of [
        "select value from private.audit_personal",
        "delete from private.audit_personal",
        `select private.with_personal(${made})`,
        `select private.keep_personal('${tenants.A}', now(), private.uuid_v7(), 'actor', null, '{}')`,
      ]
    ) {
      await assert.rejects(as(database().sql, actor, (tx) => tx.unsafe(statement)), {
        code: "42501",
      }, `${actor}: ${statement}`);
    }
  }
});

Deno.test("PER-08 a webhook's body has the values in their places", async () => {
  await undone(database().sql, async (tx) => {
    await tx`update public.users set email = 'bob@b.example' where id = ${people.bob.id}`;
    const [row] = await tx`
      select private.delivery_body(e)::jsonb as body from public.audit_events e
       where type = 'user.updated' order by recorded_at desc limit 1`;
    assert.deepEqual(row!.body.data.after, { email: "bob@b.example" });
    assert.ok(!("context" in row!.body) && !("personal" in row!.body));
  });
});

Deno.test("PER-09 no value of a person's columns is left in any event", async () => {
  const [row] = await database().sql`
    select count(*)::int as n from public.audit_events e
     where e.type like 'user.%' and exists (
       select from public.users u
        where jsonb_build_array(e.data, e.context)::text like '%"' || u.login_name || '"%')`;
  assert.equal(row!.n, 0);
});
