// Reads the lines of an export. Nothing in it is believed: what is not as it should be comes back as undefined.
import { createHash } from "node:crypto";
import { z } from "zod";
import {
  exportFormat,
  type ExportHeader,
  type ExportRecord,
  type PersonalValue,
} from "./export_format.ts";

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

/**
 * Whether the record says that it is this tenant's. As Postgres prints a sealed event (private.leaf_bytes) the tenant stands
 * at the end, and is looked at there: parsing the record costs about 3 µs more.
 */
export function isOfTenant(bytes: string, tenantId: string): boolean {
  sealedEnd.lastIndex = Math.max(0, bytes.length - sealedEndSize);
  const printed = sealedEnd.exec(bytes)?.[1];
  const named = printed ?? (parse(bytes) as { tenant_id?: unknown } | null | undefined)?.tenant_id;
  return named === tenantId;
}

// One brace closes the whole record, so these keys are its own; no quote within a value stands there without a backslash.
const sealedEnd =
  /"tenant_id": "([0-9a-f-]{36})", "occurred_at": "[0-9T:.Z-]{27}", "recorded_at": "[0-9T:.Z-]{27}"\}$/y;
const sealedEndSize = 144;

/**
 * The slots whose values are not the ones that the record commits to, and those that it does not commit to at all. Values
 * that were erased are not there to look at.
 */
export function alteredPersonal({ bytes, personal }: ExportRecord): string[] {
  if (personal === undefined) return [];
  const sealed = (parse(bytes) as { personal?: unknown } | null | undefined)?.personal;
  return Object.entries(personal).filter(([slot, value]: [string, unknown]) => {
    const committed = commitment(value);
    return committed === undefined || committed !== ownValue(sealed, slot);
  }).map(([slot]) => slot);
}

/** What the value commits to in hexadecimal; undefined when it has not the form of one. */
function commitment(value: unknown): string | undefined {
  const { salt, value: text } = (value ?? {}) as Partial<Record<keyof PersonalValue, unknown>>;
  if (typeof salt !== "string" || typeof text !== "string") return undefined;
  // Of one length only: else bytes could move from the salt into the value, and the hash be the same.
  if (!/^[0-9a-f]{64}$/.test(salt)) return undefined;
  return createHash("sha256").update(Uint8Array.fromHex(salt)).update(text).digest("hex");
}

/** Never what the prototype has: a slot may be called `constructor`. */
function ownValue(object: unknown, key: string): unknown {
  if (typeof object !== "object" || object === null || !Object.hasOwn(object, key)) {
    return undefined;
  }
  return (object as Record<string, unknown>)[key];
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
