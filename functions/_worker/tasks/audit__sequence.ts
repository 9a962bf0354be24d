/** Gives committed events of the log their durable `seq`, which readers, sealing and sinks page by. A loop, every 250 ms. */
import { drain, Nothing, task } from "../task.ts";

export default task(Nothing, async (_payload, { sql, stopping }) => {
  await drain(1_000, stopping, async (limit) => {
    const [row] = await sql<[{ n: number }]>`select private.sequence_events(${limit}) as n`;
    return row.n;
  });
});
