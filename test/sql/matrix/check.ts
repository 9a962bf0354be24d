// Compares what the database answers with expected.ts. One line a fault: thing × principal × verb.
import type { ISql } from "postgres";
import {
  holders,
  type Label,
  labels,
  type Principal,
  principals,
  type Role,
  tenants,
} from "./cast.ts";
import { type FunctionLine, functions, type TableLine, tables, type Who } from "./expected.ts";
import { observe, type Observed, type Outcome, type Probe } from "./observe.ts";

/** A row as the superuser sees it: its key, whose it is. */
interface Row {
  key: string;
  label: string;
  own: string | null;
}

/** What does not change while everything is undone: the rows of the seed and how to name them. */
export interface Truth {
  keys: Record<string, string>;
  rows: Record<string, Row[]>;
}

const everybody = [...principals, ...holders];

/** Run as the superuser, once a seeded database. */
export async function readTruth(sql: ISql): Promise<Truth> {
  const truth: Truth = { keys: {}, rows: {} };
  const found = await sql<{ name: string; key: string }[]>`
    select c.relname as name, string_agg(quote_ident(a.attname) || '::text', $$ || '/' || $$ order by a.attnum) as key
      from pg_class c
      join pg_index i on i.indrelid = c.oid and i.indisprimary
      join pg_attribute a on a.attrelid = c.oid and a.attnum = any (i.indkey)
     where c.relnamespace = 'public'::regnamespace group by c.relname`;
  const views = Object.entries(tables).flatMap(([name, { key }]) => key ? [{ name, key }] : []);
  for (const { name, key } of [...found, ...views]) {
    const line = tables[name];
    if (!line) continue; // named by its own test
    truth.keys[name] = key;
    const owner = line.owner === "all"
      ? "'all'"
      : `coalesce(${line.owner ?? "tenant_id"}, '${tenants.P}')::text`;
    const rows = await sql.unsafe<Row[]>(
      `select ${key} as key, ${owner} as label, ${
        line.own ?? "null"
      }::text as own from public.${name} where not (${line.but ?? "false"})`,
    );
    truth.rows[name] = rows.map((row) => ({ ...row, label: labelOf(row.label) }));
  }
  return truth;
}

function labelOf(owner: string): string {
  return labels.find((label) => tenants[label] === owner) ?? owner;
}

/** All of it, or only the named tables (and no function). */
export async function faults(sql: ISql, truth: Truth, only?: string[]): Promise<string[]> {
  const lines = Object.entries(tables).filter(([name]) => only?.includes(name) ?? true);
  const probes = [
    ...lines.flatMap(([name, line]) => tableProbes(name, line, truth)),
    ...(only ? [] : functions.flatMap(functionProbes)),
  ];
  const seen = await observe(sql, everybody, probes);
  return everybody.flatMap((principal) => {
    const observed = seen[principal.name]!;
    if (observed.role !== principal.role) {
      return [
        `${principal.name}: comes as ${observed.role ?? observed.refused}, not ${principal.role}`,
      ];
    }
    return [
      ...lines.flatMap(([name, line]) => tableFaults(name, line, principal, observed, truth)),
      ...(only ? [] : functions.flatMap((line, i) => functionFaults(line, i, principal, observed))),
    ];
  });
}

/**
 * The second lock: with the grant of the column given away, a policy's check still keeps a row in its tenant.
 * `sql` is a transaction that is undone, for it grants.
 */
export async function moveFaults(sql: ISql, only?: string[]): Promise<string[]> {
  const lines = Object.entries(tables).filter(([name, line]) =>
    (only?.includes(name) ?? true) && line.update !== undefined && line.owner !== "all"
  );
  if (lines.length === 0) return [];
  const probes: Probe[] = [];
  for (const [name, { owner = "tenant_id" }] of lines) {
    await sql.unsafe(`grant update (${owner}) on public.${name} to authenticated`);
    const move = `update public.${name} set ${owner} = '${tenants.E}'`;
    probes.push({ id: name, kind: "count", sql: move });
  }
  const alice = principals.find(({ name }) => name === "alice")!;
  const { outcomes } = (await observe(sql, [alice], probes)).alice!;
  return lines.flatMap(([name, line]) => {
    const outcome = outcomes[name]!;
    const held = reached(line.update, alice).length > 0
      ? isDenied(outcome)
      : "count" in outcome && outcome.count === 0; // no policy lets her see a row to move
    return held ? [] : [`${name} × alice × move to E: expected a refusal, got ${say(outcome)}`];
  });
}

function tableProbes(name: string, line: TableLine, { keys }: Truth): Probe[] {
  const inserts = line.insert?.endsWith(": all") ? ["all"] : labels;
  return [
    { id: `${name} read`, kind: "keys", sql: `select ${keys[name]} from public.${name}` },
    ...inserts.map((label): Probe => ({
      id: `${name} insert ${label}`,
      kind: "count",
      sql: line.try?.insert?.(label as Label) ?? `insert into public.${name} default values`,
    })),
    {
      id: `${name} update`,
      kind: "count",
      // without a template no column may be written, so any will do
      sql: line.try?.update ?? `update public.${name} set ${keys[name]!.split("::")[0]} = default`,
    },
    { id: `${name} delete`, kind: "count", sql: `delete from public.${name}` },
  ];
}

function tableFaults(
  name: string,
  line: TableLine,
  principal: Principal,
  { outcomes }: Observed,
  truth: Truth,
): string[] {
  const rows = truth.rows[name]!;
  const fault = (verb: string, expected: string, outcome: Outcome) =>
    `${name} × ${principal.name} × ${verb}: expected ${expected}, got ${say(outcome)}`;
  const found: string[] = [];

  const read = outcomes[`${name} read`]!;
  if (!may(line, principal.role, "select")) {
    if (!isDenied(read)) found.push(fault("select", "42501", read));
  } else {
    const mine = reached(line.read, principal, line.right.read);
    const expected = rows
      .filter(({ label, own }) =>
        mine.includes(label) || (own !== null && own === principal.userId)
      ).map(({ key }) => key);
    const got = "keys" in read ? read.keys : undefined;
    if (!got || !sameSet(got, expected)) {
      found.push(fault("select", `${expected.length} rows of [${mine}]`, read));
    }
  }
  for (const label of line.insert?.endsWith(": all") ? ["all"] : labels) {
    const outcome = outcomes[`${name} insert ${label}`]!;
    const works = may(line, principal.role, "insert") &&
      reached(line.insert, principal, line.right.write).includes(label);
    if (works ? !("count" in outcome && outcome.count === 1) : !isDeniedWrite(outcome)) {
      found.push(fault(`insert ${label}`, works ? "1" : "42501", outcome));
    }
  }
  for (const verb of ["update", "delete"] as const) {
    const outcome = outcomes[`${name} ${verb}`]!;
    if (!may(line, principal.role, verb)) {
      if (!isDeniedWrite(outcome)) found.push(fault(verb, "42501", outcome));
      continue;
    }
    const mine = reached(line[verb], principal, line.right.write);
    const count = rows.filter(({ label }) => mine.includes(label)).length;
    if (!("count" in outcome) || outcome.count !== count) {
      found.push(fault(verb, `${count} rows of [${mine}]`, outcome));
    }
  }
  return found;
}

function functionProbes(line: FunctionLine, index: number): Probe[] {
  return targets(line).map((label) => ({
    id: `${index} ${label}`,
    kind: "count",
    sql: line.call(label as Label),
  }));
}

function functionFaults(
  line: FunctionLine,
  index: number,
  principal: Principal,
  { outcomes }: Observed,
): string[] {
  const mayCall = line.roles.split(" ").includes(principal.role);
  return targets(line).flatMap((label) => {
    const outcome = outcomes[`${index} ${label}`]!;
    const works = mayCall &&
      (line.right === undefined && principal.only !== undefined ||
        reached(line.works, principal, line.right).includes(label));
    if (
      works
        ? "count" in outcome
        : "refused" in outcome && (mayCall ? outcome.refused === line.otherwise : isDenied(outcome))
    ) {
      return [];
    }
    const expected = works ? "to work" : mayCall ? line.otherwise : "42501";
    return [
      `${line.name} × ${principal.name} × execute on ${label}: expected ${expected}, got ${
        say(outcome)
      }`,
    ];
  });
}

function targets({ on }: FunctionLine): string[] {
  return on?.split(" ") ?? labels;
}

/** The labels that a principal reaches by a line; by the line's right when they hold a single one. */
function reached(who: Who | undefined, { name, only }: Principal, right?: string): string[] {
  if (who === undefined) return [];
  const parts = who.split("; ").map((part) => {
    const [names, reach] = part.split(": ");
    return { names: names!.split(" "), reach: reach!.split(" ") };
  });
  const like = only === undefined
    ? [name.replaceAll(" ", "-")]
    : right !== undefined && right !== only.right
    ? []
    // a line without a right is open to whoever signed in
    : [only.scope === "platform" ? "pat" : "alice"];
  return parts.filter(({ names }) => like.some((one) => names.includes(one)))
    .flatMap(({ reach }) => reach);
}

/** Verb → columns, as a line grants them to a role. */
export function grantsOf({ grants }: TableLine, role: Role): Record<string, string> {
  const text = role === "anon" ? undefined : grants.both ?? grants[role];
  return Object.fromEntries(
    (text?.split("; ") ?? []).map((part) => {
      const [verb, columns = "*"] = part.split(": ");
      return verb!.endsWith(" but") ? [verb!.slice(0, -4), `but ${columns}`] : [verb!, columns];
    }),
  );
}

function may(line: TableLine, role: Role, verb: string): boolean {
  return verb in grantsOf(line, role);
}

function isDenied(outcome: Outcome): boolean {
  return "refused" in outcome && outcome.refused.startsWith("42501 ");
}

/** A view of several tables takes no write from anybody: Postgres says so (55000) before it asks for a right. */
function isDeniedWrite(outcome: Outcome): boolean {
  return isDenied(outcome) ||
    "refused" in outcome &&
      /^55000 cannot (insert into|update|delete from) view /.test(outcome.refused);
}

function sameSet(left: string[], right: string[]): boolean {
  return left.length === right.length && new Set([...left, ...right]).size === right.length;
}

function say(outcome: Outcome): string {
  if ("refused" in outcome) return outcome.refused;
  return "keys" in outcome ? `${outcome.keys.length} rows` : `${outcome.count}`;
}
