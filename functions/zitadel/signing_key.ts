/** What ZITADEL signs its hints with: made by ZITADEL, sealed by the step event_hint of the instance's saga, read here. */
import { database } from "../_shared/db.ts";
import { openText, readSealed } from "../_shared/secrets.ts";

export const hintKeyName = "zitadel.action_signing_key";

export const hintKeyPlace = { table: "sealed_settings", tenantId: "", id: hintKeyName };

/** Null until the instance is prepared. */
export async function readSigningKey(): Promise<string | null> {
  const [row] = await database()<{ sealed: { keyId: string; ciphertext: string } | null }[]>`
    select private.get_sealed_setting(${hintKeyName}) as sealed`;
  return row?.sealed ? await openText(readSealed(row.sealed), hintKeyPlace) : null;
}
