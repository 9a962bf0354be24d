// The worker's eyes on ZITADEL, against the double as a process: its event store and its keys.
import assert from "node:assert/strict";
import { pollEvents } from "../../functions/_worker/tasks/zitadel__poll_events.ts";
import { refreshKeys } from "../../functions/_worker/tasks/verification_keys__refresh.ts";
import { eventReader } from "../../functions/_shared/zitadel/event_reader.ts";
import { fetchJwks } from "../../functions/_shared/zitadel/keys.ts";
import { loginClient } from "../../functions/_shared/zitadel/login_client.ts";
import { provisioner } from "../../functions/_shared/zitadel/provisioner.ts";
import { RunningDouble } from "../contract/double.ts";
import { createDatabase, type TestDatabase } from "../support/database.ts";
import { sleep } from "./worker_support.ts";

const orgId = "019a0000-0000-7000-8000-0000000000aa";
const password = "Correct-Horse-7";

async function arrange(): Promise<{ database: TestDatabase; double: RunningDouble }> {
  const [database, double] = await Promise.all([createDatabase(), RunningDouble.start()]);
  await database.sql`
    select private.put_issuer(${double.issuer}, 'zitadel', 'gatehouse', ${
    double.issuer + "/oauth/v2/keys"
  })`;
  await database.sql`
    insert into tenants (slug, name, organization_id) values ('acme', 'Acme', ${orgId})`;
  return { database, double };
}

Deno.test("users and failed sign-ins of ZITADEL's event store are on record once, also those that show late", async () => {
  const { database, double } = await arrange();
  try {
    const { sql } = database;
    const zitadel = provisioner(double.config("provisioner"));
    await zitadel.ensureOrganization({ id: orgId, name: "Acme" });
    const person = (name: string) =>
      zitadel.ensureHuman({
        orgId,
        id: `user-${name}`,
        userName: name,
        email: `${name}@acme.example`,
        emailVerified: true,
        givenName: name,
        familyName: "Acme",
        password,
      });
    const context = {
      sql: database.connect("gatehouse_worker"),
      stopping: new AbortController().signal,
    };
    const poll = () => pollEvents(eventReader(double.config("event-reader")), context, 20);
    const users = async () =>
      (await sql`
        select subject, email, home_tenant_id is not null as at_home from users
         where subject like 'user-%' order by subject`)
        .map((row) => [row.subject, row.email, row.at_home]);
    const alice = ["user-alice", "alice@acme.example", true];
    const bob = ["user-bob", "bob@acme.example", true];
    const carol = ["user-carol", "carol@acme.example", true];

    await person("alice");
    await double.turn({ lateMs: 1_500 });
    await person("bob"); // stamped now, shown later
    await person("carol");
    await poll();
    assert.deepEqual(await users(), [alice, carol], "bob's event is not to be seen yet");
    await sleep(1_600);
    await poll();
    assert.deepEqual(await users(), [alice, bob, carol]);

    const login = loginClient({
      ...double.config("login-client"),
      platformOrganizationId: () => Promise.resolve("none"),
    });
    await assert.rejects(
      login.createSession({ userId: "user-bob", password: "wrong", lifetimeSeconds: 60 }),
    );
    const agent = { fingerprintId: "f", ip: "203.0.113.7", description: "a browser" };
    const session = await login.createSession({
      userId: "user-carol",
      password,
      lifetimeSeconds: 60,
      userAgent: agent,
    });
    for (let i = 0; i < 3; i++) await poll();
    const agents = await sql`
      select session_id, address, user_agent from private.zitadel_session_agents`;
    assert.deepEqual(agents.map((row) => ({ ...row })), [
      { session_id: session.sessionId, address: agent.ip, user_agent: agent.description },
    ]);
    await sql`update private.refused_sign_ins set minute_at = minute_at - interval '5 minutes'`;
    await context.sql`select private.record_refused_sign_ins()`;
    const failures = await sql`
      select t.slug from audit_events e join tenants t on t.id = e.tenant_id
       where e.type = 'user.sign_in_failed'`;
    assert.deepEqual(failures.map((row) => row.slug), ["acme"]);

    const log = JSON.stringify(await sql`select * from audit_events`);
    assert.ok(log.includes("user.created") && !log.includes(password));
    assert.ok(!/encodedHash|\$2[aby]\$|argon2|pbkdf2/i.test(log), "no hash reaches the log");
  } finally {
    await database.drop();
    await double.stop();
  }
});

Deno.test("keys follow the issuer; one that is down or shows none keeps the keys it had", async () => {
  const { database, double } = await arrange();
  try {
    const context = { sql: database.connect("gatehouse_worker") };
    const { issuer } = double;
    const fetchKeys = () => fetchJwks(double.config("provisioner"));
    const keys = async () =>
      (await context.sql`select issuer, kid, jwk from private.list_verification_keys()`)
        .filter((row) => row.issuer === issuer);
    await refreshKeys(context, fetchKeys);
    const before = await keys();
    assert.ok(before.length > 0);
    assert.ok(before.every(({ jwk }) => jwk.kty === "RSA" && jwk.d === undefined));
    await refreshKeys(context, () => Promise.resolve([]));
    assert.deepEqual(await keys(), before);
    await double.stopProcess();
    await assert.rejects(refreshKeys(context, fetchKeys), { code: "unavailable" });
    assert.deepEqual(await keys(), before);
  } finally {
    await database.drop();
    await double.stop();
  }
});
