// Reads the lines of an export. Nothing in it is believed: what is not as it should be comes back as undefined.
import { createHash } from "node:crypto";
import { z } from "zod";
import { exportFormat, type ExportHeader, type ExportRecord } from "./export_format.ts";

const base64Hash = z.base64().length(44);

const Header = z.object({
  format: z.literal(exportFormat),
  origin: z.string().min(1),
  tenant_id: z.uuid(),
  first: z.int().nonnegative(),
  prefix: z.array(base64Hash).max(53),
  size: z.int().nonnegative(),
  exported_at: z.string(),
});

export function readHeader(line: string): ExportHeader | undefined {
  return Header.safeParse(parse(line)).data;
}

export type Line =
  | { kind: "record"; record: ExportRecord }
  | { kind: "checkpoint" | "tombstone"; note: string }
  | { kind: "malformed" };

/** By hand and not by zod: it runs once a record. */
export function readLine(line: string): Line {
  const value = parse(line) as Partial<ExportRecord & { checkpoint: string; tombstone: string }>;
  if (typeof value !== "object" || value === null) return { kind: "malformed" };
  if (typeof value.checkpoint === "string") return { kind: "checkpoint", note: value.checkpoint };
  if (typeof value.tombstone === "string") return { kind: "tombstone", note: value.tombstone };
  const { index, bytes, signature, personal } = value;
  const isRecord = Number.isSafeInteger(index) && index! >= 0 && typeof bytes === "string" &&
    (signature === null || typeof signature === "string") &&
    (personal === undefined || typeof personal === "object" && personal !== null);
  return isRecord ? { kind: "record", record: value as ExportRecord } : { kind: "malformed" };
}

/** The slots whose values are not the ones that the record commits to. Values that were erased are not there to look at. */
export function alteredPersonal({ bytes, personal }: ExportRecord): string[] {
  if (personal === undefined) return [];
  const sealed = (parse(bytes) as { personal?: Record<string, unknown> } | undefined)?.personal;
  return Object.entries(personal).filter(([slot, value]) => {
    if (typeof value?.salt !== "string" || typeof value.value !== "string") return true;
    return sealed?.[slot] !== commitment(value.salt, value.value);
  }).map(([slot]) => slot);
}

function commitment(salt: string, value: string): string | undefined {
  if (!/^([0-9a-f]{2})*$/.test(salt)) return undefined;
  return createHash("sha256").update(Uint8Array.fromHex(salt)).update(value).digest("hex");
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
