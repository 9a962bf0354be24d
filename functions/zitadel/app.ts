/**
 * What ZITADEL pushes: a signed hint to look at its events now. The hint is not trusted for anything else, because it is not
 * retried: the events themselves are polled. Next: _worker/tasks/zitadel__poll_events.ts.
 */
import { newApp } from "../_shared/app.ts";
import { readBytes } from "../_shared/body.ts";
import { database } from "../_shared/db.ts";
import { Problem } from "../_shared/problem.ts";
import { fromBase64, openText } from "../_shared/secrets.ts";
import { signatureHolds } from "./signature.ts";

export const app = newApp("zitadel");

const maxBodyBytes = 1024 * 1024;
const signingKeyName = "zitadel.action_signing_key";

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

/** Where the target's signing key is sealed: instance__reconcile puts it there. */
export const signingKeyPlace = { table: "sealed_settings", tenantId: "", id: signingKeyName };

async function readSigningKey(): Promise<string | null> {
  const [row] = await database()<{ sealed: { keyId: string; ciphertext: string } | null }[]>`
    select private.get_sealed_setting(${signingKeyName}) as sealed`;
  const sealed = row?.sealed;
  if (!sealed) return null;
  // Postgres breaks base64 into lines; atob does not mind.
  return await openText(
    { keyId: sealed.keyId, ciphertext: fromBase64(sealed.ciphertext) },
    signingKeyPlace,
  );
}
