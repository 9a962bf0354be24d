/** Deletes webhook attempts and settled deliveries past their retention (public.settings, `webhooks.*_retention_days`). Every night. */
import { drain, Nothing, task } from "../task.ts";

export default task(Nothing, async (_payload, { sql, stopping }) => {
  await drain(2_000, stopping, async (limit) => {
    const [row] = await sql<[{ n: number }]>`select private.retain_deliveries(${limit}) as n`;
    return row.n;
  });
});
