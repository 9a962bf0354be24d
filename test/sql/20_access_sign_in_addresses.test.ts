// ZIT, REF, ERA: from where people sign in, and from where strangers try to; whose value that is, and when it goes.
import assert from "node:assert/strict";
import type { ISql, TransactionSql } from "postgres";
import { apps, as, people, tenants } from "../support/actors.ts";
import { asOwner, undone } from "../support/log.ts";
import { suiteDatabase } from "../support/suite.ts";

const database = suiteDatabase();
const organizationA = "340000000000000001";
const { bob, visitor } = people;
const browser = { ip: "192.0.2.41", description: "A browser", fingerprint_id: "f" };
const shown = { address: "192.0.2.41", user_agent: "A browser" };
let sequence = 0;

const startedAt = new Date(); // one moment for all, so that no minute ends meanwhile

const event = (type: string, aggregateId: string, payload: Record<string, unknown> = {}) => ({
  aggregateType: type.split(".")[0],
  aggregateId,
  type,
  createdAt: startedAt.toISOString(),
  resourceOwner: organizationA,
  editorUserId: "1",
  sequence: ++sequence,
  payload,
});

const begun = (agent: Record<string, unknown> = browser) =>
  event("session.added", "500", { user_agent: agent });
const signedIn = (subject: string = visitor.subject) =>
  event("oidc_session.added", `V2_${++sequence}`, {
    userID: subject,
    userResourceOwner: organizationA,
    sessionID: "500",
    clientID: apps.A.clientId,
    authMethods: ["password"],
  });
const wrongPassword = (subject: string = bob.subject) =>
  event("user.human.password.check.failed", subject);

const ingest = (tx: ISql, ...events: object[]) =>
  tx`select private.ingest_zitadel_events(${tx.json(events as never)})`;

/** As functions/widget tells of a refusal; without a reason ZITADEL has an event for it. */
const tell = (tx: ISql, { reason = null, address = "198.51.100.9", at = startedAt }: {
  reason?: string | null;
  address?: string;
  at?: Date;
} = {}) =>
  tx`select private.count_refused_sign_in(${tenants.A}, ${bob.subject}, null, ${reason}, ${at},
    ${tx.json({ address, user_agent: "A tool", client_id: apps.A.clientId })})`;

async function record(tx: ISql): Promise<void> {
  await tx`update private.refused_sign_ins set minute_at = minute_at - interval '2 minutes'`;
  await tx`select private.record_refused_sign_ins()`;
}

interface Found {
  stored: Record<string, unknown>;
  whole: Record<string, unknown>;
  data: Record<string, unknown>;
  owner: string | null;
}

const found = async (tx: ISql, type: string): Promise<Found[]> => [
  ...await tx<Found[]>`
    select e.context as stored, private.with_personal(e) -> 'context' as whole, e.data,
           (select p.user_id from private.audit_personal p where p.event_id = e.id) as owner
      from public.audit_events e where e.type = ${type} order by e.recorded_at`,
];

const addressesIn = async (tx: ISql, address: string): Promise<number> => {
  let count = 0;
  for (
    const table of [
      "private.audit_personal",
      "private.zitadel_session_agents",
      "private.refused_sign_ins",
      "private.refused_sign_in_origins",
      "private.zitadel_events_refused",
      "public.audit_events",
    ]
  ) {
    const rows = await tx.unsafe(`select x::text as row from ${table} x`);
    count += rows.filter(({ row }) => row.includes(address)).length;
  }
  return count;
};

Deno.test("ZIT-18 a sign-in says from where its session was begun, beside the event", async () => {
  await undone(database().sql, async (tx) => {
    await ingest(tx, begun(), signedIn());
    const [one] = await found(tx, "user.signed_in");
    assert.deepEqual(one!.whole, {
      ...shown,
      auth_method: "password",
      client_id: apps.A.clientId,
    });
    assert.deepEqual([one!.stored.address, one!.stored.user_agent], [null, null]);
    assert.equal(one!.owner, visitor.id);
  });
});

Deno.test("ZIT-19 of a session without an address there is none; what is too long is cut", async () => {
  await undone(database().sql, async (tx) => {
    await ingest(tx, begun({ fingerprint_id: "f" }), signedIn());
    await ingest(tx, event("session.terminated", "500"));
    await ingest(tx, begun({ description: "x".repeat(5000) }), signedIn());
    const [without, long] = await found(tx, "user.signed_in");
    assert.deepEqual(without!.whole, { auth_method: "password", client_id: apps.A.clientId });
    assert.equal((long!.whole.user_agent as string).length, 300);
    assert.ok(!("address" in without!.stored));
  });
});

Deno.test("ZIT-20 the address of a session goes with the session, and after a day", async () => {
  await undone(database().sql, async (tx) => {
    const kept = async () => (await tx`select from private.zitadel_session_agents`).length;
    await ingest(tx, begun());
    assert.equal(await kept(), 1);
    await ingest(tx, event("session.terminated", "500"));
    assert.equal(await kept(), 0);
    await ingest(tx, begun());
    await record(tx);
    assert.equal(await kept(), 1);
    await tx`update private.zitadel_session_agents set added_at = added_at - interval '25 hours'`;
    await record(tx);
    assert.equal(await kept(), 0);
  });
});

for (const order of ["before", "after"] as const) {
  Deno.test(`REF-09 a wrong password says from where, when the page tells it ${order} ZITADEL's event is in`, async () => {
    await undone(database().sql, async (tx) => {
      if (order === "before") await tell(tx);
      await ingest(tx, wrongPassword(), wrongPassword());
      if (order === "after") await tell(tx);
      await tell(tx, { address: "198.51.100.10" }); // the first of the minute is kept
      await record(tx);
      const [one, ...more] = await found(tx, "user.sign_in_failed");
      assert.deepEqual(more, []);
      assert.deepEqual([one!.data.count, one!.data.reasons], [2, { password: 2 }]);
      assert.deepEqual(one!.whole, {
        address: "198.51.100.9",
        user_agent: "A tool",
        client_id: apps.A.clientId,
      });
      assert.ok(!JSON.stringify(one!.stored).includes("198.51.100.9"));
    });
  });
}

Deno.test("REF-10 what the page tells alone is no refusal, helps no later minute and nobody else, and is forgotten", async () => {
  await undone(database().sql, async (tx) => {
    await tell(tx, { at: new Date(+startedAt - 120_000) });
    await ingest(tx, wrongPassword(), wrongPassword(people.alice.subject));
    await record(tx);
    const all = await found(tx, "user.sign_in_failed");
    assert.deepEqual(all.map(({ whole }) => whole), [{}, {}]);
    await tell(tx, { at: new Date(+startedAt + 180_000) }); // a later minute's takes the place
    assert.equal((await tx`select from private.refused_sign_in_origins`).length, 1);
    await tx`update private.refused_sign_in_origins set seen_at = seen_at - interval '14 minutes'`;
    await record(tx);
    assert.equal((await tx`select from private.refused_sign_in_origins`).length, 0);
    assert.equal((await found(tx, "user.sign_in_failed")).length, 2);
  });
});

Deno.test("ERA-11 the address of who tried bob's account is his to be erased: on record, waiting, and of his sessions", async () => {
  const arrange = async (tx: TransactionSql) => {
    await ingest(tx, wrongPassword());
    await tell(tx, { reason: "account_refused" });
    await record(tx);
    const [one] = await found(tx, "user.sign_in_failed");
    assert.equal(one!.owner, bob.id);
    await tell(tx, { reason: "account_refused" });
    await tell(tx);
    await ingest(
      tx,
      begun({ ip: "198.51.100.9" }),
      event("session.user.checked", "500", { userID: bob.subject }),
    );
    assert.ok(await addressesIn(tx, "198.51.100.9") >= 4);
  };
  await as(database().sql, "alice", async (tx) => {
    await tx`select public.erase_person(${bob.id})`;
    await asOwner(tx, async () => {
      assert.equal(await addressesIn(tx, "198.51.100.9"), 0);
      await record(tx);
      assert.equal((await found(tx, "user.sign_in_failed")).length, 2, "the events stay");
      assert.equal(await addressesIn(tx, "198.51.100.9"), 0);
    });
  }, { arrange });
});

Deno.test("ERA-12 another's address stays when bob is erased", async () => {
  const arrange = async (tx: TransactionSql) => {
    await ingest(tx, begun(), signedIn(), wrongPassword(visitor.subject));
    await tx`update private.refused_sign_ins set context = '{"address": "192.0.2.41"}'`;
  };
  await as(database().sql, "alice", async (tx) => {
    await tx`select public.erase_person(${bob.id})`;
    await asOwner(tx, async () => {
      await record(tx);
      assert.equal((await found(tx, "user.signed_in"))[0]!.whole.address, "192.0.2.41");
      assert.equal((await found(tx, "user.sign_in_failed"))[0]!.whole.address, "192.0.2.41");
    });
  }, { arrange });
});
