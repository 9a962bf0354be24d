// AUD: the log holds each change once, is never changed, and is read in an order that skips and repeats nothing.
import assert from "node:assert/strict";
import { type Actor, apps, as, people, platform, refusal, tenants } from "../support/actors.ts";
import { asOwner, eventsOf, undone } from "../support/log.ts";
import { suiteDatabase } from "../support/suite.ts";

const database = suiteDatabase();

Deno.test("AUD-01 a change is one event with the changed columns before and after", async () => {
  await as(database().sql, "alice", async (tx) => {
    await tx`update public.apps set name = 'till', enabled = false where id = ${apps.A.id}`;
    await asOwner(tx, async () => {
      const [event, ...more] = await eventsOf(tx, tenants.A, "app.updated");
      assert.deepEqual(more, []);
      assert.deepEqual(event!.actor, { kind: "user", id: people.alice.id });
      assert.deepEqual(event!.targets, [{ kind: "app", id: apps.A.id }]);
      assert.deepEqual(event!.data, {
        before: { name: "shop", enabled: true },
        after: { name: "till", enabled: false },
      });
    });
  });
});

Deno.test("AUD-02 an update that changes nothing that is governed records nothing", async () => {
  await undone(database().sql, async (tx) => {
    const count = async () => (await tx`select count(*)::int as n from public.audit_events`)[0]!.n;
    const before = await count();
    await tx`update public.apps set name = name`;
    await tx`update public.apps set application_id = '1', last_error = '{}', state = 'error'`;
    await tx`update public.users set last_seen_at = now(), zitadel_sequence = 7`;
    await tx`update public.tenants set updated_at = now()`;
    assert.equal(await count(), before);
  });
});

Deno.test("AUD-03 a change that is rolled back leaves no event", async () => {
  await undone(database().sql, async (tx) => {
    const before = (await eventsOf(tx, tenants.A)).length;
    await assert.rejects(tx.savepoint(async (s) => {
      await s`update public.apps set name = 'till'`;
      throw new Error("no");
    }));
    assert.equal((await eventsOf(tx, tenants.A)).length, before);
  });
});

Deno.test("AUD-04 secrets are redacted by name, also inside before and after", async () => {
  const [row] = await database().sql`
    select private.redacted('{"name": "a", "client_secret": "x", "password": "y", "ciphertext": "z", "token_hash": "h", "old_secret": null, "updated_at": 1}', array['updated_at']) as r`;
  assert.deepEqual(row!.r, {
    name: "a",
    client_secret: "[redacted]",
    password: "[redacted]",
    ciphertext: "[redacted]",
    token_hash: "[redacted]",
    old_secret: null,
  });
});

for (const actor of ["alice", "bob", "pat", "audrey", "visitor", "sam", "anon"] as const) {
  Deno.test(`AUD-05 ${actor} neither writes, changes nor removes an event`, async () => {
    for (
      const statement of [
        `insert into public.audit_events (tenant_id, type, occurred_at, actor, targets, data, context) values ('${tenants.A}', 'a.b', now(), '{}', '[]', '{}', '{}')`,
        "update public.audit_events set data = '{}'",
        "delete from public.audit_events",
        "truncate public.audit_events",
        `select private.record_event('${tenants.A}', 'a.b', '[]', '{}')`,
        "select count(*) from private.audit_events_default",
      ]
    ) {
      await assert.rejects(as(database().sql, actor, (tx) => tx.unsafe(statement)), {
        code: "42501",
      }, statement);
    }
  });
}

Deno.test("AUD-06 who may read the log reads the tenant's own events only", async () => {
  const tenantsSeen = (actor: Actor) =>
    as(
      database().sql,
      actor,
      async (tx) =>
        (await tx`select distinct tenant_id from public.audit_events order by 1`).map((
          { tenant_id },
        ) => tenant_id),
    );
  assert.deepEqual(await tenantsSeen("alice"), [tenants.A]);
  assert.deepEqual(await tenantsSeen("audrey"), [tenants.A]);
  assert.deepEqual(await tenantsSeen("eve"), [tenants.E]);
  assert.deepEqual(await tenantsSeen("pat"), [platform, tenants.A, tenants.E]);
  for (const actor of ["bob", "visitor", "mallory", "sam"] as const) {
    assert.deepEqual(await tenantsSeen(actor), []);
  }
});

Deno.test("AUD-07 the months ahead have their partitions, and rows land in the month they are recorded in", async () => {
  await undone(database().sql, async (tx) => {
    const [row] =
      await tx`select count(*)::int as n from pg_inherits where inhparent = 'public.audit_events'::regclass`;
    assert.equal(row!.n, 14, "this month, twelve ahead, the default");
    assert.equal((await tx`select private.create_partitions() as n`)[0]!.n, 0);
    const [landed] = await tx`
      insert into public.audit_events (tenant_id, recorded_at, type, occurred_at, actor, targets, data, context)
      values (${tenants.A}, date_trunc('month', now()) + interval '5 months', 'app.updated', now(), '{}', '[{"kind":"test"}]', '{}', '{}')
      returning tableoid::regclass::text as name, to_char(recorded_at, 'YYYY_MM') as month`;
    assert.equal(landed!.name, `private.audit_events_${landed!.month}`);
    assert.equal((await tx`select from private.audit_events_default`).length, 0);
  });
});

Deno.test("AUD-08 triggers of the log are enabled always on every partition, a new one included", async () => {
  await undone(database().sql, async (tx) => {
    await tx`create table private.audit_events_2999_01 partition of public.audit_events for values from ('2999-01-01') to ('2999-02-01')`;
    const rows = await tx`
      select t.tgrelid::regclass::text as partition, t.tgenabled as enabled
        from pg_inherits i left join pg_trigger t on t.tgrelid = i.inhrelid and t.tgname = '_900_deliver'
       where i.inhparent = 'public.audit_events'::regclass`;
    assert.ok(rows.length > 14);
    assert.deepEqual(rows.filter(({ enabled }) => enabled !== "A"), []);
  });
});

Deno.test("AUD-09 a session that replays as a replica still records (enable always)", async () => {
  await undone(database().sql, async (tx) => {
    await tx`set local session_replication_role = replica`;
    await tx`update public.apps set name = 'till' where id = ${apps.A.id}`;
    assert.equal((await eventsOf(tx, tenants.A, "app.updated")).length, 1);
  });
});

Deno.test("AUD-10 list_events pages by seq, filters by type, and is for who may read the log", async () => {
  await as(database().sql, "audrey", async (tx) => {
    await asOwner(tx, () => tx`select private.sequence_events(10000)`);
    const all = await tx`select * from public.list_events(${tenants.A})`;
    assert.ok(all.length >= 3);
    const paged = [];
    for (let after = "0";;) {
      const page = await tx`select * from public.list_events(${tenants.A}, ${after}, 2)`;
      if (page.length === 0) break;
      paged.push(...page);
      after = page.at(-1)!.seq;
    }
    assert.deepEqual(paged.map(({ id }) => id), all.map(({ id }) => id));
    const created =
      await tx`select * from public.list_events(${tenants.A}, types => array['app.created'])`;
    assert.deepEqual(created.map(({ type }) => type), ["app.created"]);
    const typesOf = async (...types: string[]) =>
      (await tx`select distinct type from public.list_events(${tenants.A}, types => ${types}) order by 1`)
        .map(({ type }) => type);
    assert.deepEqual(await typesOf("app.*", "tenant.activated"), [
      "app.created",
      "tenant.activated",
    ]);
    for (const none of ["app%", "app_created", "app", "ap.*", "%.*", "\\", ".*"]) {
      assert.deepEqual(await typesOf(none), [], none);
    }
  }, { arrange: (tx) => tx`select 1` });
  for (const actor of ["bob", "eve", "visitor", "mallory"] as const) {
    await assert.rejects(
      as(database().sql, actor, (tx) => tx`select public.list_events(${tenants.A})`),
      refusal("not_allowed", 403),
    );
  }
});

Deno.test("AUD-11 every type that the code records is in the catalogue", async () => {
  const recorded = await database().sql<{ type: string }[]>`
    with kinds as ( -- what _500_record writes
      select c.relname, split_part(encode(t.tgargs, 'escape'), '\\000', 1) as kind
        from pg_trigger t join pg_class c on c.oid = t.tgrelid join pg_proc p on p.oid = t.tgfoid
       where p.proname = 'tg_record_change' and not t.tgisinternal and t.tgparentid = 0)
    select kind || verb as type from kinds, unnest(array['.created', '.updated', '.deleted']) verb
    union -- what functions name themselves
    select match[1] from pg_proc p,
        regexp_matches(p.prosrc, 'record_event\\([^;]*?''([a-z_]+\\.[a-z_]+)''', 'g') match
     where p.pronamespace in ('private'::regnamespace, 'public'::regnamespace)
    union -- and what they put together
    select unnest(array['tenant.activated', 'tenant.suspended', 'tenant.resumed', 'tenant.archived',
      'role_right.created', 'role_right.deleted'])`;
  const known = (await database().sql`select name from public.event_types`).map(({ name }) => name);
  const types = recorded.map(({ type }) => type);
  assert.ok(
    ["user.signed_in", "app.created", "app.secret_rotated"].every((type) => types.includes(type)),
  );
  assert.deepEqual(types.filter((type) => !known.includes(type)), []);
});

Deno.test("AUD-12 who acts is told by who is connected: worker, operator, nobody", async () => {
  const actorOf = (role: string) => {
    const sql = database().connect(role, { max: 1 });
    return sql`select private.current_actor() as actor`.then(([row]) => row!.actor).finally(() =>
      sql.end()
    );
  };
  await database()
    .sql`grant execute on function private.current_actor() to gatehouse_worker, gatehouse_functions`;
  await database()
    .sql`grant execute on function private.current_principal_id() to gatehouse_worker, gatehouse_functions`;
  assert.deepEqual(await actorOf("gatehouse_worker"), { kind: "system", id: "worker" });
  assert.deepEqual(await actorOf("gatehouse_functions"), { kind: "anonymous", id: null });
  const [own] = await database().sql`select private.current_actor() as actor`;
  assert.deepEqual(own!.actor, { kind: "operator", id: "postgres" });
});
