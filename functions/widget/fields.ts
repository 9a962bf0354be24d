/** What people type and browsers send, as all contracts of this function take it: the flows', the account page's, the programs'. */
import { z } from "zod";

export const name = z.string().trim().min(1).max(200);
export const password = z.string().min(1).max(1000);
export const code = z.string().trim().min(1).max(200);
export const languageTag = z.string().regex(/^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}$/);
const base64url = z.string().regex(/^[A-Za-z0-9_-]*$/).max(20_000);

/** A `PublicKeyCredential` as its `toJSON()` gives it: attestation or assertion (WebAuthn level 3, 5.1). */
export const credential = z.looseObject({
  id: base64url,
  rawId: base64url,
  type: z.literal("public-key"),
  response: z.record(z.string(), z.unknown()),
});
