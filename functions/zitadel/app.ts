/**
 * What ZITADEL pushes: a signed hint to look at its events now. The hint is not trusted for anything else, because it is not
 * retried: the events themselves are polled. Next: _worker/tasks/zitadel__poll_events.ts.
 */
import { newApp } from "../_shared/app.ts";
import { readBytes } from "../_shared/body.ts";
import { database } from "../_shared/db.ts";
import { Problem } from "../_shared/problem.ts";
import { signatureHolds } from "./signature.ts";
import { readSigningKey } from "./signing_key.ts";

export const app = newApp("zitadel");

const maxBodyBytes = 1024 * 1024;

/** 204 work is noted · 401 `signature_invalid`: also while no signing key is set */
app.post("/events", async (c) => {
  const body = await readBytes(c.req.raw, maxBodyBytes);
  const header = c.req.header("zitadel-signature");
  const signingKey = header === undefined ? null : await readSigningKey();
  const now = Math.floor(Date.now() / 1000);
  if (signingKey === null || !await signatureHolds(header, body, signingKey, now)) {
    throw new Problem("signature_invalid", "The signature of this call does not hold");
  }
  await database()`select private.put_hint()`;
  return c.body(null, 204);
});
