/**
 * Ids that we choose in ZITADEL: the same at every run, so that a step which was cut off finds what it made.
 * ZITADEL takes 1–200 characters; ours are uuids: opaque, lowercase.
 */
import { createHash } from "node:crypto";

/** A uuid (version 8: made by a rule of our own) from what it names. */
export function derivedId(...parts: [kind: string, ...of: string[]]): string {
  const bytes = createHash("sha256").update(JSON.stringify(["gatehouse", ...parts])).digest();
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x80, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  const hex = bytes.toString("hex", 0, 16);
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
