/** Forgets mails that were settled longer ago than `mails.retention_days`, ends those that ran out unsent. Every night. */
import { drain, Nothing, task } from "../task.ts";

export default task(Nothing, async (_payload, { sql, stopping }) => {
  await drain(1_000, stopping, async (limit) => {
    const [row] = await sql<[{ n: number }]>`select private.retain_mails(${limit}) as n`;
    return row.n;
  });
});
