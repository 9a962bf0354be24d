// What ZITADEL did becomes the log, once: late, repeated and interrupted pages, against the real database.
import assert from "node:assert/strict";
import type postgres from "postgres";
import { pollEvents } from "../../functions/_worker/tasks/zitadel__poll_events.ts";
import type { EventReader, ZitadelEvent } from "../../functions/_shared/zitadel/types.ts";
import { createDatabase } from "../support/database.ts";

const organization = "org-acme";
const client = "acme-shop";

/** An event store that shows what it is told to, and answers as ZITADEL does: ascending, younger than `from`. */
class Store implements EventReader {
  events: ZitadelEvent[] = [];
  asked: (string | null | undefined)[] = [];
  /** The answer to this call, counted from one, is lost. */
  failAt = 0;

  listEvents({ from, limit = 500 }: { from?: string | null; limit?: number }) {
    this.asked.push(from);
    if (this.asked.length === this.failAt) return Promise.reject(new Error("connection lost"));
    const events = this.events
      .filter((event) => !from || micros(event.createdAt) > micros(from))
      .sort((a, b) => Number(micros(a.createdAt) - micros(b.createdAt)))
      .slice(0, limit);
    const last = events.at(-1)?.createdAt ?? null;
    const full = events.length === limit;
    const before = events.findLast((event) => event.createdAt !== last)?.createdAt ?? null;
    return Promise.resolve({ events, nextFrom: full ? before : last, full });
  }
}

function micros(text: string): bigint {
  const [, seconds, fraction = ""] = /^(.*?)(?:\.(\d+))?Z$/.exec(text)!;
  return BigInt(Date.parse(`${seconds}Z`)) * 1000n + BigInt(fraction.padEnd(6, "0"));
}

/** So many seconds after ten o'clock, with microseconds. */
const at = (seconds: number, microseconds = 123_456) =>
  new Date(Date.UTC(2026, 6, 1, 10, 0, seconds)).toISOString().replace(
    ".000Z",
    `.${String(microseconds).padStart(6, "0")}Z`,
  );

function signIn(n: number, createdAt: string): ZitadelEvent {
  return {
    aggregateType: "oidc_session",
    aggregateId: `V2_${n}`,
    sequence: "1",
    type: "oidc_session.added",
    createdAt,
    resourceOwner: organization,
    editorUserId: "alice",
    payload: {
      userID: "alice",
      userResourceOwner: organization,
      sessionID: `session-${n}`,
      clientID: client,
      authMethods: ["pwd"],
    },
  };
}

async function withStore(
  run: (store: Store, poll: (limit?: number) => Promise<void>, sql: postgres.Sql) => Promise<void>,
) {
  await using database = await createDatabase();
  const { sql } = database;
  await sql`select private.put_issuer('https://zitadel.test', 'zitadel', 'gatehouse', 'https://zitadel.test/keys')`;
  await sql`
    insert into tenants (slug, name, organization_id) values ('acme', 'Acme', ${organization})`;
  const store = new Store();
  const worker = database.connect("gatehouse_worker");
  const stopping = new AbortController().signal;
  await run(store, (limit) => pollEvents(store, { sql: worker, stopping }, limit), sql);
}

async function signIns(sql: postgres.Sql): Promise<string[]> {
  const rows = await sql`
    select data ->> 'session_id' as id from audit_events where type = 'user.signed_in'`;
  return rows.map((row) => row.id).sort();
}

Deno.test("an event that is shown again and again is one row", async () => {
  await withStore(async (store, poll, sql) => {
    store.events = [signIn(1, at(0)), signIn(2, at(1))];
    for (let i = 0; i < 3; i++) await poll();
    await Promise.all([poll(), poll(), poll()]);
    assert.deepEqual(await signIns(sql), ["session-1", "session-2"]);
    const [user] = await sql`select count(*)::int as n from users where subject = 'alice'`;
    assert.equal(user!.n, 1);
  });
});

Deno.test("an event that shows late, behind newer ones, is taken in", async () => {
  await withStore(async (store, poll, sql) => {
    store.events = [signIn(1, at(0)), signIn(3, at(40))];
    await poll();
    store.events.push(signIn(2, at(20)));
    await poll();
    assert.deepEqual(await signIns(sql), ["session-1", "session-2", "session-3"]);
  });
});

Deno.test("every page is read, also where a page ends inside one moment", async () => {
  await withStore(async (store, poll, sql) => {
    store.events = Array.from({ length: 47 }, (_, n) => signIn(n, at(Math.floor(n / 3), 5)));
    await poll(10);
    assert.equal((await signIns(sql)).length, 47);
    const asked = store.asked.length;
    await poll(10);
    assert.ok(store.asked.length - asked <= asked, "only the overlap is read again");
  });
});

Deno.test("a page that is lost leaves the cursor where it was; the next poll takes it in", async () => {
  await withStore(async (store, poll, sql) => {
    store.events = Array.from({ length: 30 }, (_, n) => signIn(n, at(n)));
    store.failAt = 2;
    await assert.rejects(poll(10));
    assert.equal((await signIns(sql)).length, 10);
    const [row] = await sql`select private.zitadel_cursor() as cursor`;
    assert.equal(row!.cursor, at(9));
    await poll(10);
    assert.equal((await signIns(sql)).length, 30);
  });
});

Deno.test("one event that cannot be taken in keeps its whole page out, cursor included", async () => {
  await withStore(async (store, poll, sql) => {
    store.events = [signIn(1, at(0))];
    await poll();
    store.events.push(signIn(2, at(1)), { ...signIn(3, at(2)), sequence: "not a number" });
    await assert.rejects(poll());
    assert.deepEqual(await signIns(sql), ["session-1"]);
    const [row] = await sql`select private.zitadel_cursor() as cursor`;
    assert.equal(row!.cursor, at(0));
  });
});
