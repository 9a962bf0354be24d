// Jobs that survive: what a stop, a kill and a restart of Postgres leave behind. Real processes, a Postgres of its own.
import assert from "node:assert/strict";
import type postgres from "postgres";
import { eventually } from "../support/eventually.ts";
import {
  queueDatabase,
  RestartablePostgres,
  sleep,
  startChild,
  supervise,
  type WorkerProcess,
} from "./worker_support.ts";

interface Bench {
  server: RestartablePostgres;
  url: string;
  sql: postgres.Sql;
}

Deno.test("jobs survive what happens to workers and to Postgres", async (t) => {
  await using server = await RestartablePostgres.start();
  const url = await queueDatabase(server, "jobs");
  const sql = server.connect("jobs");
  await sql`create table public.runs (n int, began timestamptz, ended timestamptz)`;
  await sql`grant select, insert, update on runs to gatehouse_worker`;
  const bench: Bench = { server, url, sql };
  try {
    await t.step(
      "nothing runs of a transaction that was rolled back, nor before commit",
      () => rolledBack(bench),
    );
    await t.step(
      "SIGTERM under load hands jobs back and loses no completion",
      () => stopped(bench),
    );
    await t.step("a worker killed with -9 holds no job longer than 10 s", () => killed(bench));
    await t.step(
      "two workers stop one after the other, no job stays locked",
      () => handedOver(bench),
    );
    for (const how of ["fast", "immediate"] as const) {
      await t.step(`a restart of Postgres (${how}) loses no job`, () => restarted(bench, how));
    }
    await t.step("without its database a worker ends with 70 at once", () => unreachable(url));
  } finally {
    await sql.end();
  }
});

async function rolledBack({ sql, url }: Bench) {
  await clean(sql);
  const worker = await ready(url);
  await sql.begin(async (tx) => {
    await add(tx, 1, 0);
    await sleep(300);
    throw new Error("rolled back");
  }).catch(() => {});
  await sql.begin(async (tx) => {
    await add(tx, 1, 0, 100);
    await sleep(300);
    assert.equal(await count(sql, "runs"), 0, "a job ran before its transaction was committed");
  });
  await eventually("the committed job has run", async () => await count(sql, "runs") === 1, 3_000);
  assert.deepEqual((await sql`select n from runs`).map((row) => row.n), [100]);
  assert.equal((await worker.signal("SIGTERM")).code, 0);
}

async function stopped({ sql, url }: Bench) {
  for (const round of [1, 2]) {
    await clean(sql);
    await add(sql, 2_000, 40);
    const worker = await ready(url);
    await sleep(600 + round * 37);
    assert.equal((await worker.signal("SIGTERM")).code, 0);
    const [row] = await sql`
      select (select count(*) from runs where ended is not null)::int as done,
             (select count(*) from runs)::int as begun,
             (select count(*) from graphile_worker._private_jobs)::int as left,
             (select count(*) from graphile_worker._private_jobs where locked_at is not null)::int as locked,
             (select count(*) from graphile_worker._private_jobs where attempts > 0)::int as tried`;
    assert.ok(row!.done > 20 && row!.left > 0, `stopped under load: ${JSON.stringify(row)}`);
    assert.deepEqual({ ...row, done: 0, begun: 0, left: 0 }, {
      done: 0,
      begun: 0,
      left: 0,
      locked: 0,
      tried: 0,
    });
    assert.equal(row!.done + row!.left, 2_000, "each job is either done or still to do");
    assert.equal(row!.begun, row!.done, "no job was cut off in the middle");
  }
}

async function killed({ sql, url }: Bench) {
  await clean(sql);
  await add(sql, 10, 60_000);
  const victim = await ready(url);
  await eventually("ten jobs run", async () => await count(sql, "runs") === 10, 5_000);
  await victim.signal("SIGKILL");
  const killedAt = Date.now();
  await sql`update graphile_worker._private_jobs set payload = jsonb_set(payload::jsonb, '{ms}', '1')::json`;
  const heir = await ready(url);
  await eventually(
    "another worker has done them",
    async () => await count(sql, "graphile_worker._private_jobs") === 0,
    10_000,
  );
  assert.ok(Date.now() - killedAt < 10_000);
  assert.equal(await count(sql, "runs"), 20, "exactly the jobs in flight ran twice");
  await heir.signal("SIGTERM");
}

async function handedOver({ sql, url }: Bench) {
  await clean(sql);
  const workers = [await ready(url), await ready(url)];
  await add(sql, 1_500, 20);
  await sleep(500);
  await workers[0]!.signal("SIGTERM");
  await eventually(
    "the other one does the rest",
    async () => await count(sql, "graphile_worker._private_jobs") === 0,
  );
  await workers[1]!.signal("SIGTERM");
  assert.equal(await count(sql, "runs"), 1_500, "each job ran once");
}

async function restarted({ server, sql, url }: Bench, how: "fast" | "immediate") {
  await clean(sql);
  await add(sql, 1_000, 20);
  const supervisor = supervise(url);
  await eventually("jobs run", async () => await count(sql, "runs") > 100, 10_000);
  await server.stop(how);
  await sleep(300);
  await server.start();
  await eventually(
    "all jobs are done",
    async () => await count(sql, "graphile_worker._private_jobs") === 0,
    30_000,
  );
  await supervisor.stop();
  const [row] = await sql`
    select count(distinct n)::int as jobs, (count(*) - count(distinct n))::int as twice from runs`;
  assert.equal(row!.jobs, 1_000);
  // At least once: ten were running, as many again may have ended without their completion being written.
  assert.ok(row!.twice <= 20, `${row!.twice} jobs ran twice`);
  assert.ok(supervisor.starts.length >= 2, "the worker was started again");
}

async function unreachable(url: string) {
  const worker = startChild(url.replace(/:\d+\//, ":1/"));
  assert.equal((await worker.exited).code, 70);
}

async function ready(url: string): Promise<WorkerProcess> {
  const worker = startChild(url);
  await worker.printed("worker ready");
  return worker;
}

async function clean(sql: postgres.Sql) {
  await sql`truncate runs, graphile_worker._private_jobs`;
}

async function count(sql: postgres.Sql, table: string): Promise<number> {
  return (await sql.unsafe(`select count(*)::int as n from ${table}`))[0]!.n;
}

/** Jobs numbered from `first`, each of which takes `ms`. */
async function add(sql: postgres.ISql, jobs: number, ms: number, first = 1) {
  await sql`
    select graphile_worker.add_job('note', json_build_object('n', n, 'ms', ${ms}::int))
      from generate_series(${first}::int, ${first + jobs - 1}::int) n`;
}
