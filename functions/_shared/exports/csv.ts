// An export for reading: one event a line (RFC 4180), what is nested flattened or as JSON. It proves nothing; jsonl does.

const columns = [
  "seq",
  "id",
  "tenant_id",
  "type",
  "version",
  "occurred_at",
  "recorded_at",
  "actor.kind",
  "actor.id",
  "targets.0.kind",
  "targets.0.id",
  "context.request_id",
  "context.trace_id",
  "context.address",
  "context.user_agent",
  "context.client_id",
  "context.auth_method",
  "targets",
  "data",
];

export const csvHeader = line(columns.map((name) => name.replace(".0.", ".")));

export function csvLine(seq: number, event: Record<string, unknown>): string {
  const row = { ...event, seq };
  return line(columns.map((path) => cell(at(row, path))));
}

function at(value: unknown, path: string): unknown {
  return path.split(".").reduce<unknown>(
    (part, name) => (part as Record<string, unknown> | null | undefined)?.[name],
    value,
  );
}

function cell(value: unknown): string {
  if (value === null || value === undefined) return "";
  return typeof value === "string" ? value : JSON.stringify(value);
}

function line(cells: string[]): string {
  return cells.map((text) => `"${inert(text).replaceAll('"', '""')}"`).join(",") + "\r\n";
}

/** A spreadsheet runs what begins so; behind an apostrophe it is text (OWASP, CSV injection). */
function inert(text: string): string {
  return /^[\s]*[=+\-@\t\r\n|%]/.test(text) ? `'${text}` : text;
}
