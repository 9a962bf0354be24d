/** Puts refused sign-ins on record, a minute's of an account as one event, half a minute after its end. A loop. */
import { Nothing, task } from "../task.ts";

export default task(Nothing, async (_payload, { sql }) => {
  await sql`select private.record_refused_sign_ins()`;
});
