// SNK: sinks are for who may; a cursor moves when a batch was taken, and only then.
import assert from "node:assert/strict";
import type { TransactionSql } from "postgres";
import { as, platform, refusal, tenants } from "../support/actors.ts";
import { asOwner, eventsOf, jobs, undone } from "../support/log.ts";
import { suiteDatabase } from "../support/suite.ts";
import { claim, findDue, ids, sequence, settle, sink, state } from "./sink_cases.ts";
import { asRole, emit } from "./webhook_cases.ts";

const database = suiteDatabase();
Deno.test("SNK-01 a tenant's sink gets the tenant's events in order, the platform's gets everybody's", async () => {
  await undone(database().sql, async (tx) => {
    await sink(tx, "A");
    await sink(tx, "P");
    await tx`update public.audit_sinks set cursor_seq = private.seq_before(${platform}, null)`;
    await emit(tx, 2, "app.updated", tenants.A);
    await emit(tx, 1, "app.updated", tenants.E);
    await emit(tx, 1, "app.created", tenants.A);
    await sequence(tx);
    const ofA = (await claim(tx, "A"))!;
    assert.deepEqual(ofA.events.map(({ type }) => type), [
      "app.updated",
      "app.updated",
      "app.created",
    ]);
    assert.ok(ofA.events.every(({ tenantId }) => tenantId === tenants.A));
    assert.equal(JSON.parse(ofA.events[0]!.text).id, ofA.events[0]!.id);
    const ofAll = (await claim(tx, "P"))!;
    assert.deepEqual(ofAll.events.map(({ tenantId }) => tenantId), [
      tenants.A,
      tenants.A,
      tenants.E,
      tenants.A,
    ]);
    const seqs = ofAll.events.map(({ seq }) => seq);
    assert.deepEqual(seqs, [...seqs].sort((a, b) => a - b));
  });
});

Deno.test("SNK-02 the cursor moves when a batch was taken; what was not settled comes again, and nothing twice after", async () => {
  await undone(database().sql, async (tx) => {
    await sink(tx, "A");
    await emit(tx, 5);
    await sequence(tx);
    const first = (await claim(tx, "A", 3))!;
    assert.deepEqual((await claim(tx, "A", 3))!.events, first.events);
    assert.equal(await settle(tx, "A", first.fromSeq, first.toSeq), true);
    assert.equal((await state(tx, "A")).cursor_seq, first.toSeq);
    const second = (await claim(tx, "A", 3))!;
    assert.equal(second.events.length, 2);
    assert.equal(await settle(tx, "A", second.fromSeq, second.toSeq), true);
    assert.equal(await claim(tx, "A"), null);
    const ids = [...first.events, ...second.events].map(({ id }) => id);
    assert.equal(new Set(ids).size, 5);
  });
});

Deno.test("SNK-03 moving the cursor makes no event; beginning and ceasing to fail makes one each", async () => {
  await undone(database().sql, async (tx) => {
    await sink(tx, "A");
    await emit(tx, 2);
    await sequence(tx);
    const fail = () =>
      asRole(
        tx,
        () =>
          tx`select private.settle_sink_failure(${tenants.A}, ${ids.A}, '{"slug": "timeout", "detail": "late"}', 0)`,
      );
    await fail();
    await fail();
    const { state: now, failures, last_error, due_in_seconds } = await state(tx, "A");
    assert.deepEqual([now, failures, last_error.slug], ["failing", 2, "timeout"]);
    assert.ok(due_in_seconds > 1 && due_in_seconds < 3, `${due_in_seconds} s`);
    assert.equal(await claim(tx, "A"), null, "it rests");
    assert.equal(await findDue(tx), 0);
    await tx`update public.audit_sinks set next_attempt_at = now()`;
    const { fromSeq, toSeq } = (await claim(tx, "A", 2))!;
    await settle(tx, "A", fromSeq, toSeq);
    assert.equal((await state(tx, "A")).last_error, null);
    const events = await eventsOf(tx, tenants.A, "audit_sink.updated");
    assert.deepEqual(events.map(({ data }) => data.after), [{ state: "failing" }, {
      state: "active",
    }]);
  });
});

Deno.test("SNK-04 the finder queues one job a sink with something to send, and none while one waits", async () => {
  await undone(database().sql, async (tx) => {
    await sink(tx, "A");
    await sink(tx, "E");
    await tx`update public.audit_sinks set cursor_seq = private.seq_before(${platform}, null)`;
    assert.equal(await findDue(tx), 0);
    await emit(tx, 3);
    await sequence(tx);
    assert.equal(await findDue(tx), 1);
    assert.equal(await findDue(tx), 0);
    assert.deepEqual((await jobs(tx, "audit__fan_out")).map(({ payload }) => payload), [
      { tenantId: tenants.A, id: ids.A },
    ]);
    await tx`update public.audit_sinks set enabled = false`;
    assert.equal(await claim(tx, "A"), null);
  });
});

Deno.test("SNK-05 rewound while a batch is under way: the batch moves nothing", async () => {
  await undone(database().sql, async (tx) => {
    await sink(tx, "A");
    const [{ at }] = await tx<[{ at: Date }]>`select clock_timestamp() as at`;
    await emit(tx, 4);
    await sequence(tx);
    const batch = (await claim(tx, "A"))!;
    assert.equal(await settle(tx, "A", batch.fromSeq, batch.toSeq), true);
    await emit(tx, 1);
    await sequence(tx);
    const under = (await claim(tx, "A"))!;
    await tx`update public.audit_sinks set cursor_seq = private.seq_before(tenant_id, ${at})`;
    assert.equal(await settle(tx, "A", under.fromSeq, under.toSeq), false);
    assert.equal((await claim(tx, "A"))!.events.length, 5);
  });
});

Deno.test("SNK-06 a checkpoint goes to the sinks of its tenant and of the platform, the newest only, once", async () => {
  await undone(database().sql, async (tx) => {
    for (const label of ["A", "E", "P"] as const) await sink(tx, label);
    await tx`update public.audit_sinks set cursor_seq = private.seq_before(${platform}, null)`;
    const add = (size: number, tenant: string) =>
      tx`
      insert into private.audit_checkpoints (tenant_id, size, root, note)
      values (${tenant}, ${size}, '\\x00', ${`note ${size}`})`;
    await add(1, tenants.A);
    await add(5, tenants.A);
    assert.equal(await findDue(tx), 2);
    assert.equal(await claim(tx, "E"), null);
    for (const label of ["A", "P"] as const) {
      const { checkpoints, fromSeq, toSeq, events } = (await claim(tx, label))!;
      assert.deepEqual(checkpoints.map(({ note }) => note), ["note 5"]);
      assert.deepEqual([events, fromSeq], [[], toSeq]);
      await settle(tx, label, fromSeq, toSeq, checkpoints);
      assert.equal(await claim(tx, label), null);
    }
    await add(9, tenants.A);
    await add(2, tenants.E);
    assert.deepEqual((await claim(tx, "P"))!.checkpoints.map(({ note }) => note), [
      "note 9",
      "note 2",
    ]);
  });
});

Deno.test("SNK-07 how far a sink is behind is told to who reads the log, to nobody else", async () => {
  const lag = async (tx: TransactionSql) =>
    (await tx`
      select public.sink_lag(s) as lag from public.audit_sinks s where id = ${ids.A}`)[0]?.lag;
  const arrange = async (tx: TransactionSql) => {
    await sink(tx, "A");
    await emit(tx, 7);
    await emit(tx, 3, "app.updated", tenants.E);
    await sequence(tx);
  };
  for (const actor of ["alice", "audrey", "pat"] as const) {
    await as(database().sql, actor, async (tx) => {
      const { events, seconds } = await lag(tx);
      assert.equal(events, 7, actor);
      assert.ok(seconds >= 0 && seconds < 5);
    }, { arrange });
  }
  await as(database().sql, "eve", async (tx) => {
    assert.equal(await lag(tx), undefined);
    await assert.rejects(
      tx.savepoint((s) =>
        s`select public.sink_lag(jsonb_populate_record(null::public.audit_sinks, ${
          s.json({ tenant_id: tenants.A, cursor_seq: 0 })
        }))`
      ),
      refusal("not_allowed", 403),
    );
  }, { arrange });
});

const create = (tx: TransactionSql, tenant: string, kind = "http") =>
  tx`
  select private.create_audit_sink(${tenant}, ${ids.A}, 'siem', ${kind},
    ${tx.json(kind === "http" ? { url: "https://siem.example/" } : { maxBytes: 1024, keep: 1 })},
    null, 'k1', '\\x01') as made`;

Deno.test("SNK-20 alice makes a sink of her tenant; the log tells it and never the secret", async () => {
  await as(database().sql, "alice", async (tx) => {
    const [row] = await create(tx, tenants.A);
    assert.equal(row!.made.kind, "http");
    assert.equal((await tx`select from public.audit_sinks`).length, 1);
    assert.ok(
      (await tx`select public.sink_lag(s) as lag from public.audit_sinks s`)[0]!.lag.events >= 0,
    );
    await asOwner(tx, async () => {
      const [event] = await eventsOf(tx, tenants.A, "audit_sink.created");
      assert.doesNotMatch(JSON.stringify(event), /ciphertext|x01/);
    });
  });
});

Deno.test("SNK-21 files, and sinks of the whole instance, are platform staff's alone", async () => {
  const { sql } = database();
  await assert.rejects(
    as(sql, "alice", (tx) => create(tx, platform)),
    refusal("not_allowed", 403),
  );
  for (const actor of ["alice", "pat"] as const) {
    await assert.rejects(as(sql, actor, (tx) => create(tx, tenants.A, "file")), {
      constraint_name: "sink_file_of_tenant",
    });
  }
  await as(sql, "pat", (tx) => create(tx, platform, "file"));
  await as(sql, "alice", async (tx) => {
    assert.equal((await tx`select from public.audit_sinks`).length, 0);
    assert.equal((await tx`update public.audit_sinks set enabled = false returning 1`).length, 0);
    await assert.rejects(
      tx.savepoint((s) => s`select public.rewind_audit_sink(${platform}, ${ids.P}, now())`),
      refusal("not_allowed", 403),
    );
  }, { arrange: (tx) => sink(tx, "P", "file") });
});

Deno.test("SNK-22 strangers, members and auditors make, change and rewind no sink; strangers see none", async () => {
  const arrange = (tx: TransactionSql) => sink(tx, "A");
  for (const actor of ["eve", "bob", "audrey", "mallory"] as const) {
    await as(database().sql, actor, async (tx) => {
      const seen = (await tx`select from public.audit_sinks`).length;
      assert.equal(seen, actor === "audrey" ? 1 : 0, actor);
      assert.equal((await tx`update public.audit_sinks set enabled = false returning 1`).length, 0);
      for (
        const attempt of [
          (s: TransactionSql) => create(s, tenants.A),
          (s: TransactionSql) => s`select public.rewind_audit_sink(${tenants.A}, ${ids.A}, now())`,
          (s: TransactionSql) => s`select public.skip_audit_sink_event(${tenants.A}, ${ids.A}, 1)`,
          (s: TransactionSql) => s`select private.open_sink_secret(${tenants.A}, ${ids.A})`,
          (s: TransactionSql) =>
            s`select private.rotate_sink_secret(${tenants.A}, ${ids.A}, 'k1', '\\x02', 60)`,
        ]
      ) {
        await assert.rejects(tx.savepoint(attempt), refusal("not_allowed", 403), actor);
      }
    }, { arrange });
  }
});

Deno.test("SNK-23 nobody but the worker claims or settles, and nobody writes a cursor or reads a secret", async () => {
  for (const actor of ["alice", "pat", "anon"] as const) {
    for (
      const call of [
        `select private.claim_sink_events('${tenants.A}', '${ids.A}', 1, 1)`,
        `select private.settle_sink_events('${tenants.A}', '${ids.A}', 0, 1, '[]')`,
        `select private.settle_sink_failure('${tenants.A}', '${ids.A}', '{}', 0)`,
        `select private.note_dropped_events('${tenants.A}', '${ids.A}', '[]')`,
        "select private.find_due_sinks(1)",
        "select ciphertext from private.audit_sink_secrets",
        "update public.audit_sinks set cursor_seq = 0",
        "update public.audit_sinks set settings = '{}'",
        `insert into public.audit_sinks (tenant_id, name, kind, settings) values ('${tenants.A}', 'x', 'http', '{"url": "https://x.example/"}')`,
        "delete from public.audit_sinks",
      ]
    ) {
      await assert.rejects(
        as(database().sql, actor, (tx) => tx.unsafe(call)),
        { code: "42501" },
        `${actor} ${call}`,
      );
    }
  }
});

Deno.test("SNK-24 alice rewinds her sink to a moment, and never forward; the log tells it", async () => {
  await as(database().sql, "alice", async (tx) => {
    const rewind = async (from: string) =>
      (await tx`select public.rewind_audit_sink(${tenants.A}, ${ids.A}, ${from}) as r`)[0]!.r;
    assert.equal((await rewind("2100-01-01T00:00:00Z")).cursorSeq, 0, "not past where it is");
    await asOwner(tx, async () => {
      assert.equal((await eventsOf(tx, tenants.A, "audit_sink.rewound")).length, 1);
      await tx`update public.audit_sinks set cursor_seq = (select max(seq) from private.audit_sequence)`;
    });
    await rewind("2000-01-01T00:00:00Z");
    await asOwner(tx, async () => {
      const { events } = (await claim(tx, "A", 1000))!;
      const [{ n }] = await tx<[{ n: number }]>`
        select count(*)::int as n from private.audit_sequence where tenant_id = ${tenants.A}`;
      assert.ok(n > 3);
      assert.equal(events.length, n);
    });
    await assert.rejects(
      tx.savepoint((s) => s`select public.rewind_audit_sink(${tenants.A}, ${ids.E}, now())`),
      refusal("sink_not_found", 404),
    );
  }, {
    arrange: async (tx) => {
      await emit(tx, 4);
      await sink(tx, "A");
      await tx`update public.audit_sinks set cursor_seq = 0`;
    },
  });
});

Deno.test("SNK-25 settings that are not of the kind are refused by the table", async () => {
  await undone(database().sql, async (tx) => {
    for (
      const [kind, settings] of [
        ["http", {}],
        ["http", { url: "https://x.example/", path: "/etc" }],
        ["syslog", { host: "x" }],
        ["syslog", {
          host: "x",
          port: 0,
          transport: "tcp",
          facility: 1,
          enterpriseId: 1,
          confirm: true,
        }],
        ["syslog", {
          host: "x",
          port: 514,
          transport: "udp",
          facility: 1,
          enterpriseId: 1,
          confirm: true,
        }],
        ["file", { maxBytes: 1 }],
        ["file", { maxBytes: 1024, keep: 0, path: "/etc/passwd" }],
      ] as [string, Record<string, never>][]
    ) {
      await assert.rejects(
        tx.savepoint((s) =>
          s`insert into public.audit_sinks (tenant_id, name, kind, settings) values (${platform}, 'x', ${kind}, ${
            s.json(settings)
          })`
        ),
        { constraint_name: "sink_settings_malformed" },
        JSON.stringify(settings),
      );
    }
  });
});
