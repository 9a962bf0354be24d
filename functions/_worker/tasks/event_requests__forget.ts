/** Forgets what was answered under Idempotency-Keys older than a day. Every night. */
import { drain, Nothing, task } from "../task.ts";

export default task(Nothing, async (_payload, { sql, stopping }) => {
  await drain(1_000, stopping, async (limit) => {
    const [row] = await sql<[{ n: number }]>`select private.forget_event_requests(${limit}) as n`;
    return row.n;
  });
});
