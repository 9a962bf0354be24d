// What stands inside the cluster before anybody migrates: two databases and their owners.
import postgres from "postgres";
import { type LoginRole, loginRoles } from "./credentials.ts";

/**
 * Makes `gatehouse`, owned by `gatehouse_migrator` (may make roles, is no superuser), and `zitadel`, owned by its own role.
 * Running it again does no harm.
 */
export async function makeDatabases(
  superuserUrl: string,
  { gatehouse_migrator, zitadel }: Record<"gatehouse_migrator" | "zitadel", string>,
): Promise<void> {
  const sql = connect(superuserUrl);
  try {
    await makeRole(sql, "gatehouse_migrator", "createrole");
    await makeRole(sql, "zitadel", "");
    await setPasswords(sql, { gatehouse_migrator, zitadel });
    await makeDatabase(sql, "gatehouse", "gatehouse_migrator");
    await makeDatabase(sql, "zitadel", "zitadel");
    await sql`revoke all on database zitadel from public`;
  } finally {
    await sql.end({ timeout: 1 }); // Postgres may be gone when a start is interrupted
  }
}

/** Gives the login roles their passwords; migrations make the roles without any. */
export async function installPasswords(
  superuserUrl: string,
  passwords: Record<LoginRole, string>,
): Promise<void> {
  const sql = connect(superuserUrl);
  try {
    await setPasswords(sql, passwords);
  } finally {
    await sql.end({ timeout: 1 }); // Postgres may be gone when a start is interrupted
  }
}

function connect(url: string): postgres.Sql {
  return postgres(url, { max: 1, onnotice: () => {} });
}

async function makeRole(sql: postgres.Sql, name: string, rights: string): Promise<void> {
  const [found] = await sql`select 1 from pg_roles where rolname = ${name}`;
  if (!found) await sql.unsafe(`create role ${name} login ${rights}`);
}

async function makeDatabase(sql: postgres.Sql, name: string, owner: string): Promise<void> {
  const [found] = await sql`select 1 from pg_database where datname = ${name}`;
  if (!found) await sql.unsafe(`create database ${name} owner ${owner}`);
}

async function setPasswords(
  sql: postgres.Sql,
  passwords: Partial<Record<LoginRole, string>>,
): Promise<void> {
  for (const role of loginRoles) {
    const password = passwords[role];
    if (password === undefined) continue;
    // quote_literal: `alter role` takes no parameters.
    const [row] =
      await sql`select format('alter role %I login password %L', ${role}::text, ${password}::text) as ddl`;
    await sql.unsafe(row!.ddl);
  }
}
