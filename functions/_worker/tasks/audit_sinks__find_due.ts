/** Queues one `audit__fan_out` for each sink that has something to send and rests no longer. A loop, every 500 ms. */
import { drain, Nothing, task } from "../task.ts";

export default task(Nothing, async (_payload, { sql, stopping }) => {
  await drain(100, stopping, async (limit) => {
    const [row] = await sql<[{ n: number }]>`select private.find_due_sinks(${limit}) as n`;
    return row.n;
  });
});
