// LAG: a seal that is held up is told of, and a backlog is signed while it is sealed.
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import type { Sql } from "postgres";
import type { Config } from "../../functions/_shared/config.ts";
import { auditSeal } from "../../functions/_worker/tasks/audit__seal.ts";
import { arrangeCast, as, platform, tenants } from "../support/actors.ts";
import { createDatabase, type TestDatabase } from "../support/database.ts";

interface Log extends AsyncDisposable {
  sql: Sql;
  /** One run of the loop's task at that moment; gives its lines of level error. */
  seal(atMs?: number): Promise<Record<string, unknown>[]>;
  /** What is done to GATEHOUSE_AUDIT_CHECKPOINT_FILE. */
  outside: string;
}

async function startLog(): Promise<Log> {
  const database: TestDatabase = await createDatabase();
  await arrangeCast(database.sql);
  const dir = await Deno.makeTempDir({ prefix: "gatehouse-lag-" });
  const { privateKey } = generateKeyPairSync("ed25519");
  await Deno.writeTextFile(`${dir}/key`, JSON.stringify(privateKey.export({ format: "jwk" })));
  await Deno.mkdir(`${dir}/outside`);
  const settings = {
    publicUrl: "https://id.example",
    auditKeyFile: `${dir}/key`,
    auditCheckpointFile: `${dir}/outside/notes`,
    has: () => true,
  } as unknown as Config;
  const task = auditSeal(() => settings);
  const worker = database.connect("gatehouse_worker");
  return {
    sql: database.sql,
    outside: `${dir}/outside`,
    async seal(atMs = 0) {
      const lines: Record<string, unknown>[] = [];
      const { log } = console;
      console.log = (line) => lines.push(JSON.parse(line));
      try {
        await worker`select private.sequence_events(100000)`;
        await task({}, {
          sql: worker,
          now: () => new Date(1_800_000_000_000 + atMs),
          holder: "test",
          stopping: new AbortController().signal,
        });
      } finally {
        console.log = log;
      }
      return lines.filter(({ level }) => level === "error");
    },
    async [Symbol.asyncDispose]() {
      await database.drop();
      await Deno.remove(dir, { recursive: true });
    },
  };
}

const record = (sql: Sql, events = 1) =>
  sql`select private.record_event(${tenants.A}, 'app.updated', '[{"kind": "test"}]', jsonb_build_object('n', i))
    from generate_series(1, ${events}) i`;

/** All that is there was recorded so much earlier. */
const growOld = (sql: Sql, seconds: number) =>
  sql`update public.audit_events e set recorded_at = e.recorded_at - make_interval(secs => ${seconds})
     where not exists (select from private.audit_sequence s where s.event_id = e.id)`;

const lag = async (sql: Sql) =>
  (await sql<[{ lag: Record<string, number> }]>`select private.audit_lag() as lag`)[0].lag;

const told = (sql: Sql) =>
  sql`select data from public.audit_events where tenant_id = ${platform} and type = 'audit.seal_late'`;

Deno.test("LAG-01 what waits is counted where it waits: for its number, its leaf, its signature", async () => {
  await using log = await startLog();
  const { sql } = log;
  await log.seal();
  assert.deepEqual(await lag(sql), { unsequenced: 0, unsealed: 0, unsigned: 0, seconds: 0 });
  const holder = await sql.reserve();
  await holder`begin`;
  await holder`select pg_current_xact_id()`;
  await record(sql, 3);
  await growOld(sql, 40);
  assert.equal((await sql`select private.sequence_events(100) as n`)[0]!.n, 0, "it is held up");
  const held = await lag(sql);
  assert.deepEqual({ ...held, seconds: 0 }, {
    unsequenced: 3,
    unsealed: 0,
    unsigned: 0,
    seconds: 0,
  });
  assert.ok(held.seconds! >= 40 && held.seconds! < 70);
  await holder`commit`;
  holder.release();
  await sql`select private.sequence_events(100)`;
  assert.equal((await lag(sql)).unsealed, 3);
  await sql`select private.seal_events(100)`;
  assert.deepEqual({ ...await lag(sql), seconds: 0 }, {
    unsequenced: 0,
    unsealed: 0,
    unsigned: 3,
    seconds: 0,
  });
  const [{ own }] = await sql<[{ own: Record<string, number> }]>`
    select private.audit_lag(true, array[${tenants.A}]::uuid[]) as own`;
  assert.equal(own.unsigned, 0);
  await log.seal();
  assert.deepEqual(await lag(sql), { unsequenced: 0, unsealed: 0, unsigned: 0, seconds: 0 });
});

Deno.test("LAG-02 a transaction that holds the seal up for 30 s is told of: a line a minute, an event an hour", async () => {
  await using log = await startLog();
  const { sql } = log;
  await log.seal();
  const holder = await sql.reserve();
  await holder`begin`;
  await holder`select pg_current_xact_id()`;
  await record(sql, 3);
  assert.deepEqual(await log.seal(10_000), [], "not late yet");
  await growOld(sql, 31);
  const [line, ...more] = await log.seal(20_000);
  assert.deepEqual(more, []);
  assert.equal(line!.slug, "audit_seal_late");
  assert.equal(line!.unsequenced, 3);
  assert.ok(Number(line!.seconds) > 30);
  assert.deepEqual(await log.seal(79_000), [], "told within the minute");
  assert.equal((await log.seal(81_000)).length, 1);
  const events = await told(sql);
  assert.equal(events.length, 1);
  assert.equal(events[0]!.data.unsequenced, 3);
  await sql`update public.audit_events set recorded_at = recorded_at - interval '61 minutes' where type = 'audit.seal_late'`;
  await log.seal(150_000);
  assert.equal((await told(sql)).length, 2);
  await holder`commit`;
  holder.release();
  await log.seal(160_000);
  assert.deepEqual(await log.seal(300_000), [], "it is over");
});

Deno.test("LAG-03 a signer that fails is told of as well, and leaves are made all the same", async () => {
  await using log = await startLog();
  const { sql } = log;
  await log.seal();
  await Deno.rename(log.outside, `${log.outside}.gone`);
  await record(sql, 5_000);
  await growOld(sql, 31);
  await assert.rejects(log.seal(10_000), Deno.errors.NotFound);
  const late = await lag(sql);
  assert.equal(late.unsealed, 0);
  assert.ok(late.unsigned! >= 3_000);
  assert.equal((await told(sql)).length, 1);
  await Deno.rename(`${log.outside}.gone`, log.outside);
  await log.seal(20_000);
  assert.equal((await lag(sql)).unsigned, 0);
});

Deno.test("LAG-04 a backlog is signed while it is sealed, not after", async () => {
  await using log = await startLog();
  const { sql } = log;
  await log.seal();
  await record(sql, 7_000);
  await log.seal(10_000);
  const [row] = await sql`
    select (select count(*)::int from private.audit_checkpoints c where c.tenant_id = ${tenants.A}
              and c.xmin::text::bigint < (select max(l.xmin::text::bigint) from private.audit_leaves l
                where l.tenant_id = ${tenants.A})) as before_the_last_leaf,
           (select count(*)::int from private.audit_trees where size > signed_size) as unsigned`;
  assert.ok(row!.before_the_last_leaf >= 3, JSON.stringify(row));
  assert.equal(row!.unsigned, 0);
});

Deno.test("LAG-05 rpc/audit_lag is for platform staff who read the log", async () => {
  await using log = await startLog();
  const ask = (actor: Parameters<typeof as>[1]) =>
    as(log.sql, actor, (tx) => tx<[{ lag: object }]>`select public.audit_lag() as lag`);
  const [{ lag }] = await ask("pat");
  assert.deepEqual(Object.keys(lag).sort(), ["seconds", "unsealed", "unsequenced", "unsigned"]);
  for (const actor of ["alice", "audrey", "eve", "bob", "visitor"] as const) {
    await assert.rejects(ask(actor), { code: "42501" }, actor);
  }
});
