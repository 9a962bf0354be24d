/**
 * Frees the jobs of pools whose liveness lock is gone.
 *
 * Every worker does so each second on its liveness connection (liveness.ts); this is for operators, by hand.
 */
import { Nothing, task } from "../task.ts";

export default task(Nothing, async (_payload, { sql }) => {
  await sql`select private.unlock_dead_workers()`;
});
