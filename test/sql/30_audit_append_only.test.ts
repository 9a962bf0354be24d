// AOL: no role that is used at run time changes or removes a row of the log, except through the procedures that are named here.
import assert from "node:assert/strict";
import { loginRoles } from "../support/database.ts";
import { undone } from "../support/log.ts";
import { suiteDatabase } from "../support/suite.ts";
import { everyRole } from "./matrix/executables.ts";

const database = suiteDatabase();

/** The log and everything that proves it. */
const tables = async () =>
  (await database().sql<{ name: string }[]>`
    select c.oid::regclass::text as name from pg_class c
     where c.relkind in ('r', 'p') and c.relnamespace in ('public'::regnamespace, 'private'::regnamespace)
       and c.relname ~ '^audit_(events|personal|sequence|sequencer|leaves|trees|signatures|checkpoints|tombstones|sealer)'
     order by 1`).map(({ name }) => name);

const aColumn = async (table: string): Promise<string> =>
  (await database().sql`
    select attname from pg_attribute where attrelid = ${table}::regclass and attnum = 1`)[0]!
    .attname;

Deno.test("AOL-01 the list is whole: the log, each month, and what is kept beside it", async () => {
  const found = await tables();
  assert.ok(found.length >= 14 + 1 + 9, String(found.length));
  for (
    const name of ["personal", "sequence", "leaves", "signatures", "checkpoints", "tombstones"]
  ) {
    assert.ok(found.includes(`private.audit_${name}`), name);
  }
});

for (const role of everyRole) {
  Deno.test(`AOL-02 ${role} updates, deletes and truncates nothing of it`, async () => {
    const logsIn = loginRoles.includes(role);
    const sql = logsIn ? database().connect(role, { max: 1 }) : database().sql;
    for (const table of await tables()) {
      const column = await aColumn(table);
      for (
        const statement of [
          `update ${table} set ${column} = ${column}`,
          `delete from ${table}`,
          `truncate ${table}`,
          `drop table ${table}`,
          `alter table ${table} disable trigger all`,
        ]
      ) {
        await assert.rejects(
          undone(sql, async (tx) => {
            if (!logsIn) await tx`select set_config('role', ${role}, true)`;
            await tx.unsafe(statement);
          }),
          { code: "42501" },
          statement,
        );
      }
    }
  });
}

Deno.test("AOL-03 none of them owns it, can become its owner, or passes by row level security", async () => {
  const rows = await database().sql`
    select r.rolname, pg_has_role(r.oid, c.relowner, 'member') as member, r.rolsuper, r.rolbypassrls, r.rolcreaterole
      from pg_roles r, pg_class c
     where r.rolname = any (${everyRole}) and r.rolname <> 'service_role' and c.oid = 'public.audit_events'::regclass
       and (pg_has_role(r.oid, c.relowner, 'member') or r.rolsuper or r.rolbypassrls or r.rolcreaterole)`;
  assert.deepEqual([...rows], []);
});

Deno.test("AOL-04 the procedures that remove or change anything of it are these", async () => {
  const rows = await database().sql<{ name: string }[]>`
    select p.oid::regprocedure::text as name from pg_proc p
     where p.pronamespace in ('public'::regnamespace, 'private'::regnamespace)
       and (p.prosrc ~* '\\m(update|delete from|truncate|merge into)\\s+(only\\s+)?(public|private)\\.audit_(events|personal|sequence|leaves|signatures|checkpoints|tombstones)\\M'
         or p.prosrc ~* '\\m(drop|alter|truncate)\\s+table')
     order by 1`;
  assert.deepEqual(rows.map(({ name }) => name), [
    "private.bury(uuid,timestamp with time zone,bigint,text)", // retention: what goes with a month
    "private.drop_audit_month(integer,jsonb)", // retention: the month
    "private.remove_old_values(integer)", // retention: personal values
    "private.remove_values_of(uuid,uuid,text[])", // erasure of a person
  ]);
});
