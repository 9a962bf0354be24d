/**
 * An export of one tenant's sealed log: JSON lines in UTF-8, ended by a line feed each, in this order: one header, the
 * records by index without a gap, the signed notes. Whoever writes one copies what private.audit_leaves holds and
 * judges nothing; audit:verify does. docs/adr/0010-sealed-log.md says what can be proved with it.
 *
 * Next: verify.ts (reads it), note.ts (the notes), tree.ts (the hashes).
 */

export const exportFormat = "gatehouse-audit/1";

export interface ExportHeader {
  format: typeof exportFormat;
  /** `auditOrigin(publicUrl, tenantId)` (note.ts). */
  origin: string;
  tenant_id: string;
  /** Index of the first record. Above 0 after retention, or when a part was asked for. */
  first: number;
  /** The subtrees of the records before `first`, largest first, base64 (private.audit_frontier); empty at 0. */
  prefix: string[];
  /** Index after the last record: the size of the tree, best that of the newest checkpoint. */
  size: number;
  exported_at: string;
}

export interface ExportRecord {
  index: number;
  /** private.audit_leaves.bytes, unchanged. */
  bytes: string;
  /** private.audit_signatures.signature in base64 (Postgres's encode breaks the line after 76: take that out); null when there is none. */
  signature: string | null;
  /** The personal values that still are there; a slot that was erased is absent. */
  personal?: Record<string, PersonalValue>;
}

export interface PersonalValue {
  /** 32 bytes in lower-case hexadecimal. */
  salt: string;
  /** `value::text` as Postgres prints it: the commitment is SHA-256(salt ‖ these bytes in UTF-8). */
  value: string;
}

/** A signed note: a checkpoint of the tree, or a tombstone that says why the records before `first` are not here. */
export type ExportNote = { checkpoint: string } | { tombstone: string };

export function headerLine(header: Omit<ExportHeader, "format">): string {
  return JSON.stringify({ format: exportFormat, ...header }) + "\n";
}

export function recordLine({ index, bytes, signature, personal }: ExportRecord): string {
  return JSON.stringify({ index, bytes, signature, personal }) + "\n"; // JSON leaves out what is undefined
}

export function noteLine(note: ExportNote): string {
  return JSON.stringify(note) + "\n";
}
