// CUS: a tenant's own event says who acted and what it is about by name; who recorded it stays on record, and names go with the person.
import assert from "node:assert/strict";
import type { ISql, TransactionSql } from "postgres";
import { type Actor, as, people, platform, refusal, sam, tenants } from "../support/actors.ts";
import { asOwner } from "../support/log.ts";
import { suiteDatabase } from "../support/suite.ts";

const database = suiteDatabase();
const { alice, bob, eve, pat, visitor } = people;
const type = "custom.order.placed";
const headers = { "x-forwarded-for": "192.0.2.50", "user-agent": "Shop server" };

interface Given {
  targets?: unknown[];
  actor?: object | null;
  context?: object | null;
  tenant?: string;
}

const register = async (tx: ISql): Promise<void> => {
  await tx`insert into public.custom_event_types (tenant_id, name, schema)
    values (${tenants.A}, ${type}, '{}'), (${platform}, ${type}, '{}')`;
};

async function record(
  tx: TransactionSql,
  { targets = [{ kind: "order", id: "7" }], actor = null, context = null, tenant = tenants.A }:
    Given,
): Promise<string> {
  const json = (value: unknown) => value === null ? null : tx.json(value as never);
  const [row] = await tx`
    select private.record_custom_event(${tenant}, ${type}, 1, ${
    json(targets)
  }, '{}', null, null, '{}',
      ${json(actor)}, ${json(context)}) as answer`;
  return row!.answer.id;
}

interface Found {
  stored: { actor: object; targets: object[]; context: Record<string, unknown> };
  whole: { actor: object; targets: object[]; context: Record<string, unknown> };
}

const find = async (tx: ISql, id: string): Promise<Found> =>
  (await tx<[Found]>`
    select to_jsonb(e) as stored, private.with_personal(e) as whole
      from public.audit_events e where id = ${id}`)[0];

/** What stands in the log when `by` records it. */
const recorded = (by: Actor, given: Given, arrange = register) =>
  as(database().sql, by, async (tx) => {
    const id = await record(tx, given);
    return await asOwner(tx, () => find(tx, id));
  }, { arrange, headers });

const caller = { kind: "user", id: alice.id };

Deno.test("CUS-09 without an actor it is the caller, from where the request came", async () => {
  const { whole } = await recorded("alice", {});
  assert.deepEqual(whole.actor, caller);
  assert.deepEqual(whole.context.recorded_by, caller);
  assert.deepEqual([whole.context.address, whole.context.auth_method], [
    "192.0.2.50",
    "user_session",
  ]);
});

for (
  const [what, given, expected] of [
    ["a person of the tenant", { kind: "user", id: bob.id }, { kind: "user", id: bob.id }],
    ["a person by their sub", { kind: "user", id: bob.subject }, { kind: "user", id: bob.id }],
    ["a service of the tenant", { kind: "service", id: sam.id }, { kind: "service", id: sam.id }],
    ["a service by its sub", { kind: "service", id: sam.subject }, { kind: "service", id: sam.id }],
    ["somebody only the application knows", { kind: "user", id: "u-77" }, {
      kind: "user",
      id: "u-77",
    }],
  ] as const
) {
  Deno.test(`CUS-10 ${what} may be the actor; the caller stays on record, their address is not the actor's`, async () => {
    const { whole } = await recorded("alice", { actor: given });
    assert.deepEqual(whole.actor, expected);
    assert.deepEqual(whole.context.recorded_by, caller);
    for (const member of ["address", "user_agent", "auth_method"]) {
      assert.ok(!(member in whole.context), member);
    }
  });
}

for (
  const [what, actor] of [
    ["another tenant's person", { kind: "user", id: eve.id }],
    ["another tenant's person by their sub", { kind: "user", id: eve.subject }],
    ["another tenant's person as a service", { kind: "service", id: eve.id }],
    ["platform staff", { kind: "user", id: pat.id }],
    ["a person as a service", { kind: "service", id: bob.id }],
    ["a service as a person", { kind: "user", id: sam.id }],
    ["an operator", { kind: "operator", id: "postgres" }],
    ["the system", { kind: "system", id: "worker" }],
    ["nobody", { kind: "anonymous", id: null }],
    ["somebody without an id", { kind: "user" }],
    ["somebody of no kind", { id: bob.id }],
    ["an endless id", { kind: "user", id: "x".repeat(201) }],
  ] as const
) {
  Deno.test(`CUS-11 ${what} cannot be made the actor`, async () => {
    await assert.rejects(recorded("alice", { actor }), refusal("event_actor_refused", 422));
  });
}

Deno.test("CUS-12 names, metadata and where it came from stand beside the event, and readers see them", async () => {
  const given = {
    actor: { kind: "user", id: bob.id, name: "Bob Bee" },
    context: { address: "198.51.100.4", user_agent: "Shop/2" },
    targets: [
      { kind: "order", id: "7", name: "Chairs", metadata: { "a.b": "x", n: 1 } },
      { kind: "user", id: visitor.subject, name: "Vic" },
      { kind: "shelf", id: "1" },
    ],
  };
  const { stored, whole } = await recorded("alice", given);
  assert.deepEqual(whole.actor, given.actor);
  assert.deepEqual(whole.targets, given.targets);
  assert.deepEqual([whole.context.address, whole.context.user_agent], ["198.51.100.4", "Shop/2"]);
  assert.deepEqual(stored.actor, { kind: "user", id: bob.id, name: null });
  assert.deepEqual(stored.targets, [
    { kind: "order", id: "7", name: null, metadata: null },
    { kind: "user", id: visitor.subject, name: null },
    { kind: "shelf", id: "1" },
  ]);
  assert.deepEqual([stored.context.address, stored.context.user_agent], [null, null]);
});

Deno.test("CUS-13 who recorded it cannot be forged, in a context or by a header", async () => {
  const { whole } = await recorded("alice", {
    actor: { kind: "user", id: bob.id, recorded_by: "x", role: "admin" },
    context: { recorded_by: { kind: "user", id: bob.id }, request_id: "forged", address: "::1" },
  });
  assert.deepEqual(whole.context.recorded_by, caller);
  assert.deepEqual(whole.actor, { kind: "user", id: bob.id });
  assert.deepEqual([whole.context.request_id, whole.context.address], [undefined, "::1"]);
});

Deno.test("CUS-14 who lacks events.write names no actor either", async () => {
  const actor = { kind: "user", id: eve.id };
  for (const by of ["eve", "bob", "visitor"] as const) {
    await assert.rejects(recorded(by, { actor }), refusal("not_allowed", 403));
  }
  await assert.rejects(
    recorded("alice", { actor, tenant: platform }),
    refusal("not_allowed", 403),
  );
});

const named: Given = {
  actor: { kind: "user", id: visitor.subject, name: "Vic" },
  context: { address: "198.51.100.4" },
  targets: [{ kind: "user", id: bob.id, name: "Bob Bee", metadata: { team: "blue" } }],
};
/** Everything personal that is kept of tenants' own events. */
const kept = async (tx: ISql) =>
  (await tx`
    select p.slot, p.value from private.audit_personal p join public.audit_events e on e.id = p.event_id
     where e.type like 'custom.%' order by p.slot`).map(({ slot, value }) => [slot, value]);

Deno.test("CUS-15 erasing a person that an event names takes what it says of them, and no event changes", async () => {
  for (
    const [who, left] of [
      [bob.id, [["actor", { "context.address": "198.51.100.4" }]]],
      [visitor.id, []],
      [eve.id, null], // is not in it
    ] as const
  ) {
    await as(database().sql, "pat", async (tx) => {
      await asOwner(tx, async () => {
        const before = await kept(tx);
        assert.equal(before.length, 2);
        const log = () =>
          tx`select to_jsonb(e) as e from public.audit_events e where type like 'custom.%'`;
        const events = [...await log()];
        await tx`set local role gatehouse_platform`;
        await tx`select public.erase_person(${who})`;
        await tx`reset role`;
        assert.deepEqual(await kept(tx), left ?? before);
        assert.deepEqual([...await log()], events);
        assert.equal(
          (await tx`select from private.custom_event_persons`).length,
          left === null ? 2 : 0,
          "goes with the values",
        );
      });
    }, { arrange: recordedByAlice(named) });
  }
});

Deno.test("CUS-16 of somebody erased nothing personal is kept any more", async () => {
  await as(database().sql, "alice", async (tx) => {
    await tx`select public.erase_person(${bob.id})`;
    await record(tx, named);
    const actor = { kind: "user", id: bob.id, name: "Bob Bee" };
    const id = await record(tx, { actor, context: { address: "198.51.100.5" } });
    await asOwner(tx, async () => {
      assert.deepEqual(await kept(tx), [["actor", { "context.address": "198.51.100.4" }]], "Vic's");
      const { whole } = await find(tx, id);
      assert.deepEqual(whole.actor, { kind: "user", id: bob.id, name: null });
    });
  }, { arrange: register });
});

Deno.test("CUS-17 a person is told what events say of them, and nothing of others beside it", async () => {
  const valuesFor = (who: Actor, id: string) =>
    as(database().sql, who, async (tx) => {
      const [row] = await tx`select public.export_person(${id}) as all`;
      return row!.all.events.filter((one: { type: string }) => one.type === type)
        .map((one: { values: unknown }) => one.values);
    }, { arrange: recordedByAlice(named) });
  assert.deepEqual(await valuesFor("bob", bob.id), [{
    "targets.0.name": "Bob Bee",
    "targets.0.metadata": { team: "blue" },
  }]);
  assert.deepEqual(await valuesFor("visitor", visitor.id), [{
    "actor.name": "Vic",
    "context.address": "198.51.100.4",
  }]);
  await assert.rejects(valuesFor("eve", bob.id), refusal("not_allowed", 403));
});

Deno.test("CUS-18 a legal hold over the log that names a person stops erasing them", async () => {
  await assert.rejects(
    as(database().sql, "pat", (tx) => tx`select public.erase_person(${eve.id})`, {
      arrange: async (tx) => {
        await recordedByAlice({ targets: [{ kind: "user", id: eve.id, name: "Eve" }] })(tx);
        await tx`insert into public.legal_holds (tenant_id, reason) values (${tenants.A}, 'a case')`;
      },
    }),
    refusal("legal_hold", 409),
  );
});

/** In the same transaction, before another comes in. */
function recordedByAlice(given: Given) {
  return async (tx: TransactionSql) => {
    await register(tx);
    await tx`select set_config('gatehouse.principal_id', ${alice.id}, true),
      set_config('gatehouse.principal_kind', 'user', true)`;
    const json = (value: unknown) => value === undefined ? null : tx.json(value as never);
    await tx`
      select private.write_custom_event(${tenants.A}, ${type}, 1, ${
      json(given.targets)
    }, '{}', null,
        null, '{}', ${json(given.actor)}, ${json(given.context)})`;
  };
}
