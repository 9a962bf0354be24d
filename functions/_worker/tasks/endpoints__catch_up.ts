/**
 * Notes what new webhook endpoints missed: the events between their `since_at` and their creation, up to 30 days of them.
 *
 * A loop of its own (every 500 ms), in portions of one endpoint and one transaction each: who waits for `endpoints__find_due` does not
 * wait for this, and a transaction that is stopped loses one portion.
 */
import { drain, Nothing, task } from "../task.ts";

export default task(Nothing, async (_payload, { sql, stopping }) => {
  await drain(1, stopping, async () => {
    const [row] = await sql<[{ n: number }]>`select private.catch_up_endpoints() as n`;
    return row.n;
  });
});
