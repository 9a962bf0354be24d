/**
 * The gate: with all migrations applied, the database is the one that sql/ and policies/ declare, in both directions.
 *
 * Usage: `deno task db:gate`. Exit 0 same · 1 not, with what differs on stdout.
 *
 * The CLI compares the schemas. What it leaves out is compared here: memberships and attributes of roles (it takes
 * Supabase's own roles as given) and the rows that declarations insert.
 */
import type { Sql } from "postgres";
import { bothDatabases, difference } from "./diff.ts";
import { withSql } from "./throwaway.ts";

/** One line a difference; empty when the gate is passed. */
export async function differences(from: { url: string }, to: { url: string }): Promise<string[]> {
  const [there, back, rows] = await Promise.all([
    difference(from, to),
    difference(to, from),
    rest(from, to),
  ]);
  return [
    ...(there === "" ? [] : [`-- migrations lack:\n${there}`]),
    // where only this direction differs, the CLI could not see it in the other
    ...(back === "" || there !== "" ? [] : [`-- declarations lack:\n${back}`]),
    ...rows,
  ];
}

async function rest(from: { url: string }, to: { url: string }): Promise<string[]> {
  const [left, right] = await Promise.all([from, to].map(({ url }) => withSql(url, facts)));
  return [
    ...[...right!].filter((fact) => !left!.has(fact)).map((fact) => `-- migrations lack: ${fact}`),
    ...[...left!].filter((fact) => !right!.has(fact)).map((fact) =>
      `-- declarations lack: ${fact}`
    ),
  ];
}

async function facts(sql: Sql): Promise<Set<string>> {
  const memberships = await sql<{ fact: string }[]>`
    select format('role %s is member of %s (admin %s, inherit %s, set %s)', member::regrole,
        roleid::regrole, admin_option, inherit_option, set_option) as fact
      from pg_auth_members where roleid::regrole::text not like 'pg\\_%'`;
  const roles = await sql<{ fact: string }[]>`
    select format('role %s: inherit %s, login %s, bypassrls %s, createrole %s, superuser %s, settings %s',
        r.rolname, rolinherit, rolcanlogin, rolbypassrls, rolcreaterole, rolsuper, s.setconfig) as fact
      from pg_roles r left join pg_db_role_setting s on s.setrole = r.oid and s.setdatabase = 0
     where r.rolname not like 'pg\\_%'`;
  const rows: string[] = [];
  for (const { table, columns } of await tablesWithColumns(sql)) {
    const found = await sql.unsafe(
      `select row_to_json(t)::text as row from (select ${columns} from ${table}) t`,
    );
    rows.push(...found.map(({ row }) => `row of ${table}: ${row}`));
  }
  return new Set([
    ...memberships.map(({ fact }) => fact),
    ...roles.map(({ fact }) => fact),
    ...rows,
  ]);
}

/** What a row says apart from when it was made and by which random id. The log and the queue hold nothing else, so they stay out. */
async function tablesWithColumns(sql: Sql): Promise<{ table: string; columns: string }[]> {
  return await sql<{ table: string; columns: string }[]>`
    select c.oid::regclass::text as table, string_agg(quote_ident(a.attname), ', ' order by a.attnum) as columns
      from pg_class c
      join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
      left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
     where c.relnamespace in (select oid from pg_namespace where nspname in ('public', 'private', 'graphile_worker'))
       and c.relkind = 'r' and c.relname not like 'audit\\_%' and c.relname <> '_private_jobs'
       and a.atttypid not in ('timestamptz'::regtype, 'xid8'::regtype)
       and coalesce(pg_get_expr(d.adbin, d.adrelid), '') !~ 'uuid'
     group by c.oid order by 1`;
}

if (import.meta.main) {
  const both = await bothDatabases();
  await using migrated = both.migrated;
  await using declared = both.declared;
  const found = await differences(migrated, declared);
  for (const one of found) console.log(one);
  console.error(
    found.length === 0
      ? "Migrations and declarations are the same"
      : "deno task db:diff NAME writes what migrations lack",
  );
  Deno.exitCode = found.length === 0 ? 0 : 1;
}
