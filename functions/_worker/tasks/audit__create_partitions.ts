/** Keeps twelve months of partitions of the log ahead of today. Queued by cron each night and when a worker starts. */
import { Nothing, task } from "../task.ts";

export default task(Nothing, async (_payload, { sql }) => {
  await sql`select private.create_partitions()`;
});
