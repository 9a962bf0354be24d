// Who may: every exposed table and function × principal × verb, as expected.ts says, on both kinds of Postgres.
import assert from "node:assert/strict";
import type { Sql } from "postgres";
import { createDatabase } from "../../support/database.ts";
import { fixtures } from "../../support/postgres.ts";
import { onlies, type Role } from "./cast.ts";
import { faults, grantsOf, moveFaults, readTruth } from "./check.ts";
import { everyRole, executables } from "./executables.ts";
import { functions, tables } from "./expected.ts";
import { prepareToObserve, undone } from "./observe.ts";
import { seed } from "./seed.ts";

for (const fixture of fixtures) {
  Deno.test(`who may what is as written (${fixture})`, async (t) => {
    await using database = await createDatabase({ fixture });
    const sql = database.connect(undefined, { max: 1 });
    await seed(sql);
    await prepareToObserve(sql);

    await t.step("every exposed table and function has a line", () => everythingHasALine(sql));

    await t.step("every right has its holders", async () => {
      const rights = await sql<{ key: string }[]>`select key from public.rights order by key`;
      assert.deepEqual(
        [...new Set(onlies.map(({ right }) => right))].sort(),
        rights.map(({ key }) => key),
      );
    });

    await t.step("every table × principal × verb, every function × principal", async () => {
      const found = await faults(sql, await readTruth(sql));
      assert.equal(found.join("\n"), "");
    });

    await t.step("every column is granted as written, by role and verb", () => columnGrants(sql));

    await t.step(
      "a row cannot be moved to another tenant, not even by who may write the column",
      async () => {
        assert.deepEqual(await undone(sql, (tx) => moveFaults(tx)), []);
      },
    );

    await t.step("no role but the owner holds any right in a table of private", async () => {
      assert.deepEqual(await privileges(sql, "private"), []);
    });

    await t.step("no HTTP role reaches the queue", async () => {
      const found = await privileges(sql, "graphile_worker");
      assert.deepEqual(found.filter((one) => !one.startsWith("gatehouse_worker ")), []);
    });

    await t.step("who may execute which function is as written", () => executeRights(sql));
  });
}

async function everythingHasALine(sql: Sql): Promise<void> {
  const found = await sql<{ kind: string; name: string }[]>`
    select 'table' as kind, relname::text as name from pg_class
     where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'v', 'm', 'f')
    union all
    select 'function', oid::regprocedure::text from pg_proc p
     where pronamespace = 'public'::regnamespace
       and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')
     order by 1, 2`;
  const names = (kind: string) => found.filter((one) => one.kind === kind).map(({ name }) => name);
  assert.deepEqual(Object.keys(tables).sort(), names("table"));
  assert.deepEqual(
    [...new Set(functions.map(({ name }) => name))]
      .filter((name) => !name.startsWith("private.")).sort(),
    names("function").sort(),
  );
}

/** Names only what differs. */
function same(got: string[], expected: string[]): void {
  assert.deepEqual({
    tooMuch: got.filter((one) => !expected.includes(one)),
    missing: expected.filter((one) => !got.includes(one)),
  }, { tooMuch: [], missing: [] });
}

/** Of anon and service_role too: nothing. Also the rights that no line names: truncate, references, trigger, maintain. */
async function columnGrants(sql: Sql): Promise<void> {
  const rows = await sql<{ table: string; role: string; verb: string; columns: string[] }[]>`
    select c.relname as table, r.rolname as role, v.verb,
           array_agg(a.attname::text order by a.attnum) as columns
      from pg_class c
      join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
      cross join unnest(${everyRole}::text[]) as r (rolname)
      cross join unnest(array['select', 'insert', 'update', 'references']) as v (verb)
     where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v', 'm', 'f')
       and has_column_privilege(r.rolname, c.oid, a.attname, v.verb)
     group by 1, 2, 3
    union all
    select c.relname, r.rolname, v.verb, '{*}'
      from pg_class c
      cross join unnest(${everyRole}::text[]) as r (rolname)
      cross join unnest(array['delete', 'truncate', 'trigger', 'maintain']) as v (verb)
     where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v', 'm', 'f')
       and has_table_privilege(r.rolname, c.oid, v.verb)`;
  const all = await sql<{ table: string; columns: string[] }[]>`
    select c.relname as table, array_agg(a.attname::text) as columns
      from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
     where c.relnamespace = 'public'::regnamespace group by 1`;
  const columnsOf = new Map(all.map(({ table, columns }) => [table, columns]));

  const expected = Object.entries(tables).flatMap(([table, line]) =>
    (["authenticated", "gatehouse_platform"] satisfies Role[]).flatMap((role) =>
      Object.entries(grantsOf(line, role)).map(([verb, columns]) =>
        grantLine(table, role, verb, expand(verb, columns, columnsOf.get(table)!))
      )
    )
  );
  const got = rows.map(({ table, role, verb, columns }) => grantLine(table, role, verb, columns));
  same(got, expected);
}

function expand(verb: string, columns: string, all: string[]): string[] {
  if (verb === "delete") return ["*"];
  if (columns === "*") return all;
  const named = columns.replace(/^but /, "").split(" ");
  return columns.startsWith("but ") ? all.filter((column) => !named.includes(column)) : named;
}

function grantLine(table: string, role: string, verb: string, columns: string[]): string {
  return `${role} ${verb} ${table} (${[...columns].sort().join(" ")})`;
}

/** `role verb relation` for every right in a schema's tables and sequences. */
async function privileges(sql: Sql, schema: string): Promise<string[]> {
  const rows = await sql<{ held: string }[]>`
    select r.rolname || ' ' || v.verb || ' ' || c.relname as held
      from pg_class c
      cross join unnest(${everyRole}::text[]) as r (rolname)
      cross join unnest(array['select', 'insert', 'update', 'references', 'delete', 'truncate', 'trigger', 'maintain']) as v (verb)
     where c.relnamespace = ${schema}::regnamespace and c.relkind in ('r', 'p', 'v', 'm', 'f')
       and (has_table_privilege(r.rolname, c.oid, v.verb)
         or v.verb in ('select', 'insert', 'update', 'references')
           and has_any_column_privilege(r.rolname, c.oid, v.verb))
    union all
    select r.rolname || ' ' || v.verb || ' ' || c.relname
      from pg_class c
      cross join unnest(${everyRole}::text[]) as r (rolname)
      cross join unnest(array['usage', 'select', 'update']) as v (verb)
     where c.relnamespace = ${schema}::regnamespace
       and case when c.relkind = 'S' then has_sequence_privilege(r.rolname, c.oid, v.verb) end`;
  return rows.map(({ held }) => held);
}

async function executeRights(sql: Sql): Promise<void> {
  const rows = await sql<{ right: string }[]>`
    select r.rolname || ' ' || p.oid::regprocedure::text as right
      from pg_proc p
      cross join unnest(${everyRole}::text[]) as r (rolname)
     where p.pronamespace in ('public'::regnamespace, 'private'::regnamespace)
       and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')
       and has_function_privilege(r.rolname, p.oid, 'execute')`;
  const expected = executables.flatMap(({ roles, functions }) =>
    roles.split(" ").flatMap((role) => functions.map((name) => `${role} ${name}`))
  );
  same(rows.map(({ right }) => right), expected);
}
