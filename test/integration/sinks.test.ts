// From a committed event to what a sink has: a real worker process, real receivers, every kind of sink.
import assert from "node:assert/strict";
import { join } from "node:path";
import { authority } from "../unit/_shared/outbound_tls.ts";
import { receiveSyslog } from "../unit/sinks/receiver.ts";
import { HttpReceiver, Sinks } from "./sinks_support.ts";
import { eventually } from "../support/eventually.ts";
import { sleep } from "./worker_support.ts";

Deno.test("the log is fanned out", async (t) => {
  await using bench = await Sinks.start();
  const { sql } = bench.database;
  const worker = await bench.startWorker();

  await t.step(
    "a committed change is at every kind of sink within seconds, signed where it is HTTP",
    async () => {
      await using http = new HttpReceiver();
      await using tcp = receiveSyslog();
      const httpId = await bench.addHttp(http, { headers: { authorization: "Splunk token" } });
      const local = { host: "127.0.0.1", facility: 13, enterpriseId: 32473, confirm: true };
      const tcpId = await bench.add("syslog", { ...local, port: tcp.port, transport: "tcp" });
      const fileId = await bench.add("file", { maxBytes: 1_048_576, keep: 0 });
      await sql`update tenants set name = 'Acme ✓' where id = ${bench.tenantId}`;
      const [event] = await sql`
      select * from audit_events where type = 'tenant.updated' order by recorded_at desc limit 1`;
      for (const id of [httpId, tcpId, fileId]) {
        await eventually("it is taken", () => bench.isDone(id));
      }
      const sent = http.events.find(({ id }) => id === event!.id)!;
      assert.deepEqual([sent.type, sent.tenant_id, sent.data], [
        "tenant.updated",
        bench.tenantId,
        event!.data,
      ]);
      assert.equal(http.batches[0]!.headers.authorization, "Splunk token");
      const message = tcp.messages.find(({ text }) => text.includes(event!.id))!;
      assert.deepEqual(JSON.parse(message.text), sent);
      assert.deepEqual(tcp.faults, []);
      const file = await Deno.readTextFile(join(bench.dir, "audit/sinks", fileId, "events.jsonl"));
      const line = file.trimEnd().split("\n").map((text) => JSON.parse(text))
        .find(({ id }) => id === event!.id);
      assert.deepEqual(line, sent);
      await sql`update audit_sinks set enabled = false`;
    },
  );

  await t.step(
    "a sink with an authority of its own is reached over TLS, and only by its name",
    async () => {
      await using tls = receiveSyslog({ tls: true });
      // Nothing resolves receiver.test here, so the sink names the address, which the certificate does not.
      const id = await bench.add("syslog", {
        host: "127.0.0.1",
        port: tls.port,
        transport: "tls",
        ca: authority,
        facility: 13,
        enterpriseId: 32473,
        confirm: true,
      });
      await bench.record("test.tls");
      await eventually("it fails", async () => (await bench.state(id)).state === "failing");
      assert.equal((await bench.state(id)).last_error.slug, "tls_failed");
      assert.equal(tls.messages.length, 0);
      await sql`update audit_sinks set enabled = false`;
    },
  );

  await t.step(
    "rolled back is never sent, and a tenant's sink gets no other tenant's events",
    async () => {
      await using receiver = new HttpReceiver();
      const id = await bench.addHttp(receiver, { tenantId: bench.tenantId });
      const [other] =
        await sql`insert into tenants (slug, name) values ('other', 'Other') returning id`;
      await bench.record("test.other", 5, other!.id);
      await sql.begin(async (tx) => {
        await tx`select private.record_event(${bench.tenantId}, 'test.rolled_back', '[]', '{}')`;
        throw new Error("undone");
      }).catch(() => {});
      await bench.record("test.own", 3);
      await eventually("it is taken", () => bench.isDone(id));
      assert.ok(receiver.events.every(({ tenant_id }) => tenant_id === bench.tenantId));
      assert.deepEqual(
        receiver.events.filter(({ type }) => type.startsWith("test.")).map(({ type }) => type),
        ["test.own", "test.own", "test.own"],
      );
      await sql`update audit_sinks set enabled = false`;
    },
  );

  await t.step(
    "a refusing receiver is tried again with back-off and gets everything in the end",
    async () => {
      await using receiver = new HttpReceiver();
      receiver.answer = () => new Response(null, { status: 503, headers: { "retry-after": "60" } });
      const id = await bench.addHttp(receiver);
      await bench.record("test.refused", 20);
      await eventually("it fails", async () => (await bench.state(id)).state === "failing");
      const state = await bench.state(id);
      assert.equal(state.last_error.slug, "receiver_refused");
      assert.ok(state.due_in_seconds > 50, "retry-after is obeyed");
      await bench.record("test.refused", 5);
      await sleep(600);
      assert.equal(receiver.requests, 1, "it rests");
      receiver.answer = () => new Response("ok");
      await sql`update audit_sinks set next_attempt_at = now() where id = ${id}`;
      await eventually("it is taken", () => bench.isDone(id));
      assert.equal((await bench.state(id)).state, "active");
      const ids = receiver.events.filter(({ type }) => type === "test.refused").map(({ id }) => id);
      assert.deepEqual(ids.sort(), await bench.committed("test.refused"));
      await sql`update audit_sinks set enabled = false`;
    },
  );

  await t.step("413 makes batches smaller until they fit", async () => {
    await using receiver = new HttpReceiver();
    receiver.answer = ({ events }) =>
      new Response(null, { status: events.length > 30 ? 413 : 204 });
    const id = await bench.addHttp(receiver);
    await bench.record("test.large", 200);
    await eventually("it is taken", () => bench.isDone(id));
    assert.ok(receiver.batches.every(({ events }) => events.length <= 30));
    const ids = receiver.events.filter(({ type }) => type === "test.large").map(({ id }) => id);
    assert.deepEqual(ids.sort(), await bench.committed("test.large"));
    await sql`update audit_sinks set enabled = false`;
  });

  await t.step("a replay sends the same events under the same ids", async () => {
    await using receiver = new HttpReceiver();
    const id = await bench.addHttp(receiver);
    const [{ at }] = await sql<[{ at: Date }]>`select clock_timestamp() as at`;
    await bench.record("test.again", 50);
    await eventually("it is taken", () => bench.isDone(id));
    const first = receiver.events.filter(({ type }) => type === "test.again");
    await sql`
      update audit_sinks set cursor_seq = private.seq_before(tenant_id, ${at}) where id = ${id}`;
    await eventually("it is taken again", () => bench.isDone(id));
    const both = receiver.events.filter(({ type }) => type === "test.again");
    assert.equal(first.length, 50);
    assert.deepEqual(both.slice(50), first);
    await sql`update audit_sinks set enabled = false`;
  });

  await t.step(
    "a secret that does not open is our fault: nothing is sent, and the state says why",
    async () => {
      await using receiver = new HttpReceiver();
      const id = await bench.addHttp(receiver);
      await sql`update private.audit_sink_secrets set ciphertext = '\\x00' where sink_id = ${id}`;
      await bench.record("test.sealed");
      await eventually("it fails", async () => (await bench.state(id)).state === "failing");
      assert.equal((await bench.state(id)).last_error.slug, "secret_unusable");
      assert.equal(receiver.requests, 0);
      await sql`update audit_sinks set enabled = false`;
    },
  );

  await t.step("sinks that hang hold no other: it has all within seconds meanwhile", async () => {
    await using stuck = new HttpReceiver();
    await using quick = new HttpReceiver();
    await using deaf = receiveSyslog({ closes: false });
    stuck.answer = stuck.never;
    const stuckId = await bench.addHttp(stuck);
    const deafId = await bench.add("syslog", {
      host: "127.0.0.1",
      port: deaf.port,
      transport: "tcp",
      facility: 13,
      enterpriseId: 32473,
      confirm: true,
    });
    const quickId = await bench.addHttp(quick);
    for (let round = 0; round < 3; round++) {
      const began = Date.now();
      await bench.record("test.quick", 100);
      await eventually("the quick one has it", () => bench.isDone(quickId));
      assert.ok(Date.now() - began < 2_500, `after ${Date.now() - began} ms`);
    }
    assert.equal(quick.events.filter(({ type }) => type === "test.quick").length, 300);
    for (const id of [stuckId, deafId]) {
      assert.equal(await bench.isDone(id), false);
      const [{ lag }] = await sql<[{ lag: number }]>`
        select count(*)::int as lag from private.audit_sequence q, audit_sinks s
         where s.id = ${id} and q.seq > s.cursor_seq`;
      assert.ok(lag >= 300, "how far it is behind is visible");
    }
    await sql`update audit_sinks set enabled = false`;
  });

  assert.equal((await worker.signal("SIGTERM")).code, 0);
});

Deno.test("kill -9 of the worker at random moments: nothing is missing at any sink, repeats have the same id", async () => {
  await using bench = await Sinks.start();
  await using http = new HttpReceiver();
  await using tcp = receiveSyslog();
  http.answer = async () => {
    await sleep(60); // so that a kill finds a batch under way
    return new Response("ok");
  };
  const sinks = [
    await bench.addHttp(http),
    await bench.add("syslog", {
      host: "127.0.0.1",
      port: tcp.port,
      transport: "tcp",
      facility: 13,
      enterpriseId: 32473,
      confirm: true,
    }),
    await bench.add("file", { maxBytes: 200_000, keep: 0 }),
  ];
  let random = 7;
  const kills = Deno.env.has("FULL") ? 20 : 4;
  for (let kill = 0; kill < kills; kill++) {
    const worker = await bench.startWorker();
    await bench.record("test.killed", 1_500);
    random = (random * 1103515245 + 12345) % 2 ** 31;
    await sleep(300 + random % 900);
    await worker.signal("SIGKILL");
  }
  const worker = await bench.startWorker();
  for (const id of sinks) await eventually("it has everything", () => bench.isDone(id), 60_000);
  await worker.signal("SIGTERM");

  const expected = await bench.committed("test.killed");
  assert.equal(expected.length, kills * 1_500);
  const own = join(bench.dir, "audit/sinks", sinks[2]!);
  const files = [...Deno.readDirSync(own)].map(({ name }) => name).filter((name) =>
    name !== ".lock"
  );
  assert.ok(files.length > 1, "it was rotated");
  const lines = files.flatMap((name) =>
    Deno.readTextFileSync(join(own, name)).trimEnd().split("\n")
  );
  const got = {
    http: http.events,
    syslog: tcp.messages.map(({ text }) => JSON.parse(text)),
    file: lines.map((line) => JSON.parse(line)),
  };
  for (const [kind, events] of Object.entries(got)) {
    const mine = events.filter(({ type }) => type === "test.killed");
    assert.deepEqual([...new Set(mine.map(({ id }) => id))].sort(), expected, kind);
    const seqs = new Map(mine.map(({ id, seq }) => [id, seq]));
    assert.equal(new Set(seqs.values()).size, expected.length, `${kind}: an id keeps its place`);
  }
});
