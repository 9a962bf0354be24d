// ZIT: what ZITADEL did is taken in once, in order, and becomes users, sessions and events of the right tenant. As the worker calls it.
import assert from "node:assert/strict";
import type { TransactionSql } from "postgres";
import {
  apps,
  arrangeCast,
  as,
  people,
  platform,
  refusal,
  sam,
  tenants,
} from "../support/actors.ts";
import { eventsOf, undone } from "../support/log.ts";
import { createDatabase } from "../support/database.ts";
import { suiteDatabase } from "../support/suite.ts";

const database = suiteDatabase();
const organizationA = "340000000000000001";
let sequence = 0;

interface Given {
  aggregateType?: string;
  aggregateId?: string;
  type: string;
  createdAt?: string;
  sequence?: number;
  resourceOwner?: string;
  payload?: Record<string, unknown>;
}

const event = (given: Given) => ({
  aggregateType: given.type.split(".")[0],
  aggregateId: "900",
  createdAt: "2026-11-01T10:00:00.123456Z",
  resourceOwner: organizationA,
  editorUserId: "1",
  payload: {},
  sequence: ++sequence,
  ...given,
});

const signedIn = (given: Partial<Given> = {}) =>
  event({
    type: "oidc_session.added",
    aggregateId: `V2_${++sequence}`,
    payload: {
      userID: people.visitor.subject,
      userResourceOwner: organizationA,
      sessionID: "500",
      clientID: apps.A.clientId,
      authMethods: ["password"],
    },
    ...given,
  });

async function ingest(tx: TransactionSql, ...events: object[]): Promise<number> {
  await tx`set local role gatehouse_worker`;
  const [row] = await tx`select private.ingest_zitadel_events(${tx.json(events as never)}) as n`;
  await tx`reset role`;
  return row!.n;
}

Deno.test("ZIT-01 a sign-in is a session of the person's tenant and one event with the person as actor", async () => {
  await undone(database().sql, async (tx) => {
    assert.equal(await ingest(tx, signedIn()), 1);
    const [found] = await eventsOf(tx, tenants.A, "user.signed_in");
    assert.deepEqual(found!.actor, { kind: "user", id: people.visitor.id });
    assert.deepEqual(found!.data, {
      session_id: "500",
      client_id: apps.A.clientId,
      auth_methods: ["password"],
    });
    const [session] =
      await tx`select tenant_id, user_id, client_id, ended_at from public.sign_in_sessions where id = '500'`;
    assert.deepEqual({ ...session }, {
      tenant_id: tenants.A,
      user_id: people.visitor.id,
      client_id: apps.A.clientId,
      ended_at: null,
    });
    const [user] = await tx`select last_seen_at from public.users where id = ${people.visitor.id}`;
    assert.equal(user!.last_seen_at.toISOString(), "2026-11-01T10:00:00.123Z");
  });
});

Deno.test("ZIT-02 the same event twice, in one page or in an overlapping one, counts once", async () => {
  await undone(database().sql, async (tx) => {
    const one = signedIn();
    assert.equal(await ingest(tx, one, one), 1);
    assert.equal(await ingest(tx, one, signedIn()), 1);
    assert.equal((await eventsOf(tx, tenants.A, "user.signed_in")).length, 2);
  });
});

Deno.test("ZIT-03 two pollers at once take each event once", async () => {
  await using own = await createDatabase(); // what is committed here is not for the other tests
  await arrangeCast(own.sql);
  const pool = own.connect("gatehouse_worker", { max: 4 });
  const page = Array.from({ length: 50 }, () => signedIn({ resourceOwner: organizationA }));
  const counts = await Promise.all(
    [1, 2, 3, 4].map(() =>
      pool`select private.ingest_zitadel_events(${pool.json(page as never)}) as n`.then(([row]) =>
        row!.n
      )
    ),
  );
  assert.deepEqual(counts.sort(), [0, 0, 0, 50]);
});

Deno.test("ZIT-04 the cursor is the newest moment with its microseconds, and never goes back", async () => {
  await undone(database().sql, async (tx) => {
    const cursor = async () => (await tx`select private.zitadel_cursor() as at`)[0]!.at;
    assert.equal(await cursor(), null);
    await ingest(
      tx,
      signedIn({ createdAt: "2026-11-01T10:00:00.999999Z" }),
      signedIn({ createdAt: "2026-11-01T09:00:00Z" }),
    );
    assert.equal(await cursor(), "2026-11-01T10:00:00.999999Z");
    await ingest(tx, signedIn({ createdAt: "2026-10-01T10:00:00Z" }));
    await ingest(tx);
    assert.equal(await cursor(), "2026-11-01T10:00:00.999999Z");
  });
});

Deno.test("ZIT-05 a page with a fault leaves neither events nor a moved cursor", async () => {
  await undone(database().sql, async (tx) => {
    const broken = { ...signedIn(), createdAt: "yesterday-ish" };
    await assert.rejects(tx.savepoint((s) => ingest(s, signedIn(), broken)));
    assert.deepEqual(await eventsOf(tx, tenants.A, "user.signed_in"), []);
    assert.equal((await tx`select from private.zitadel_cursor`).length, 0);
  });
});

Deno.test("ZIT-06 an ended session is signed out for each of its clients, once", async () => {
  await undone(database().sql, async (tx) => {
    await ingest(
      tx,
      signedIn(),
      signedIn({ payload: { ...signedIn().payload, clientID: "other" } }),
    );
    const end = event({
      type: "session.terminated",
      aggregateId: "500",
      createdAt: "2026-11-01T11:00:00Z",
    });
    await ingest(tx, end, { ...end, sequence: ++sequence });
    const found = await eventsOf(tx, tenants.A, "user.signed_out");
    assert.deepEqual(
      found.map(({ data }) => data.client_id).sort(),
      [apps.A.clientId, "other"].sort(),
    );
    assert.deepEqual(found[0]!.targets, [{ kind: "user", id: people.visitor.id }]);
  });
});

Deno.test("ZIT-07 wrong passwords, codes and passkeys are counted, by account and reason; nothing is on record yet", async () => {
  await undone(database().sql, async (tx) => {
    const wrong = (what: string, who = people.bob.subject) =>
      event({ type: `user.human.${what}.check.failed`, aggregateId: who });
    await ingest(
      tx,
      wrong("password"),
      wrong("password"),
      wrong("mfa.otp"),
      wrong("mfa.u2f.token"),
      wrong("passwordless.token"),
      wrong("invite"), // no sign-in, nor is a code for registering a passkey
      wrong("passwordless.initialization.code"),
      wrong("password", people.alice.subject),
    );
    const counted = await tx`
      select user_id, count, reasons from private.refused_sign_ins order by count desc`;
    assert.deepEqual(counted.map(({ user_id, count, reasons }) => [user_id, count, reasons]), [
      [people.bob.id, 5, { password: 2, second_factor: 2, passkey: 1 }],
      [people.alice.id, 1, { password: 1 }],
    ]);
    assert.deepEqual(await eventsOf(tx, tenants.A, "user.sign_in_failed"), []);
  });
});

Deno.test("ZIT-08 a new person is mirrored into the tenant of the organization, an older event changes nothing", async () => {
  await undone(database().sql, async (tx) => {
    const added = event({
      type: "user.human.added",
      aggregateId: "901",
      payload: {
        userName: "nina@a",
        firstName: "Nina",
        lastName: "New",
        email: "nina@a.example",
        preferredLanguage: "de",
      },
    });
    const late = event({
      type: "user.human.profile.changed",
      aggregateId: "901",
      sequence: added.sequence - 1,
      payload: { firstName: "Old" },
    });
    const later = event({ type: "user.human.email.verified", aggregateId: "901" });
    await ingest(tx, added, late, later);
    const [user] = await tx`
      select home_tenant_id, login_name, given_name, email, email_verified, preferred_language, state from public.users where subject = '901'`;
    assert.deepEqual({ ...user }, {
      home_tenant_id: tenants.A,
      login_name: "nina@a",
      given_name: "Nina",
      email: "nina@a.example",
      email_verified: true,
      preferred_language: "de",
      state: "active",
    });
    const types = (await eventsOf(tx, tenants.A, "user.%")).filter(({ targets }) =>
      targets[0]!.kind === "user"
    ).map(({ type }) => type);
    assert.ok(types.includes("user.created"));
  });
});

Deno.test("ZIT-09 who is switched off in ZITADEL is refused on the next request, and back when switched on", async () => {
  const come = (...types: string[]) =>
    as(database().sql, "bob", (tx) => tx`select 1`, {
      arrange: (tx) =>
        ingest(tx, ...types.map((type) => event({ type, aggregateId: people.bob.subject }))),
    });
  for (const type of ["user.deactivated", "user.locked", "user.removed"]) {
    await assert.rejects(come(type), refusal("user_inactive", 401), type);
  }
  await come("user.deactivated", "user.reactivated");
  await come("user.locked", "user.unlocked");
});

Deno.test("ZIT-10 people of an organization nobody knows belong to the platform's log and to no tenant", async () => {
  await undone(database().sql, async (tx) => {
    await ingest(
      tx,
      event({
        type: "user.human.added",
        aggregateId: "902",
        resourceOwner: "999",
        payload: { userName: "x" },
      }),
    );
    const [user] = await tx`select home_tenant_id from public.users where subject = '902'`;
    assert.equal(user!.home_tenant_id, null);
    assert.equal(
      (await eventsOf(tx, platform, "user.created")).filter(({ data }) =>
        data.after!.subject === "902"
      ).length,
      1,
    );
  });
});

Deno.test("ZIT-11 machine users, tokens and types that tell us nothing are passed over", async () => {
  await undone(database().sql, async (tx) => {
    const [before] = await tx`select count(*)::int as n from public.users`;
    const [events] = await tx`select count(*)::int as n from public.audit_events`;
    await ingest(
      tx,
      event({ type: "user.machine.added", aggregateId: "903" }),
      event({ type: "user.pat.added", aggregateId: "903" }),
      event({ type: "project.added", aggregateId: "904" }),
    );
    assert.equal((await tx`select count(*)::int as n from public.users`)[0]!.n, before!.n);
    assert.equal((await tx`select count(*)::int as n from public.audit_events`)[0]!.n, events!.n);
  });
});

Deno.test("ZIT-12 a first sign-in of somebody not mirrored yet makes the row", async () => {
  await undone(database().sql, async (tx) => {
    await ingest(tx, signedIn({ payload: { ...signedIn().payload, userID: "905" } }));
    const [user] = await tx`select home_tenant_id from public.users where subject = '905'`;
    assert.equal(user!.home_tenant_id, tenants.A);
    await ingest(
      tx,
      event({ type: "user.human.added", aggregateId: "905", payload: { userName: "later" } }),
    );
    assert.equal(
      (await tx`select login_name from public.users where subject = '905'`)[0]!.login_name,
      "later",
    );
  });
});

Deno.test("ZIT-13 HTTP roles cannot tell us what ZITADEL did", async () => {
  for (const actor of ["alice", "pat", "anon"] as const) {
    await assert.rejects(
      as(database().sql, actor, (tx) => tx`select private.ingest_zitadel_events('[]')`),
      { code: "42501" },
    );
  }
});

const told: [type: string, recorded: string, data?: object][] = [
  ["user.deactivated", "user.deactivated"],
  ["user.reactivated", "user.reactivated"],
  ["user.locked", "user.locked"],
  ["user.unlocked", "user.unlocked"],
  ["user.removed", "user.removed"],
  ["user.human.email.verified", "user.email_verified"],
  ["user.human.password.changed", "user.password_changed", { change_required: false }],
  ["user.human.mfa.otp.verified", "user.factor_added", { factor: "totp" }],
  ["user.human.mfa.otp.removed", "user.factor_removed", { factor: "totp" }],
  ["user.human.mfa.otp.sms.added", "user.factor_added", { factor: "otp_sms" }],
  ["user.human.mfa.otp.sms.removed", "user.factor_removed", { factor: "otp_sms" }],
  ["user.human.mfa.otp.email.added", "user.factor_added", { factor: "otp_email" }],
  ["user.human.mfa.otp.email.removed", "user.factor_removed", { factor: "otp_email" }],
  ["user.human.mfa.u2f.token.verified", "user.factor_added", { factor: "u2f" }],
  ["user.human.mfa.u2f.token.removed", "user.factor_removed", { factor: "u2f" }],
  ["user.human.passwordless.token.verified", "user.factor_added", { factor: "passkey" }],
  ["user.human.passwordless.token.removed", "user.factor_removed", { factor: "passkey" }],
  ["user.human.mfa.recoverycode.added", "user.factor_added", { factor: "recovery_codes" }],
  ["user.human.mfa.recoverycode.removed", "user.factor_removed", { factor: "recovery_codes" }],
];

for (const [type, recorded, data = {}] of told) {
  Deno.test(`ZIT-14 ${type} is ${recorded}, by whom ZITADEL names`, async () => {
    await undone(database().sql, async (tx) => {
      const came = event({ type, aggregateId: people.bob.subject });
      await ingest(tx, { ...came, editorUserId: people.alice.subject });
      await ingest(tx, { ...came, editorUserId: people.alice.subject }); // once more: nothing
      const found = (await eventsOf(tx, tenants.A, "user.%")).filter(({ type }) =>
        type === recorded
      );
      assert.deepEqual(
        found.map(({ actor, targets, data }) => ({ actor, targets, data })),
        [{
          actor: { kind: "user", id: people.alice.id },
          targets: [{ kind: "user", id: people.bob.id }],
          data,
        }],
      );
    });
  });
}

Deno.test("ZIT-15 a factor that is only being set up is not on record", async () => {
  await undone(database().sql, async (tx) => {
    for (const what of ["mfa.otp", "mfa.u2f.token", "passwordless.token"]) {
      const type = `user.human.${what}.added`;
      await ingest(tx, event({ type, aggregateId: people.bob.subject }));
    }
    assert.deepEqual(await eventsOf(tx, tenants.A, "user.factor_%"), []);
  });
});

Deno.test("ZIT-16 who acted in ZITADEL is the person, the service or ZITADEL itself", async () => {
  await undone(database().sql, async (tx) => {
    for (const editorUserId of [people.pat.subject, sam.subject, "1"]) {
      const came = event({ type: "user.human.password.changed", aggregateId: people.bob.subject });
      await ingest(tx, { ...came, editorUserId, payload: { changeRequired: true } });
    }
    const found = await eventsOf(tx, tenants.A, "user.password_changed");
    assert.deepEqual(found.map(({ actor }) => actor), [
      { kind: "user", id: people.pat.id },
      { kind: "service", id: sam.id },
      { kind: "system", id: "zitadel" },
    ]);
    assert.deepEqual(found[0]!.data, { change_required: true });
  });
});

Deno.test("ZIT-17 what happens to a machine makes nobody a person", async () => {
  await undone(database().sql, async (tx) => {
    for (const type of ["user.deactivated", "user.removed", "user.username.changed"]) {
      await ingest(tx, event({ type, aggregateId: "906" }));
    }
    assert.equal((await tx`select from public.users where subject = '906'`).length, 0);
    assert.deepEqual(await eventsOf(tx, tenants.A, "user.removed"), []);
  });
});
