// The functions that decide who may, each condition weakened in one way at a time. Read from the catalog, so a new condition is a new mutant.
import type { ISql } from "postgres";
import { type Mutant, withoutOnePart } from "./policy_mutants.ts";

/** Whose conditions decide. Functions that only ask private.require_right are found in the catalog. */
export const deciding = [
  "private.tenants_with",
  "private.platform_has",
  "private.client_may",
  "private.require_right",
  "private.require_platform",
  "private.change_status",
  "private.tg_assignments__check",
  "public.sign_out_everywhere",
  "public.whoami",
  "public.start_session",
];

/** Judged by the tokens of attacks_tokens.ts; the others by the matrix and attacks on rows. */
export const hook = ["private.authenticate", "private.check_request", "private.token_head"];

export interface FunctionMutant extends Omit<Mutant, "table"> {
  function: string;
}

export async function functionMutants(sql: ISql): Promise<FunctionMutant[]> {
  const functions = await sql<{ name: string; definition: string; source: string }[]>`
    select n.nspname || '.' || p.proname as name, pg_get_functiondef(p.oid) as definition, p.prosrc as source
      from pg_proc p join pg_namespace n on n.oid = p.pronamespace
     where n.nspname in ('public', 'private')
       and (n.nspname || '.' || p.proname = any (${[...deciding, ...hook]})
         or p.prosrc like '%private.require_right(%')
     order by 1`;
  return functions.flatMap(({ name, definition, source }) => {
    const code = withoutComments(source);
    return [...weakenings(code)].map(([what, changed]) => ({
      name: `${name}: ${what}`,
      function: name,
      statements: definition.replace(source, () => changed),
    }));
  });
}

/** A function's body with one thing left out. */
export function* weakenings(code: string): Generator<[string, string]> {
  for (const { start, end, keyword } of conditions(code)) {
    const condition = code.slice(start, end);
    const put = (instead: string) => `${code.slice(0, start)} ${instead} ${code.slice(end)}`;
    const said = condition.replaceAll(/\s+/g, " ").trim();
    // a refusal that never comes, a row that is always taken
    yield [
      `${keyword} ${said} → ${keyword === "if" ? "false" : "true"}`,
      put(keyword === "if" ? "false" : "true"),
    ];
    for (const [part, rest] of withoutOnePart(condition)) {
      yield [`${keyword} ${said} without ${part.replaceAll(/\s+/g, " ").trim()}`, put(rest)];
    }
  }
  for (const match of code.matchAll(/perform private\.(?:require_right|refuse)\([^;]*\);/g)) {
    yield [
      `without ${match[0].replaceAll(/\s+/g, " ")}`,
      cut(code, match.index, match[0], "null;"),
    ];
  }
  for (const match of code.matchAll(/raise exception [^;]*;/g)) {
    yield [
      `without ${match[0].replaceAll(/\s+/g, " ")}`,
      cut(code, match.index, match[0], "null;"),
    ];
  }
  for (const match of code.matchAll(/'([a-z_]+)\.(read|write)'/g)) {
    const other = `'${match[1]}.${match[2] === "read" ? "write" : "read"}'`;
    yield [`${match[0]} → ${other}`, cut(code, match.index, match[0], other)];
  }
  for (const match of code.matchAll(/private\.client_may\([a-z0-9_'.]+\)/g)) {
    yield [`${match[0]} → true`, cut(code, match.index, match[0], "true")];
  }
  for (const match of code.matchAll(/array\[('[a-z_]+'(?:, '[a-z_]+')+)\]/g)) {
    for (const item of match[1]!.split(", ")) {
      const changed = match[0].replace(item, "'nothing_of_this_name'");
      yield [`without ${item} in ${match[0]}`, cut(code, match.index, match[0], changed)];
    }
  }
  for (const match of code.matchAll(/in \(('[a-z_]+'(?:, '[a-z_]+')+)\)/g)) {
    for (const item of match[1]!.split(", ")) {
      const changed = match[0].replace(item, "'nothing_of_this_name'");
      yield [`without ${item} in ${match[0]}`, cut(code, match.index, match[0], changed)];
    }
  }
}

function cut(code: string, at: number, what: string, instead: string): string {
  return code.slice(0, at) + instead + code.slice(at + what.length);
}

function withoutComments(source: string): string {
  return source.replaceAll(/--[^\n]*/g, "");
}

interface Condition {
  keyword: string;
  start: number;
  end: number;
}

/** What stands behind `if`, `where`, a join's `on` and a case's `when`, up to where it ends. */
function* conditions(code: string): Generator<Condition> {
  for (const match of code.matchAll(/\b(if|elsif|where|on|when)\b(?! conflict)/g)) {
    const before = code.slice(0, match.index);
    const start = match.index + match[0].length;
    if (before.split("'").length % 2 === 0) continue; // inside a text
    if (/\b(end|exception)\s+$/.test(before)) continue; // `end if`, `exception when`
    const isChoice = ["if", "elsif", "when"].includes(match[0]);
    const end = endOf(code, start, isChoice ? /^then\b/ : endOfQuery);
    if (/^\s*'[^']*'\s*$/.test(code.slice(start, end))) continue; // a case's value, no condition
    yield { keyword: isChoice ? "if" : match[0], start, end };
  }
}

const endOfQuery =
  /^(?:where|(?:cross )?join|order by|limit|group by|returning|on conflict|for update|union|then|into)\b/;

function endOf(code: string, start: number, ends: RegExp): number {
  let depth = 0;
  let quoted = false;
  for (let index = start; index < code.length; index++) {
    const character = code[index]!;
    if (character === "'") quoted = !quoted;
    if (quoted) continue;
    if (character === "(") depth += 1;
    if (character === ")" && --depth < 0) return index;
    if (depth > 0) continue;
    if (character === ";") return index;
    if (/\W/.test(code[index - 1]!) && ends.test(code.slice(index))) return index;
  }
  return code.length;
}
