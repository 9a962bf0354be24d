/**
 * Holds the declared database to the rules of the house, as catalog queries that name the offender (lint_rules.ts), and the
 * text of sql/ and policies/ to its form (lint_text.ts).
 *
 * Usage: `deno task db:lint`. One line an offender on stdout: `rule: offender`. Exit 0 clean · 1 not.
 */
import type { ISql } from "postgres";
import { declaredFiles } from "./declared.ts";
import { definersLedger } from "./definers.ts";
import { catalogRules } from "./lint_rules.ts";
import { lintText } from "./lint_text.ts";
import { compareLocks } from "./locks.ts";
import { declaredDatabase, withSql } from "./throwaway.ts";

export interface Offence {
  rule: string;
  offender: string;
}

/** What offends the rules in a database that holds our schemas. */
export async function lintCatalog(sql: ISql, ledger = definersLedger()): Promise<Offence[]> {
  const offences: Offence[] = [];
  for (const [rule, query] of Object.entries(catalogRules)) {
    const found = await sql.unsafe<{ offender: string }[]>(query);
    offences.push(...found.map(({ offender }) => ({ rule, offender })));
  }
  return [...offences, ...await compareDefiners(sql, ledger), ...await compareLocks(sql)];
}

async function compareDefiners(sql: ISql, ledger: Set<string>): Promise<Offence[]> {
  const found = await sql<{ name: string }[]>`
    select case n.nspname when 'public' then '' else n.nspname || '.' end || p.proname || '('
        || replace(oidvectortypes(p.proargtypes), ', ', ',') || ')' as name
      from pg_proc p join pg_namespace n on n.oid = p.pronamespace
     where n.nspname in ('public', 'private') and p.prosecdef order by 1`;
  const names = new Set(found.map(({ name }) => name));
  return [
    ...[...names].filter((name) => !ledger.has(name)).map((offender) => ({
      rule: "a security definer has a line in policies/definers.md",
      offender,
    })),
    ...[...ledger].filter((name) => !names.has(name)).map((offender) => ({
      rule: "a line of policies/definers.md names a security definer",
      offender,
    })),
  ];
}

if (import.meta.main) {
  await using database = await declaredDatabase();
  const offences = [
    ...declaredFiles().flatMap((path) => lintText(path, Deno.readTextFileSync(path))),
    ...await withSql(database.url, (sql) => lintCatalog(sql)),
  ];
  for (const { rule, offender } of offences) console.log(`${rule}: ${offender}`);
  console.error(
    offences.length === 0 ? "Nothing offends the rules" : `${offences.length} offences`,
  );
  Deno.exitCode = offences.length === 0 ? 0 : 1;
}
