// SNK: nothing that a tenant records holds a sink for ever, and what a sink never gets is on record.
import assert from "node:assert/strict";
import type { TransactionSql } from "postgres";
import { arrangeCast, as, people, platform, refusal, tenants } from "../support/actors.ts";
import { createDatabase } from "../support/database.ts";
import { asOwner, eventsOf, undone } from "../support/log.ts";
import { suiteDatabase } from "../support/suite.ts";
import { dropSigned } from "./retention_log.ts";
import { all, claim, ids, type Label, sequence, settle, sink, state } from "./sink_cases.ts";
import { emit } from "./webhook_cases.ts";

const database = suiteDatabase();
const megabyte = 1_048_576;

/** One event of so many bytes and a little more; nothing of it compresses away. */
const large = (tx: TransactionSql, bytes: number, tenant = tenants.A) =>
  tx`
  select private.record_event(${tenant}, 'app.updated', '[{"kind": "test"}]', jsonb_build_object('text', (
    select string_agg(md5(n::text), '') from generate_series(1, ${Math.ceil(bytes / 32)}) n)))`;

/** How often this transaction has looked up an event. */
const probes = async (tx: TransactionSql): Promise<number> =>
  (await tx`select sum(idx_scan)::int as n from pg_stat_xact_all_tables
    where relname like 'audit_events_%'`)[0]!.n;

const refusedEvent = (seq: number) => ({
  seq,
  id: "01990000-0000-7000-8000-0000000000d1",
  tenant_id: tenants.A,
  type: "app.updated",
  size_bytes: 900_000,
});
const refuse = (tx: TransactionSql, label: Label, seq: number) =>
  tx`update public.audit_sinks set state = 'failing', failures = 4, next_attempt_at = now() + '5 min',
       last_error = ${tx.json({ slug: "batch_too_large", event: refusedEvent(seq) })}
     where id = ${ids[label]}`;
const skip = (tx: TransactionSql, tenant: string, id: string, seq: number) =>
  tx`select public.skip_audit_sink_event(${tenant}, ${id}, ${seq}) as s`;

Deno.test("SNK-30 a claim takes no more than so many bytes, one event at least, and checkpoints with the last", async () => {
  await undone(database().sql, async (tx) => {
    await sink(tx, "A");
    await large(tx, 400_000);
    await large(tx, 400_000);
    await large(tx, 2_000_000);
    await emit(tx, 3);
    await sequence(tx);
    await tx`insert into private.audit_checkpoints (tenant_id, size, root, note)
      values (${tenants.A}, 6, '\\x00', 'note')`;
    const taken: [number, number][] = [];
    for (let one; (one = await claim(tx, "A", 500, megabyte));) {
      taken.push([one.events.length, one.checkpoints.length]);
      assert.equal(one.toSeq, one.events.at(-1)!.seq);
      await settle(tx, "A", one.fromSeq, one.toSeq, one.checkpoints);
    }
    assert.deepEqual(taken, [[2, 0], [1, 0], [3, 1]]);
  });
});

Deno.test("SNK-31 hundreds of events of 800 kB hold neither the tenant's sink nor the platform's", async () => {
  await undone(database().sql, async (tx) => {
    await sink(tx, "A");
    await sink(tx, "P");
    await tx`update public.audit_sinks set cursor_seq = private.seq_before(${platform}, null)`;
    // 400 of them pass the 256 MB that a jsonb may be. They compress well: their size is what counts, not what they take.
    await tx`
      select private.record_event(${tenants.A}, 'provider.updated', '[{"kind": "test"}]',
          jsonb_build_object('metadata', repeat('x', 800000)))
        from generate_series(1, 400)`;
    await sequence(tx);
    for (const label of ["A", "P"] as const) {
      const before = await probes(tx);
      const { events } = (await claim(tx, label, 500, megabyte))!;
      assert.equal(events.length, 1, label);
      assert.ok(await probes(tx) - before < 10, "the rest is not read either");
    }
  });
});

Deno.test("SNK-32 alice has the event skipped that her receiver refuses, by its seq; the log says which", async () => {
  await as(database().sql, "alice", async (tx) => {
    const [row] = await tx`
      select cursor_seq::int as cursor, (last_error -> 'event' ->> 'seq')::int as seq
        from public.audit_sinks where id = ${ids.A}`;
    const { cursor, seq } = row as never as { cursor: number; seq: number };
    for (const other of [cursor, seq + 1]) {
      await assert.rejects(
        tx.savepoint((s) => skip(s, tenants.A, ids.A, other)),
        refusal("sink_event_not_refused", 409),
      );
    }
    assert.equal((await skip(tx, tenants.A, ids.A, seq))[0]!.s.cursorSeq, seq);
    await assert.rejects(
      tx.savepoint((s) => skip(s, tenants.A, ids.A, seq)),
      refusal("sink_event_not_refused", 409),
      "not twice",
    );
    await assert.rejects(
      tx.savepoint((s) => skip(s, tenants.A, ids.E, seq)),
      refusal("sink_not_found", 404),
    );
    await asOwner(tx, async () => {
      const now = await state(tx, "A");
      assert.deepEqual([now.cursor_seq, now.failures, now.last_error], [seq, 0, null]);
      const [event] = await eventsOf(tx, tenants.A, "audit_sink.event_skipped");
      assert.deepEqual(event!.data, refusedEvent(seq));
      await sequence(tx);
      assert.ok((await claim(tx, "A"))!.events.every((one) => one.seq > seq), "it goes on");
    });
  }, {
    arrange: async (tx) => {
      await sink(tx, "A");
      await emit(tx, 3);
      await sequence(tx);
      await refuse(tx, "A", (await state(tx, "A")).cursor_seq + 1);
    },
  });
});

Deno.test("SNK-33 what fails for another reason is not skipped, and strangers, members and auditors skip nothing", async () => {
  const arrange = async (tx: TransactionSql) => {
    await sink(tx, "A");
    await sink(tx, "P");
    await refuse(tx, "A", (await state(tx, "A")).cursor_seq + 1);
    await refuse(tx, "P", (await state(tx, "P")).cursor_seq + 1);
  };
  for (const actor of ["eve", "bob", "audrey", "mallory"] as const) {
    await as(database().sql, actor, async (tx) => {
      await assert.rejects(
        tx.savepoint((s) => skip(s, tenants.A, ids.A, 1)),
        refusal("not_allowed", 403),
        actor,
      );
    }, { arrange });
  }
  await as(database().sql, "alice", async (tx) => {
    await assert.rejects(
      tx.savepoint((s) => skip(s, platform, ids.P, 1)),
      refusal("not_allowed", 403),
    );
    await asOwner(
      tx,
      () => tx`update public.audit_sinks set last_error = '{"slug": "receiver_refused"}'`,
    );
    const [row] = await tx`select cursor_seq::int + 1 as next from public.audit_sinks`;
    await assert.rejects(
      tx.savepoint((s) => skip(s, tenants.A, ids.A, row!.next)),
      refusal("sink_event_not_refused", 409),
    );
  }, { arrange });
});

/**
 * A log of its own whose January 2020 retention has dropped: 4 events of A and 2 of E, then what is of now. `cursor`: what
 * the sinks had taken by then.
 */
async function dropped(cursor: number) {
  const log = await createDatabase();
  const { sql } = log;
  await sql.unsafe(
    `create table private.audit_events_2020_01 partition of public.audit_events
       for values from ('2020-01-01') to ('2020-02-01');
     alter table private.audit_events_2020_01 owner to gatehouse_migrator`,
  );
  for (const [tenant, day, count] of [[tenants.A, 5, 4], [tenants.E, 6, 2]] as const) {
    await sql`
      insert into public.audit_events
        (tenant_id, recorded_at, type, occurred_at, actor, targets, data, context)
      select ${tenant}, at, 'app.activated', at, '{"kind": "system", "id": "worker"}', '[]',
             '{"client_id": null}', '{}'
        from (select make_timestamptz(2020, 1, ${day}, 0, 0, n, 'UTC') as at
                from generate_series(1, ${count}) n) e`;
  }
  // Old events first, whatever made the template: what this log begins with is of now.
  await sql`select private.sequence_events(1000)`;
  await sql`insert into public.tenants (id, slug, name)
    values (${tenants.A}, 'a1', 'A'), (${tenants.E}, 'e1', 'E')`;
  await sql`select private.sequence_events(1000)`;
  await sql`select private.seal_events(1000)`;
  await sql`update private.audit_trees set signed_size = size`;
  const old = await sql<{ seq: number }[]>`
    select s.seq::int from private.audit_sequence s where s.recorded_at < '2020-02-01' order by 1`;
  for (const label of ["A", "E", "P"] as const) {
    await sql`
      insert into public.audit_sinks (tenant_id, id, name, kind, settings, cursor_seq)
      values (${all[label]}, ${ids[label]}, 'sink', 'http', '{"url": "https://r.example/"}',
        ${old[0]!.seq - 1 + cursor})`;
  }
  await sql`update public.settings set value = '31' where key = 'audit.retention_days'`;
  const done = await dropSigned(sql, log.connect("gatehouse_worker"));
  assert.deepEqual([done?.outcome, done?.events], ["dropped", 6]);
  await sql`select private.sequence_events(1000)`;
  return { ...log, sql, first: old[0]!.seq, [Symbol.asyncDispose]: () => log.drop() };
}

Deno.test("SNK-34 what retention dropped before a sink had it is on record, once a month and sink, with the range", async () => {
  await using log = await dropped(2);
  const note = async (label: Label, { drops }: { drops: unknown[] }) => {
    const tenant = all[label];
    await log.connect("gatehouse_worker")`
      select private.note_dropped_events(${tenant}, ${ids[label]}, ${
      log.sql.json(drops as never)
    })`;
    return await log.sql`
      select data, targets from public.audit_events
       where tenant_id = ${tenant} and type = 'audit_sink.events_dropped'`;
  };
  const range = (from: number, to: number) => ({
    recorded_until: "2020-02-01T00:00:00+00:00",
    from_seq: log.first + from,
    to_seq: log.first + to,
  });
  const claimed = async (label: Label) =>
    (await log.sql.begin((tx) => claim(tx as TransactionSql, label)))!;
  const expected = { A: range(2, 3), E: range(4, 5), P: range(2, 5) };
  for (const label of ["A", "E", "P"] as const) {
    const one = await claimed(label);
    assert.ok(one.events.length > 0, "what is left comes");
    const noted = await note(label, one);
    assert.deepEqual(noted.map(({ data }) => data), [expected[label]], label);
    assert.deepEqual(noted[0]!.targets, [{ kind: "audit_sink", id: ids[label] }]);
    assert.deepEqual((await claimed(label)).drops, [], "noted once");
    assert.equal((await note(label, one)).length, 1, "also by two workers");
  }
});

Deno.test("SNK-35 a month that went after a sink had it is no loss, also where it is rewound", async () => {
  await using log = await dropped(6);
  for (const label of ["A", "E", "P"] as const) {
    await log.sql`
      update public.audit_sinks set cursor_seq = private.seq_before(tenant_id, '-infinity')
       where id = ${ids[label]}`;
    const one = await log.sql.begin((tx) => claim(tx as TransactionSql, label));
    assert.deepEqual(one!.drops, [], label);
  }
});

Deno.test("SNK-36 how far a sink is behind counts what the sequencer does not get to while a transaction is held", async () => {
  await using log = await createDatabase();
  const { sql } = log;
  await arrangeCast(sql);
  for (const label of ["A", "E", "P"] as const) {
    await sql`
      insert into public.audit_sinks (tenant_id, id, name, kind, settings)
      values (${all[label]}, ${ids[label]}, 'sink', 'http', '{"url": "https://r.example/"}')`;
  }
  await sql`select private.sequence_events(1000)`;
  await sql`update public.audit_sinks set cursor_seq = private.seq_before(tenant_id, null)`;
  const lag = async (label: Label) =>
    await sql.begin(async (tx) => {
      await tx`select set_config('gatehouse.principal_id', ${people.pat.id}, true),
        set_config('gatehouse.client_kind', 'portal', true)`;
      const [row] = await tx`
        select public.sink_lag(s) as lag from public.audit_sinks s where id = ${ids[label]}`;
      return row!.lag as { events: number; seconds: number };
    });
  const held = await sql.reserve();
  await held`begin`;
  await held`select pg_current_xact_id()`;
  for (let n = 0; n < 5; n++) {
    await sql`
      select private.record_event(${
      n < 3 ? tenants.A : tenants.E
    }, 'app.activated', '[{"kind": "test"}]',
        '{"client_id": null}')`;
  }
  assert.equal((await sql`select private.sequence_events(1000) as n`)[0]!.n, 0, "it is held");
  const counts =
    async () => [(await lag("A")).events, (await lag("E")).events, (await lag("P")).events];
  assert.deepEqual(await counts(), [3, 2, 5]);
  await new Promise((resolve) => setTimeout(resolve, 1_100));
  assert.ok((await lag("A")).seconds >= 2, "and its age");
  await held`commit`;
  held.release();
  await sql`select private.sequence_events(1000)`;
  assert.deepEqual(await counts(), [3, 2, 5], "none twice");
  for (const label of ["A", "E", "P"] as const) {
    await sql`update public.audit_sinks set cursor_seq = private.seq_before(tenant_id, null)
      where id = ${ids[label]}`;
  }
  assert.deepEqual(await counts(), [0, 0, 0]);
});
