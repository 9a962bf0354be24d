/**
 * Removes an erased person at ZITADEL: their profile goes there too, and their sessions end.
 *
 * Queued by private.erase_user, in its transaction (`job_key` per person). Payload `{ userId }`: users.id. One who is not erased is left alone,
 * one who is gone already is no error.
 */
import { z } from "zod";
import { config } from "../../_shared/config.ts";
import { zitadelOf } from "../../provision/environment.ts";
import { task } from "../task.ts";

const Payload = z.strictObject({ userId: z.uuid() });

export default task(Payload, async ({ userId }, { sql }) => {
  const [{ subject }] = await sql<[{ subject: string | null }]>`
    select private.erased_subject(${userId}) as subject`;
  if (subject !== null) await zitadelOf(config()).zitadel().removeUser(subject);
});
