// ERA: a person is erased, their events stay as they were sealed. HLD: a legal hold stops that. EXP: what is known of a person, for them.
import assert from "node:assert/strict";
import type { ISql, TransactionSql } from "postgres";
import {
  type Actor,
  as,
  bearer,
  claims,
  issuer,
  people,
  refusal,
  tenants,
} from "../support/actors.ts";
import { asOwner, eventsOf, jobs, undone } from "../support/log.ts";
import { suiteDatabase } from "../support/suite.ts";

const database = suiteDatabase();

const headers = { "x-forwarded-for": "10.1.2.3", "user-agent": "Shop/1.0" };
const { alice, bob, eve, pat } = people;

/** Bob has a name, an e-mail address, a session, and an event of his own doing. */
async function arrangeBob(tx: ISql): Promise<void> {
  await tx`
    update public.users
       set email = 'bob@a.example', given_name = 'Bob', family_name = 'Bee', preferred_language = 'en', last_seen_at = now()
     where id = ${bob.id}`;
  await tx`update public.users set email = 'bob2@a.example' where id = ${bob.id}`;
  await tx`
    insert into public.sign_in_sessions (tenant_id, id, client_id, user_id, signed_in_at)
    values (${tenants.A}, 'V1_1', '1', ${bob.id}, now())`;
  await tx`insert into private.zitadel_sessions values ('V1_1', ${bob.subject}, '1', now())`;
  await tx`
    insert into private.zitadel_events_refused (event, reason)
    values (${tx.json({ aggregateId: bob.subject, payload: { email: "bob@a.example" } })}, 'x')`;
  await tx`
    select private.record_event(${tenants.A}, 'app.activated', '[]', '{"client_id": null}',
      ${tx.json({ kind: "user", id: bob.id })}, null, '{"address": "10.9.9.9"}')`;
}

const valuesOf = async (tx: ISql, id: string) =>
  (await tx`select count(*)::int as n from private.audit_personal where user_id = ${id}`)[0]!.n;

/** The log as it is sealed: every column of every event. */
const log = (tx: ISql) =>
  tx`select to_jsonb(e) as e from public.audit_events e order by recorded_at, id`
    .then((rows) => rows.map(({ e }) => e));

const erase = (tx: ISql, id: string) =>
  tx`select public.erase_person(${id}) as n`.then(([row]) => row!.n as number);

Deno.test("ERA-01 erasing blanks every column that is declared personal and ends the sessions", async () => {
  await as(database().sql, "alice", async (tx) => {
    assert.equal(await erase(tx, bob.id), 5); // made, twice changed, erased just now, his own doing
    await asOwner(tx, async () => {
      const [row] = await tx`
        select to_jsonb(u) as u,
               string_to_array(split_part(encode(t.tgargs, 'escape'), '\\000', 3), ',') as personal
          from public.users u, pg_trigger t
         where u.id = ${bob.id} and t.tgrelid = 'public.users'::regclass and t.tgname = '_500_record'`;
      assert.equal(row!.personal.length, 5);
      for (const column of [...row!.personal, "preferred_language", "last_seen_at"]) {
        assert.equal(row!.u[column], null, column);
      }
      assert.deepEqual([row!.u.state, row!.u.email_verified], ["removed", false]);
      assert.ok(row!.u.erased_at);
      assert.equal(
        (await tx`select from public.sign_in_sessions where user_id = ${bob.id} and ended_at is null`)
          .length,
        0,
      );
      assert.equal((await tx`select from private.zitadel_sessions`).length, 0);
      assert.equal((await tx`select from private.zitadel_events_refused`).length, 0);
    });
    await refuses(tx, "bob", refusal("user_inactive", 401));
  }, { arrange: arrangeBob });
});

Deno.test("ERA-02 every value and salt of the person goes, and no event changes", async () => {
  await as(database().sql, "alice", async (tx) => {
    const before = await asOwner(tx, () => log(tx));
    await erase(tx, bob.id);
    await asOwner(tx, async () => {
      const after = await log(tx);
      assert.deepEqual(after.slice(0, before.length), before);
      assert.equal(await valuesOf(tx, bob.id), 0);
      assert.doesNotMatch(JSON.stringify(after), /bob2?@a\.example|10\.9\.9\.9/);
      const left = await tx`
        select from private.audit_personal where value::text ~ 'bob2?@a.example|10.9.9.9|Bee'`;
      assert.equal(left.length, 0);
    });
  }, { arrange: arrangeBob, headers });
});

Deno.test("ERA-03 readers and webhooks get null where the values were", async () => {
  await as(database().sql, "alice", async (tx) => {
    await erase(tx, bob.id);
    const [seen] = await tx`
      select id, personal, personal_values(e) as v from public.audit_events e
       where type = 'user.updated' and data -> 'after' ? 'given_name' order by recorded_at limit 1`;
    assert.ok(seen!.personal.target, "its commitment stays");
    assert.equal(seen!.v, null);
    await asOwner(tx, async () => {
      const [row] = await tx`
        select private.delivery_body(e)::jsonb -> 'data' as data, private.with_personal(e) -> 'data' as merged
          from public.audit_events e where id = ${seen!.id}`;
      assert.deepEqual(row!.data.after.email, null);
      assert.deepEqual(row!.merged, row!.data);
    });
  }, { arrange: arrangeBob });
});

Deno.test("ERA-04 what belongs to others stays: the administrator's address beside the event about the person", async () => {
  await as(database().sql, "alice", async (tx) => {
    const before = await asOwner(tx, () => valuesOf(tx, alice.id));
    await erase(tx, bob.id);
    await asOwner(tx, async () => {
      // the two events that the erasure itself recorded: user.updated and user.erased
      assert.equal(await valuesOf(tx, alice.id), before + 2);
      const [event, ...more] = await eventsOf(tx, tenants.A, "user.erased");
      assert.deepEqual(more, []);
      assert.deepEqual(event!.targets, [{ kind: "user", id: bob.id }]);
      assert.deepEqual(event!.data, { events: 5 });
      assert.deepEqual(event!.actor, { kind: "user", id: alice.id });
    });
  }, { arrange: arrangeBob, headers });
});

Deno.test("ERA-05 a tenant's first administrator is erased from the tenant's row too", async () => {
  await as(database().sql, "alice", async (tx) => {
    await erase(tx, bob.id);
    await asOwner(tx, async () => {
      const [row] = await tx`
        select admin_email, admin_given_name, admin_family_name from public.tenants where id = ${tenants.A}`;
      assert.deepEqual({ ...row }, {
        admin_email: null,
        admin_given_name: null,
        admin_family_name: null,
      });
      assert.equal(
        (await tx`select from private.audit_personal where value::text like '%Bobby%'`).length,
        0,
      );
      const [other] = await tx`select admin_email from public.tenants where id = ${tenants.E}`;
      assert.equal(other!.admin_email, "eve@e.example");
    });
  }, {
    arrange: async (tx) => {
      await arrangeBob(tx);
      await tx`
        update public.tenants set admin_email = 'Bob@a.example', admin_given_name = 'Bobby', admin_family_name = 'Bee'
         where id = ${tenants.A}`;
      await tx`
        update public.tenants set admin_email = 'eve@e.example', admin_given_name = 'Eve', admin_family_name = 'E'
         where id = ${tenants.E}`;
    },
  });
});

Deno.test("ERA-06 what ZITADEL still sends of an erased person is not mirrored again", async () => {
  await undone(database().sql, async (tx) => {
    await tx`select private.erase_user(u) from public.users u where id = ${bob.id}`;
    await tx`select private.ingest_zitadel_events(${
      tx.json([{
        aggregateType: "user",
        aggregateId: bob.subject,
        sequence: "900",
        type: "user.human.profile.changed",
        createdAt: new Date().toISOString(),
        resourceOwner: "340000000000000001",
        editorUserId: "1",
        payload: { firstName: "Bob", displayName: "Bob Bee" },
      }])
    })`;
    const [row] =
      await tx`select given_name, display_name, state from public.users where id = ${bob.id}`;
    assert.deepEqual({ ...row }, { given_name: null, display_name: null, state: "removed" });
  });
});

Deno.test("ERA-07 nobody erases or exports another tenant's person, nor without users.write", async () => {
  for (const actor of ["bob", "audrey", "eve", "visitor", "mallory", "sam"] as const) {
    for (const rpc of ["erase_person", "export_person"]) {
      await assert.rejects(
        as(database().sql, actor, (tx) => tx.unsafe(`select public.${rpc}('${alice.id}')`)),
        refusal("not_allowed", 403),
        `${actor} ${rpc}`,
      );
    }
  }
  await assert.rejects( // platform staff is the platform's
    as(database().sql, "alice", (tx) => erase(tx, pat.id)),
    refusal("not_allowed", 403),
  );
  for (
    const [actor, slug, status] of [["pat", "user_not_found", 404], [
      "alice",
      "not_allowed",
      403,
    ]] as const
  ) {
    await assert.rejects(
      as(database().sql, actor, (tx) => erase(tx, crypto.randomUUID())),
      refusal(slug, status),
    );
  }
});

Deno.test("ERA-08 erasing again removes what came late and records nothing more", async () => {
  await as(database().sql, "pat", async (tx) => {
    await erase(tx, bob.id);
    await asOwner(tx, () =>
      tx`
        select private.record_event(${tenants.A}, 'app.activated', '[]', '{"client_id": null}',
          ${tx.json({ kind: "user", id: bob.id })}, null, '{"address": "10.9.9.9"}')`);
    assert.ok(await erase(tx, bob.id) >= 1);
    await asOwner(tx, async () => {
      assert.equal(await valuesOf(tx, bob.id), 0);
      assert.equal((await eventsOf(tx, tenants.A, "user.erased")).length, 1);
    });
  }, { arrange: arrangeBob });
});

Deno.test("ERA-09 who erases themself leaves nothing behind either", async () => {
  await as(database().sql, "alice", async (tx) => {
    await erase(tx, alice.id);
    await asOwner(tx, async () => assert.equal(await valuesOf(tx, alice.id), 0));
  }, { headers });
});

Deno.test("ERA-10 the user is to be removed at ZITADEL, once for all", async () => {
  await as(database().sql, "alice", async (tx) => {
    const subject = () =>
      asOwner(tx, async () => (await tx`select private.erased_subject(${bob.id}) as s`)[0]!.s);
    assert.equal(await subject(), null, "of nobody who is not erased");
    await erase(tx, bob.id);
    assert.equal(await subject(), bob.subject);
    await asOwner(tx, async () => {
      const [job, ...more] = await jobs(tx, "user__remove");
      assert.deepEqual(more, []);
      assert.equal(job!.payload.userId, bob.id);
    });
  });
});

Deno.test("HLD-01 under a legal hold nobody of the tenant is erased; when it is lifted, they are", async () => {
  await as(database().sql, "pat", async (tx) => {
    await tx`select public.place_legal_hold(${tenants.A}, 'case 7')`;
    await assert.rejects(tx.savepoint((s) => erase(s, bob.id)), refusal("legal_hold", 409));
    assert.ok(await erase(tx, eve.id) > 0, "another tenant's is");
    await tx`select public.lift_legal_hold(${tenants.A})`;
    assert.ok(await erase(tx, bob.id) > 0);
    await asOwner(tx, async () => {
      assert.deepEqual(
        (await eventsOf(tx, tenants.A, "legal_hold.%")).map(({ type }) => type),
        ["legal_hold.created", "legal_hold.updated"],
      );
    });
  }, { arrange: arrangeBob });
});

Deno.test("HLD-02 a hold over any tenant whose log has the person's values stops the erasure", async () => {
  await as(database().sql, "pat", async (tx) => {
    await tx`select public.place_legal_hold(${tenants.E}, 'case 7')`;
    await assert.rejects(tx.savepoint((s) => erase(s, bob.id)), refusal("legal_hold", 409));
  }, {
    arrange: (tx) =>
      tx`
        select private.record_event(${tenants.E}, 'app.activated', '[]', '{"client_id": null}',
          ${tx.json({ kind: "user", id: bob.id })}, null, '{"address": "10.9.9.9"}')`,
  });
});

Deno.test("HLD-03 one hold at a time, of a tenant that is there, for a reason; none to lift is said", async () => {
  await as(database().sql, "pat", async (tx) => {
    await tx`select public.place_legal_hold(${tenants.A}, 'case 7')`;
    await assert.rejects(
      tx.savepoint((s) => s`select public.place_legal_hold(${tenants.A}, 'case 8')`),
      { code: "23505", constraint_name: "legal_hold_already_open" },
    );
    await assert.rejects(
      tx.savepoint((s) => s`select public.place_legal_hold(${tenants.E}, '')`),
      { code: "23514", constraint_name: "legal_hold_reason_malformed" },
    );
    await assert.rejects(
      tx.savepoint((s) => s`select public.lift_legal_hold(${tenants.E})`),
      refusal("legal_hold_not_found", 404),
    );
  });
});

Deno.test("HLD-04 a hold waits for an erasure that is under way", async () => {
  const { sql } = database();
  const eraser = await sql.reserve();
  await eraser`begin`;
  await eraser`select private.lock_holds()`;
  await assert.rejects(
    undone(sql, async (tx) => {
      await tx`set local lock_timeout = '50ms'`;
      await tx`select private.lock_holds(true)`;
    }),
    { code: "55P03" },
  );
  await undone(sql, (tx) => tx`select private.lock_holds()`); // another erasure waits for nothing
  await eraser`rollback`;
  eraser.release();
});

Deno.test("EXP-01 a person gets everything known of them, and nobody else's values", async () => {
  await as(database().sql, "bob", async (tx) => {
    const [row] = await tx`select public.export_person(${bob.id}) as e`;
    const { user, assignments, sessions, events } = row!.e;
    assert.equal(user.email, "bob2@a.example");
    assert.deepEqual(assignments.map((one: { role_key: string }) => one.role_key), [
      "tenant_member",
    ]);
    assert.equal(sessions.length, 1);
    const of = (type: string) => events.filter((one: { type: string }) => one.type === type);
    assert.deepEqual(of("user.updated").map((one: { values: unknown }) => one.values), [
      {
        "data.after.email": "bob@a.example",
        "data.after.given_name": "Bob",
        "data.after.family_name": "Bee",
      },
      { "data.before.email": "bob@a.example", "data.after.email": "bob2@a.example" },
    ]);
    assert.equal(of("assignment.created").length, 1);
    assert.deepEqual(of("app.activated")[0].values, { "context.address": "10.9.9.9" });
    assert.equal(of("app.activated")[0].data, null);
    assert.doesNotMatch(JSON.stringify(row!.e), /alice|192\.0\.2\.1/);
  }, {
    arrange: async (tx) => {
      await arrangeBob(tx);
      await tx`
        select private.record_event(${tenants.A}, 'user.signed_out', ${
        tx.json([{ kind: "user", id: bob.id }])
      }, '{"session_id": "V1_1", "client_id": "1"}', ${tx.json({ kind: "user", id: alice.id })},
          null, '{"address": "192.0.2.1"}')`;
    },
  });
});

Deno.test("EXP-02 an administrator exports for their people, and after the erasure there is nothing left to tell", async () => {
  await as(database().sql, "alice", async (tx) => {
    const person = async () => (await tx`select public.export_person(${bob.id}) as e`)[0]!.e;
    assert.equal((await person()).user.email, "bob2@a.example");
    await erase(tx, bob.id);
    const text = JSON.stringify(await person());
    assert.doesNotMatch(text, /bob2?@a\.example|10\.9\.9\.9|Bee/);
  }, { arrange: arrangeBob });
});

/** The hook refuses the actor's next request, in this very transaction. */
async function refuses(tx: TransactionSql, actor: Actor, expected: object): Promise<void> {
  const held = claims(actor)!;
  await assert.rejects(
    tx.savepoint(async (s) => {
      await s`reset role`;
      await s`
        select set_config('request.jwt.claims', ${JSON.stringify(held)}, true),
          set_config('request.headers', ${JSON.stringify({ authorization: bearer(held) })}, true),
          set_config('role', 'anon', true)`;
      await s`select private.check_request()`;
    }),
    expected,
  );
  assert.equal(held.iss, issuer);
}
