// Every policy of public, made weaker (or harder) in one way at a time.
import type { ISql } from "postgres";

export interface Mutant {
  /** Names it on reports and in equivalent.ts: `apps_update_writer: check → true`. */
  name: string;
  /** Whose lines of the matrix judge it. */
  table: string;
  statements: string;
}

interface Policy {
  table: string;
  name: string;
  roles: string[];
  using: string | null;
  check: string | null;
}

export async function policyMutants(sql: ISql): Promise<Mutant[]> {
  const policies = await sql<Policy[]>`
    select tablename as table, policyname as name, roles::text[] as roles, qual as using, with_check as check
      from pg_policies where schemaname = 'public' order by 1, 2`;
  const rights = await sql<{ key: string }[]>`select key from public.rights`;
  return policies.flatMap((policy) => mutantsOf(policy, rights.map(({ key }) => key)));
}

function mutantsOf(policy: Policy, rights: string[]): Mutant[] {
  const { table, name, roles } = policy;
  const on = `${name} on public.${table}`;
  const mutant = (what: string, statements: string): Mutant => ({
    name: `${name}: ${what}`,
    table,
    statements,
  });
  const found = [mutant("dropped", `drop policy ${on}`)];
  for (const clause of ["using", "check"] as const) {
    const expression = policy[clause];
    if (expression === null) continue;
    const keyword = clause === "using" ? "using" : "with check";
    for (const [what, changed] of weaken(expression, rights)) {
      found.push(mutant(`${clause} ${what}`, `alter policy ${on} ${keyword} (${changed})`));
    }
  }
  if (roles.length === 1) {
    found.push(mutant("for both roles", `alter policy ${on} to authenticated, gatehouse_platform`));
  }
  return found;
}

/** What is done to an expression, and what it then is. */
export function weaken(expression: string, rights: string[]): [string, string][] {
  const found: [string, string][] = expression === "true" ? [] : [["→ true", "true"]];
  for (const [part, rest] of withoutOnePart(expression)) found.push([`without ${part}`, rest]);
  for (const [literal, right] of expression.matchAll(/'([a-z_]+\.(?:read|write))'/g)) {
    const [domain, verb] = right!.split(".");
    const others = [`${domain}.${verb === "read" ? "write" : "read"}`, "tenants.read", "apps.read"];
    for (const other of new Set(others)) {
      if (other === right || !rights.includes(other)) continue;
      found.push([`${right} → ${other}`, expression.replace(literal, `'${other}'`)]);
    }
  }
  return found;
}

/** Each operand of each `and` and `or`, and the expression without it. */
export function withoutOnePart(expression: string): [string, string][] {
  const inner = withoutParentheses(expression);
  for (const operator of ["or", "and"]) {
    const parts = splitAtTop(inner, operator);
    if (parts.length === 1) continue;
    return parts.flatMap((part, index) => [
      [part, others(parts, index).join(` ${operator} `)] as [string, string],
      ...withoutOnePart(part).map(([what, rest]): [string, string] => [
        what,
        [...parts.slice(0, index), `(${rest})`, ...parts.slice(index + 1)].join(
          ` ${operator} `,
        ),
      ]),
    ]);
  }
  return [];
}

function others(parts: string[], index: number): string[] {
  return parts.filter((_, other) => other !== index);
}

function withoutParentheses(expression: string): string {
  const text = expression.trim();
  if (!text.startsWith("(") || closing(text) !== text.length - 1) return text;
  return withoutParentheses(text.slice(1, -1));
}

/** Where the parenthesis closes that opens a text. */
function closing(text: string): number {
  let depth = 0;
  for (const [index, character] of outsideQuotes(text)) {
    if (character === "(") depth += 1;
    if (character === ")" && --depth === 0) return index;
  }
  return -1;
}

function splitAtTop(text: string, operator: string): string[] {
  const parts: string[] = [];
  const here = new RegExp(`^\\s${operator}\\s`, "i");
  let depth = 0;
  let start = 0;
  for (const [index, character] of outsideQuotes(text)) {
    if (character === "(") depth += 1;
    else if (character === ")") depth -= 1;
    else if (depth === 0 && here.test(text.slice(index, index + 6))) {
      parts.push(text.slice(start, index));
      start = index + operator.length + 2;
    }
  }
  return [...parts, text.slice(start)];
}

function* outsideQuotes(text: string): Generator<[number, string]> {
  let quoted = false;
  for (let index = 0; index < text.length; index++) {
    if (text[index] === "'") quoted = !quoted;
    else if (!quoted) yield [index, text[index]!];
  }
}
