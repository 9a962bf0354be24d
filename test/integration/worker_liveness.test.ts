// The one connection that says a worker lives: who leads a loop, what is freed when it ends.
import assert from "node:assert/strict";
import { openLiveness } from "../../functions/_worker/liveness.ts";
import { createDatabase } from "../support/database.ts";
import { eventually } from "../support/eventually.ts";
import { sleep } from "./worker_support.ts";

const never = (why: string) => assert.fail(`lost: ${why}`);

Deno.test("a loop has one leader; the next one follows when its connection ends", async () => {
  await using database = await createDatabase();
  const url = database.url("gatehouse_worker");
  const [first, second] = [await openLiveness(url, never), await openLiveness(url, never)];
  assert.equal(await first.lead("x"), true);
  assert.equal(await first.lead("x"), true, "a leader stays leader");
  assert.equal(await second.lead("x"), false);
  assert.equal(await second.lead("y"), true, "each loop has its own");
  await first.close();
  await eventually("the second one leads", () => second.lead("x"));
  await second.close();
});

Deno.test("a lost connection is noticed at once, and told once", async () => {
  await using database = await createDatabase();
  const lost: string[] = [];
  const liveness = await openLiveness(
    database.url("gatehouse_worker"),
    (why) => void lost.push(why),
  );
  await liveness.hold("pool-a");
  await database.sql`
    select pg_terminate_backend(pid) from pg_stat_activity
     where application_name = 'gatehouse_worker liveness' and datname = current_database()`;
  await eventually("it is noticed", () => lost.length > 0);
  await sleep(1_500); // past the next beat
  assert.equal(lost.length, 1);
  await liveness.close();
});

Deno.test("only the jobs of dead pools are freed", async () => {
  await using database = await createDatabase();
  const { sql } = database;
  const liveness = await openLiveness(database.url("gatehouse_worker"), never);
  await liveness.hold("pool-alive");
  await sql`truncate graphile_worker._private_jobs`;
  await sql`select graphile_worker.add_job('x', json_build_object('n', n)) from generate_series(1, 3) n`;
  await sql`
    update graphile_worker._private_jobs
       set locked_at = now() - make_interval(secs => case payload ->> 'n' when '3' then 0 else 60 end),
           locked_by = case payload ->> 'n' when '1' then 'pool-alive' else 'pool-dead' end`;
  const locked = async () =>
    (await sql`
      select (payload ->> 'n')::int as n from graphile_worker._private_jobs
       where locked_at is not null order by 1`).map((row) => row.n);
  // The third was locked this moment: its pool may not hold its lock yet. But its other job says that it is dead.
  await eventually("the dead one's are free", async () => (await locked()).join() === "1");
  await sleep(1_500);
  assert.deepEqual(await locked(), [1]);
  await liveness.close();
});
