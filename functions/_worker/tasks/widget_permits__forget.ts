/** Forgets tries to sign in that were more than a day ago. Every night. */
import { drain, Nothing, task } from "../task.ts";

export default task(Nothing, async (_payload, { sql, stopping }) => {
  await drain(1_000, stopping, async (limit) => {
    const [row] = await sql<[{ n: number }]>`select private.forget_widget_permits(${limit}) as n`;
    return row.n;
  });
});
