/**
 * Queues one `endpoint__pump` for each webhook endpoint with a delivery that is due and no pump that waits or runs.
 *
 * A loop (every 100 ms) and not part of the insert: a job per event would serialize commits on the queue's NOTIFY
 * (0.16 of a bare insert against 0.6).
 */
import { drain, Nothing, task } from "../task.ts";

export default task(Nothing, async (_payload, { sql, stopping }) => {
  await drain(100, stopping, async (limit) => {
    const [row] = await sql<[{ n: number }]>`select private.find_due_endpoints(${limit}) as n`;
    return row.n;
  });
});
