// What would hold a sink for ever: a real worker process and real receivers.
import assert from "node:assert/strict";
import { eventually } from "../support/eventually.ts";
import { arrangeCast, people, platform } from "../support/actors.ts";
import { HttpReceiver, Sinks } from "./sinks_support.ts";
import { sleep } from "./worker_support.ts";

Deno.test("a sink says what holds it, and gets past it", async (t) => {
  await using bench = await Sinks.start();
  const { sql } = bench.database;
  await arrangeCast(sql);
  const worker = await bench.startWorker();
  const due = (id: string) => sql`update audit_sinks set next_attempt_at = now() where id = ${id}`;

  await t.step(
    "an event that is too large alone is named, waits with back-off, and is skipped on demand",
    async () => {
      await using receiver = new HttpReceiver();
      receiver.answer = ({ events }) =>
        new Response(null, { status: events.some(({ data }) => data.large) ? 413 : 204 });
      const id = await bench.addHttp(receiver);
      await bench.record("test.before", 5);
      await sql`
        select private.record_event(${bench.tenantId}, 'test.large', '[]', '{"large": true}')`;
      await bench.record("test.after", 5);
      await sql`
        insert into private.audit_checkpoints (tenant_id, size, root, note)
        values (${bench.tenantId}, 3, '\\x00', 'note')`;
      await eventually(
        "it names the event",
        async () => (await bench.state(id)).last_error?.event !== undefined,
      );
      const { state, failures, last_error: { slug, event }, due_in_seconds, cursor_seq } =
        await bench.state(id);
      assert.deepEqual([state, slug], ["failing", "batch_too_large"]);
      assert.ok(failures >= 1 && due_in_seconds > 0, "it rests");
      const [committed] = await sql`select id from audit_events where type = 'test.large'`;
      assert.deepEqual([event.id, event.type, event.tenant_id], [
        committed!.id,
        "test.large",
        bench.tenantId,
      ]);
      assert.ok(event.size_bytes > 100 && event.seq > Number(cursor_seq));
      assert.equal(receiver.events.filter(({ type }) => type === "test.before").length, 5);
      await sql.begin(async (tx) => {
        await tx`select set_config('gatehouse.principal_id', ${people.pat.id}, true),
          set_config('gatehouse.client_kind', 'portal', true)`;
        await tx`select public.skip_audit_sink_event(${platform}, ${id}, ${event.seq})`;
      });
      await eventually("it has the rest", () => bench.isDone(id));
      assert.equal(receiver.events.filter(({ type }) => type === "test.after").length, 5);
      assert.deepEqual(receiver.batches.flatMap(({ checkpoints }) => checkpoints).length, 1);
      await sql`update audit_sinks set enabled = false`;
    },
  );

  await t.step(
    "hundreds of events of 800 kB come through, in requests of about 1 MiB",
    async () => {
      await using receiver = new HttpReceiver();
      const id = await bench.addHttp(receiver);
      await sql`
      select private.record_event(${bench.tenantId}, 'test.metadata', '[]',
          jsonb_build_object('metadata', repeat('x', 800000)))
        from generate_series(1, 40)`;
      await eventually("it is taken", () => bench.isDone(id), 60_000);
      assert.ok(
        receiver.batches.every(({ events }) =>
          events.filter(({ type }) => type === "test.metadata").length <= 1
        ),
      );
      assert.equal(
        receiver.events.filter(({ type }) => type === "test.metadata").length,
        40,
      );
      await sql`update audit_sinks set enabled = false`;
    },
  );

  await t.step("a batch that cannot be read is a failure that is seen, and rests", async () => {
    await using receiver = new HttpReceiver();
    await sql`alter function private.with_personal(audit_events) rename to with_personal_gone`;
    const id = await bench.addHttp(receiver);
    await bench.record("test.unreadable");
    await eventually("it fails", async () => (await bench.state(id)).failures >= 2, 15_000);
    const { state, last_error, failures } = await bench.state(id);
    assert.deepEqual([state, last_error.slug], ["failing", "claim_failed"]);
    await sql`update audit_sinks set next_attempt_at = now() + '1 min' where id = ${id}`;
    await sleep(1_500);
    assert.ok((await bench.state(id)).failures <= failures + 1, "not every 500 ms");
    await sql`alter function private.with_personal_gone(audit_events) rename to with_personal`;
    await due(id);
    await eventually("it is taken", () => bench.isDone(id));
    assert.deepEqual([(await bench.state(id)).state, (await bench.state(id)).last_error], [
      "active",
      null,
    ]);
    assert.equal((await bench.state(id)).tenant_id, platform);
    await sql`update audit_sinks set enabled = false`;
  });

  assert.equal((await worker.signal("SIGTERM")).code, 0);
});
