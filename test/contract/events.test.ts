// The event store: order, paging, late arrivals, and what never leaves the adapter.
import assert from "node:assert/strict";
import { RunningDouble } from "./double.ts";
import { suite } from "./support.ts";

const open = suite();

Deno.test("a sign-in is on record: the user, the session, the application, in ZITADEL's words", async () => {
  const s = open();
  const tenant = await s.tenant("record");
  await s.signIn(tenant, tenant.userId);
  const added = (await s.eventsOf(tenant.orgId)).find((event) =>
    event.type === "oidc_session.added"
  )!;
  assert.equal(added.aggregateType, "oidc_session");
  assert.deepEqual(
    [added.payload.userID, added.payload.userResourceOwner, added.payload.clientID],
    [tenant.userId, tenant.orgId, tenant.clientId],
  );
  assert.match(added.createdAt, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3,9}Z$/);
  const { events } = await s.events.listEvents({ limit: 1000, aggregateTypes: ["session"] });
  const ofSession = events.filter((event) => event.aggregateId === added.payload.sessionID);
  assert.deepEqual(
    ofSession.map((event) => event.type).filter((type) => type.endsWith(".checked")),
    ["session.user.checked", "session.password.checked"],
  );
  assert.ok(
    ofSession.every((event) => event.resourceOwner !== tenant.orgId),
    "sessions belong to the instance",
  );
});

Deno.test("no hash, code or secret passes the reader, whatever the event", async () => {
  const s = open();
  const { userId, orgId, projectId } = await s.tenant("secrets");
  const users = "zitadel.user.v2.UserService";
  await s.asProvisioner.connect(users, "PasswordReset", { userId, returnCode: {} });
  await s.provisioner.setPassword(userId, "Other-Horse-8");
  const { id } = await s.provisioner.ensureMachine({
    orgId,
    userName: crypto.randomUUID(),
    name: "m",
  });
  await s.asProvisioner.connect(users, "AddSecret", { userId: id });
  await s.provisioner.ensureOidcApplication({
    projectId,
    id: crypto.randomUUID(),
    name: "with secret",
    kind: "web",
    redirectUris: ["https://shop.example/"],
    postLogoutUris: [],
    developmentMode: false,
    enabled: true,
  });
  const raw = await s.asProvisioner.rest<{ events: object[] }>("POST", "/admin/v1/events/_search", {
    asc: true,
    limit: 1000,
    resourceOwner: orgId,
  });
  assert.match(
    JSON.stringify(raw),
    /encodedHash|hashedSecret|Crypted/i,
    "ZITADEL itself does show them",
  );
  const events = await s.eventsOf(orgId);
  assert.ok(events.some((event) => event.type === "user.human.password.changed"));
  assert.doesNotMatch(JSON.stringify(events), /hash|crypted|secret"|scrypt|\$2/i);
});

Deno.test("a page starts after `from`, ascending, and says whether there may be more", async () => {
  const s = open();
  await s.tenant("paging");
  const all = (await s.events.listEvents({ limit: 1000 })).events;
  const moments = all.map((event) => event.createdAt);
  assert.deepEqual(moments, [...moments].sort());
  const middle = moments[Math.floor(moments.length / 2)]!;
  const rest = await s.events.listEvents({ from: middle, limit: 1000 });
  assert.deepEqual(
    rest.events.map(({ createdAt }) => createdAt),
    moments.filter((moment) => moment > middle),
  );
  assert.equal(rest.full, false);
  assert.equal(rest.nextFrom, moments.at(-1));
  const none = await s.events.listEvents({ from: moments.at(-1)!, limit: 10 });
  assert.deepEqual([none.events.length, none.nextFrom], [0, moments.at(-1)]);
});

Deno.test("pages that end inside one push lose nothing of it", async () => {
  const s = open();
  await s.tenant("cut");
  const all = (await s.events.listEvents({ limit: 1000 })).events;
  const key = (event: { aggregateId: string; sequence: string }) =>
    `${event.aggregateId}/${event.sequence}`;
  for (const limit of [1, 2, 3, 7]) {
    const seen = new Set<string>();
    let from: string | null = null;
    for (let pages = 0; pages <= all.length; pages++) {
      const page = await s.events.listEvents({ from, limit });
      page.events.forEach((event) => seen.add(key(event)));
      from = page.nextFrom;
      if (!page.full) break;
    }
    assert.ok(all.every((event) => seen.has(key(event))), `pages of ${limit}`);
  }
});

Deno.test("an event may show late, with the early moment it has: an overlapping window finds it", async () => {
  const s = open();
  if (!(s.instance instanceof RunningDouble)) return; // nobody can make a real one be late at will
  const { orgId, userId } = await s.tenant("late");
  await s.settle();
  const cursor = (await s.events.listEvents({ limit: 1000 })).nextFrom!;
  await s.instance.turn({ lateMs: 600 });
  await s.provisioner.ensureUserState(userId, "inactive");
  await s.provisioner.ensureOrganizationState(orgId, "inactive");
  const early = await s.events.listEvents({ from: cursor });
  assert.deepEqual(early.events.map((event) => event.type), ["org.deactivated"]);
  await new Promise((resolve) => setTimeout(resolve, 700));
  assert.deepEqual(
    (await s.events.listEvents({ from: early.nextFrom })).events,
    [],
    "past it already",
  );
  const overlapping = await s.events.listEvents({ from: cursor });
  assert.deepEqual(overlapping.events.map((event) => event.type), [
    "user.deactivated",
    "org.deactivated",
  ]);
});

Deno.test("more than a thousand, or more types than ZITADEL takes, is refused before it is asked", async () => {
  const s = open();
  await assert.rejects(s.events.listEvents({ limit: 1001 }));
  await assert.rejects(
    s.events.listEvents({ eventTypes: Array.from({ length: 31 }, (_, n) => `t${n}`) }),
  );
  await assert.rejects(
    s.asProvisioner.rest("POST", "/admin/v1/events/_search", { asc: true, limit: 1001 }),
  );
});
