/**
 * Cancels what still waits for disabled webhook endpoints: noted beside the disabling, by who saw the endpoint enabled a moment before.
 * Every minute.
 */
import { drain, Nothing, task } from "../task.ts";

export default task(Nothing, async (_payload, { sql, stopping }) => {
  await drain(2_000, stopping, async (limit) => {
    const [row] = await sql<
      [{ n: number }]
    >`select private.cancel_stranded_deliveries(${limit}) as n`;
    return row.n;
  });
});
