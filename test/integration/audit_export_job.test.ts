// EXJ: what the job of an export tells while it is written, when it is stopped, and when the log is not sealed that far.
import assert from "node:assert/strict";
import { join } from "node:path";
import { type Actor, as, refusal, tenants } from "../support/actors.ts";
import { eventually } from "../support/eventually.ts";
import { arrange } from "./functions_support.ts";

Deno.test("an export's job", async (t) => {
  const arranged = await arrange();
  const { sql } = arranged.database;
  const dir = await Deno.makeTempDir({ prefix: "gatehouse-export-" });
  Deno.env.set("GATEHOUSE_AUDIT_DIR", dir);
  const { exportLog } = await import("../../functions/_worker/tasks/audit__export.ts");
  const worker = arranged.database.connect("gatehouse_worker");
  const run = (id: string, stop = new AbortController()) =>
    exportLog({ tenantId: tenants.A, id }, {
      sql: worker,
      now: () => new Date(),
      stopping: stop.signal,
    });
  const sequence = () => worker`select private.sequence_events(10000)`;
  const seal = () => worker`select private.seal_events(10000)`;
  const ask = async (format: string, secondsAgo = 0) => {
    const [row] = await sql<[{ id: string }]>`
      insert into audit_exports (tenant_id, format, requested_by, created_at)
      values (${tenants.A}, ${format}, '{"kind": "system", "id": "test"}',
        clock_timestamp() - make_interval(secs => ${secondsAgo})) returning id`;
    return row.id;
  };
  const row = async (id: string) => (await sql`select * from audit_exports where id = ${id}`)[0]!;
  const queued = async (id: string) =>
    (await sql`
      select attempts from graphile_worker.jobs where key = ${"audit__export:" + id}`).length;
  const record = (count: number) =>
    sql`select private.record_event(${tenants.A}, 'app.activated', '[]', '{"client_id": null}')
          from generate_series(1, ${count})`;

  /** Events of three minutes ago. */
  const recordOld = (count: number) =>
    sql`
    insert into audit_events
      (tenant_id, recorded_at, type, occurred_at, actor, targets, data, context)
    select ${tenants.A}, clock_timestamp() - interval '3 minutes', 'app.activated', now(),
           '{"kind": "system", "id": "worker"}', '[]', '{"client_id": null}', '{}'
      from generate_series(1, ${count})`;

  /** The job waits where this many records would be noted, until the lock is let go. */
  async function pauseAt(records: number) {
    await sql.unsafe(
      `create or replace function public.pause() returns trigger language plpgsql as $$
       begin perform pg_advisory_xact_lock(4711); return null; end $$;
       create trigger pause after update on public.audit_exports for each row
         when (new.records_done = ${records} and new.state = 'running')
         execute function public.pause()`,
    );
    const holder = await sql.reserve();
    await holder`select pg_advisory_lock(4711)`;
    return async () => {
      await holder`select pg_advisory_unlock(4711)`;
      holder.release();
    };
  }
  const unpause = () => sql.unsafe("drop trigger pause on public.audit_exports");

  try {
    await recordOld(3); // the first leaves
    await record(3_500);
    await sequence();
    await seal();

    for (const format of ["csv", "jsonl"]) {
      await t.step(
        `EXJ-01 ${format}: who reads the log sees it rise while it is written`,
        async () => {
          const id = await ask(format);
          await sequence();
          await seal();
          const resume = await pauseAt(2_000);
          const running = run(id);
          let seen: Record<string, unknown> = {};
          await eventually("a page is told", async () => {
            await as(sql, "audrey", async (tx) => {
              const [one] = await tx`
              select state, records_done::int, records_total::int, size_bytes
                from public.audit_exports where id = ${id}`;
              seen = one!;
            });
            return seen.records_done === 1_000;
          });
          assert.deepEqual([seen.state, seen.size_bytes], ["running", null]);
          assert.ok(Number(seen.records_total) >= 3_500);
          await resume();
          await running;
          await unpause();
          const { state, records_done, complete } = await row(id);
          assert.deepEqual([state, Number(records_done)], ["ready", seen.records_total]);
          assert.equal(complete, true);
        },
      );
    }

    await t.step(
      "EXJ-02 a stop gives it back, counts nothing and leaves no file, ten times over",
      async () => {
        const id = await ask("csv");
        await sequence();
        for (let stops = 0; stops < 10; stops++) {
          const resume = await pauseAt(1_000);
          const stop = new AbortController();
          const running = run(id, stop);
          await eventually(
            "it writes",
            async () =>
              (await sql`select from pg_locks where locktype = 'advisory' and not granted`).length >
                0,
          );
          stop.abort();
          await resume();
          await running;
          await unpause();
          const { state, failures, last_error } = await row(id);
          assert.deepEqual([state, failures, last_error], ["running", 0, null]);
          assert.equal(await queued(id), 1, "it comes back by itself");
          const parts = [...Deno.readDirSync(join(dir, "exports"))]
            .filter(({ name }) => name.endsWith(".part"));
          assert.deepEqual(parts, []);
        }
        await run(id);
        assert.equal((await row(id)).state, "ready");
      },
    );

    await t.step(
      "EXJ-03 a log that is not sealed is waited for, a minute; then the row says that it is not complete",
      async () => {
        const outcome = async (format: string, secondsAgo: number) => {
          const id = await ask(format, secondsAgo);
          await run(id);
          const { state, complete, records_done } = await row(id);
          return { state, complete, records: Number(records_done), queued: await queued(id) };
        };
        await record(1);
        for (const format of ["csv", "jsonl"]) {
          const waiting = await outcome(format, 0);
          assert.deepEqual([waiting.state, waiting.complete, waiting.queued], ["running", null, 1]);
        }
        await sequence();
        await seal();
        const asked = async (format: string) => {
          const { state, complete, queued } = await outcome(format, 120);
          assert.deepEqual([state, queued], ["ready", 0]);
          return complete;
        };
        await recordOld(1); // long before the asking, and the sequencer does not get to it
        assert.deepEqual([await asked("csv"), await asked("jsonl")], [false, false]);
        await sequence();
        assert.deepEqual([await asked("csv"), await asked("jsonl")], [true, false]);
        await seal();
        assert.equal(await asked("jsonl"), true);
        // As after a fork: leaves go on, no checkpoint covers them.
        await sql`
        insert into private.audit_checkpoints (tenant_id, size, root, note)
        values (${tenants.A}, 1, '\\x00', 'note')`;
        const forked = await outcome("jsonl", 120);
        assert.deepEqual([forked.state, forked.complete, forked.records], ["ready", false, 1]);
      },
    );
    await t.step(
      "EXJ-04 csv of some types, an actor or a target holds these and no other",
      async () => {
        const by = (type: string, actor: string, target: string, tenant: string = tenants.A) =>
          sql`
        select private.record_event(${tenant}, ${type},
          ${sql.json([{ kind: "app", id: "other" }, { kind: "app", id: target }])},
          ${sql.json(type === "app.activated" ? { client_id: null } : { idp_id: "1" })},
          ${sql.json({ kind: "user", id: actor })})`;
        await by("app.activated", "u1", "t1");
        await by("app.activated", "u2", "t1");
        await by("app.activated", "u1", "t2");
        await by("provider.activated", "u1", "t1");
        await by("app.activated", "u1", "t1", tenants.E);
        await sequence();
        const written = async (
          types: string[] | null,
          actor: string | null,
          target: string | null,
        ) => {
          const id = await ask("csv");
          await sql`update audit_exports set types = ${types}::text[], actor_id = ${actor},
          target_id = ${target} where id = ${id}`;
          await sequence();
          await run(id);
          const { state, records_done, records_total, complete } = await row(id);
          assert.deepEqual([state, records_total, complete], ["ready", records_done, true]);
          const lines = (await Deno.readTextFile(join(dir, "exports", `${id}.csv`))).trimEnd()
            .split("\r\n").slice(1);
          assert.equal(lines.length, Number(records_done));
          return lines.map((line) =>
            ["app.activated", "provider.activated", "u1", "u2", "t1", "t2"]
              .filter((text) => line.includes(`"${text}"`)).join(" ")
          );
        };
        assert.deepEqual(await written(null, "u1", "t1"), [
          "app.activated u1 t1",
          "provider.activated u1 t1",
        ]);
        assert.deepEqual(await written(["app.activated"], "u1", null), [
          "app.activated u1 t1",
          "app.activated u1 t2",
        ]);
        assert.deepEqual(await written(["provider.*"], null, "t1"), ["provider.activated u1 t1"]);
        assert.deepEqual(await written(["provider.activ"], null, null), []);
        assert.equal((await written(["app.*"], null, "t1")).length, 2);
      },
    );

    await t.step(
      "EXJ-05 a selection is asked for by who reads the log, and never with a proof",
      async () => {
        const select = (actor: Actor, format: string, types: string[]) =>
          as(sql, actor, async (tx) => {
            const [one] = await tx`
            select * from public.request_audit_export(tenant_id => ${tenants.A},
              format => ${format}, types => ${types}::text[], actor_id => 'u1',
              target_id => 't1')`;
            return one!;
          });
        const { types, actor_id, target_id } = await select("audrey", "csv", ["app.*"]);
        assert.deepEqual([types, actor_id, target_id], [["app.*"], "u1", "t1"]);
        await assert.rejects(select("audrey", "jsonl", ["app.*"]), {
          constraint_name: "export_filter_unprovable",
        });
        for (const wrong of [[], ["*"], ["App"], ["app.*.x"], ["a b"]]) {
          await assert.rejects(select("audrey", "csv", wrong), {
            constraint_name: "event_types_malformed",
          });
        }
        for (const actor of ["eve", "bob", "mallory"] as const) {
          await assert.rejects(select(actor, "csv", ["app.*"]), refusal("not_allowed", 403), actor);
        }
      },
    );
  } finally {
    Deno.env.delete("GATEHOUSE_AUDIT_DIR");
    await arranged.dispose();
    await Deno.remove(dir, { recursive: true });
  }
});
