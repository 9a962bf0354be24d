import type { JSONValue, Sql } from "postgres";

/** Another run held the job's work: it may have begun before the latest change, so this job looks once more. */
export const retrySeconds = 2;

/** ZITADEL's projections are 2 s late at most; what was read before they caught up may have hidden a difference. */
export const lookAgainSeconds = 5;

/** Queues a job for later, under its key. One that waits under this key already keeps its time: it may be due sooner. */
export async function queueAgain(
  sql: Sql,
  job: { task: string; key: string; payload?: Record<string, JSONValue>; inSeconds: number },
): Promise<void> {
  const { task, key, payload = {}, inSeconds } = job;
  await sql`
    select graphile_worker.add_job(${task}, ${sql.json(payload)}::json, job_key => ${key},
      job_key_mode => 'preserve_run_at', run_at => now() + make_interval(secs => ${inSeconds}))`;
}
