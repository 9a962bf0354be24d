// docs/events.md: the catalogue of events as the database has it, for those who receive them.
import { join } from "node:path";
import type { ISql } from "postgres";
import { root } from "../stack/layout.ts";

export const eventsFile = join(root, "docs/events.md");

interface Schema {
  type?: string | string[];
  properties?: Record<string, Schema>;
  $defs?: { columns?: Schema };
  description?: string;
  format?: string;
  enum?: unknown[];
  const?: unknown;
  anyOf?: Schema[];
  items?: Schema;
  pattern?: string;
  additionalProperties?: boolean | Schema;
}

export interface EventType {
  name: string;
  version: number;
  description: string;
  schema: Schema;
  example: unknown;
}

export async function readEventTypes(sql: ISql): Promise<EventType[]> {
  return [
    ...await sql<EventType[]>`
    select name, version, description, schema, example from public.event_types order by name`,
  ];
}

export function eventsPage(types: EventType[]): string {
  const kinds = [...new Set(types.map(({ name }) => kindOf(name)))];
  return [
    head,
    ...kinds.flatMap((kind) => section(kind, types.filter(({ name }) => kindOf(name) === kind))),
  ].join("\n\n") + "\n";
}

const head = `# Events

Written by \`deno task docs\` from the catalogue, the table \`event_types\`; do not edit. There each type also has the JSON Schema (2020-12) of its \`data\`;
every event that a test records is validated against it.

A webhook's body. A row of \`rpc/list_events\` has \`occurred_at\` for \`timestamp\`, no \`tenant_id\`, and \`seq\`, \`recorded_at\` and \`context\` besides:

\`\`\`json
{
  "type": "user.signed_out", "version": 1, "id": "01990000-0000-7000-8000-000000000001",
  "tenant_id": "01990000-0000-7000-8000-00000000000a", "timestamp": "2026-11-22T10:00:00.123456Z",
  "actor": { "kind": "user", "id": "01990000-0000-7000-8000-000000000501" },
  "targets": [{ "kind": "user", "id": "01990000-0000-7000-8000-000000000501" }],
  "data": { "session_id": "331122334455667788", "client_id": "331122334455667789" }
}
\`\`\`

\`actor.kind\`: user, service, system, anonymous or operator. The first target is the thing itself. A prefix such as \`user.*\` subscribes to everything
that begins so. A member may be added to \`data\` at any time; what would break a reader gets a new \`version\`. Changes hold the columns of a row: all of them
under \`after\` of created and \`before\` of deleted, only what changed in updated. Secrets are \`"[redacted]"\`; a personal value is null once it was erased.

\`context\`, which webhooks leave out: \`request_id\`, \`trace_id\`, \`traceparent\`, \`address\`, \`user_agent\`, \`client_id\`, and \`auth_method\`: of a sign-in how (\`password\`,
\`passkey\` …), of another change what let the caller in (\`user_session\`, \`service_account\`, \`worker\`). What is not known is left out.

A tenant's own types begin with \`custom.\`: register one with its schema in \`custom_event_types\`, record events by \`POST /functions/v1/events\`.
Put ids into their \`data\` and no personal values: what stands there is not erased with a person. What readers are to be shown beside ids goes elsewhere, is kept beside the
event as personal values, and is erased with any person of the tenant that the event names:

\`\`\`json
{
  "tenantId": "01990000-0000-7000-8000-00000000000a", "type": "custom.order.placed", "data": { "amount": 3 },
  "actor": { "kind": "user", "id": "331122334455667780", "name": "Bob Bee" },
  "context": { "address": "198.51.100.4", "userAgent": "Mozilla/5.0" },
  "targets": [{ "kind": "order", "id": "7", "name": "Chairs", "metadata": { "shelf": "B", "paid": true } }]
}
\`\`\`

\`actor\` is a \`user\` or \`service\`: one of the tenant by our id or by the \`sub\` of its tokens (the log then has our id), or one that only the application knows; another tenant's is refused
(\`event_actor_refused\`). Without it the caller acted. Who called always stands in \`context.recorded_by\`, and nobody sets that. \`metadata\` has 20 members at most: texts of up to 500
characters, numbers, true or false.`;

function section(kind: string, types: EventType[]): string[] {
  const changes = types.find(({ schema }) => schema.$defs?.columns);
  const others = types.filter(({ schema }) => !schema.$defs?.columns);
  return [
    `## ${kind}`,
    table(
      ["Type", "Version", "Means"],
      types.map(({ name, version, description }) => [`\`${name}\``, `${version}`, description]),
    ),
    ...changes ? ["Columns of its changes:", members(changes.schema.$defs!.columns!)] : [],
    ...others.flatMap(({ name, schema, example }) => [
      `### ${name}`,
      ...Object.keys(schema.properties ?? {}).length > 0
        ? [members(schema), fenced(example)]
        : ["`data` is empty."],
    ]),
  ];
}

function members({ properties = {} }: Schema): string {
  return table(
    ["Member", "Value", "Means"],
    Object.entries(properties).map(([name, schema]) => [
      `\`${name}\``,
      valueOf(schema),
      schema.description ?? "",
    ]),
  );
}

function valueOf(
  { type, format, enum: values, const: only, anyOf, items, properties }: Schema,
): string {
  if (values) return values.map((value) => `\`${value}\``).join(", ");
  if (only !== undefined) return `\`${only}\``;
  if (anyOf) return anyOf.map((one) => one.format ?? valueOf(one)).join(" or ");
  if (items) return `array of ${valueOf(items)}${[type].flat().includes("null") ? " or null" : ""}`;
  if (properties) {
    return Object.entries(properties).map(([name, one]) => `${name}: ${valueOf(one)}`).join("; ");
  }
  if (!type) return "any";
  return [type].flat().map((one) => one === "string" ? format ?? one : one).join(" or ");
}

function fenced(example: unknown): string {
  return "```json\n" + JSON.stringify(example, null, 2) + "\n```";
}

function table(names: string[], rows: string[][]): string {
  const cell = (text: string) => text.replaceAll("|", "\\|");
  return [
    `| ${names.join(" | ")} |`,
    `|${"---|".repeat(names.length)}`,
    ...rows.map((row) => `| ${row.map(cell).join(" | ")} |`),
  ].join("\n");
}

function kindOf(name: string): string {
  return name.split(".")[0]!;
}
