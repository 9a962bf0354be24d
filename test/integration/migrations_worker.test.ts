// graphile-worker's schema comes by our migrations, and the library runs on it as a role that owns nothing.
import assert from "node:assert/strict";
import { Logger, run } from "graphile-worker";
import { migratedFiles, workerMigration } from "../../scripts/db/worker_schema.ts";
import { eventually } from "../support/eventually.ts";
import { createDatabase } from "../support/database.ts";
import { fixtures } from "../support/postgres.ts";

Deno.test("every SQL file of the installed graphile-worker is in a migration (else: deno task db:worker-schema)", () => {
  assert.equal(workerMigration(migratedFiles()), undefined);
});

Deno.test("an upgraded library gets a migration with its new files only", () => {
  const done = migratedFiles();
  const last = [...done].at(-1)!;
  done.delete(last);
  const text = workerMigration(done)!;
  assert.match(
    text,
    new RegExp(`-- graphile-worker's ${last}\ninsert into graphile_worker.migrations`),
  );
  assert.doesNotMatch(text, /create schema|000001\.sql/);
});

for (const fixture of fixtures) {
  Deno.test(`the library migrates nothing and runs 200 jobs as gatehouse_worker (${fixture})`, async () => {
    await using database = await createDatabase({ fixture });
    const { sql } = database;
    const before = await sql`select id, ts from graphile_worker.migrations order by id`;
    await sql`delete from graphile_worker._private_jobs`;
    let done = 0;
    const runner = await run({
      connectionString: database.url("gatehouse_worker"),
      noHandleSignals: true,
      logger: new Logger(() => () => {}),
      preset: {
        worker: {
          concurrentJobs: 5,
          pollInterval: 100,
          completeJobBatchDelay: 0,
          failJobBatchDelay: 0,
          localQueue: { size: 50 },
        },
      },
      crontab: "* * * * * noop ?id=every_minute",
      taskList: {
        noop: () => void done++,
        fails_once: (_payload, { job }) => {
          if (job.attempts === 1) throw new Error("the first time");
          done++;
        },
      },
    });
    try {
      await sql`select private.enqueue('noop', jsonb_build_object('n', n)) from generate_series(1, 198) n`;
      await sql`select private.enqueue('noop', '{}', 'keyed') from generate_series(1, 5)`;
      await sql`select graphile_worker.add_job('fails_once', '{}', queue_name => 'in_turn')`;
      await eventually("the end of all jobs", async () => {
        await sql`update graphile_worker._private_jobs set run_at = now() where attempts = 1 and locked_at is null`;
        const [left] = await sql`select count(*)::int as n from graphile_worker._private_jobs`;
        return left!.n === 0;
      });
    } finally {
      await runner.stop();
    }
    assert.ok(done >= 200, `${done} done`); // the minute's own may have come in between
    assert.deepEqual(await sql`select id, ts from graphile_worker.migrations order by id`, before);
  });
}

Deno.test("the queue's functions set search_path = ''", async () => {
  await using database = await createDatabase();
  const rows = await database.sql`
    select oid::regprocedure::text as name from pg_proc
     where pronamespace = 'graphile_worker'::regnamespace and prokind = 'f'
       and not coalesce(proconfig, '{}') @> array['search_path=""']`;
  assert.deepEqual([...rows], []);
});
