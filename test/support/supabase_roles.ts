// What Supabase's Postgres image has made before our first migration runs, as far as it can matter to us.
// Source: supabase/postgres, migrations/db (init-scripts and migrations), read at 17.6.1.
import { withSql } from "../../scripts/db/throwaway.ts";

/** Turns a fresh cluster into one with Supabase's roles. `postgres`, who runs migrations there, is no superuser. */
export async function becomeSupabase(superuserUrl: string, password: string): Promise<void> {
  await withSql(
    superuserUrl,
    (sql) => sql.unsafe(`create role passing superuser login password '${password}'`),
  );
  const url = new URL(superuserUrl);
  [url.username, url.password] = ["passing", password];
  await withSql(url.href, (sql) =>
    sql.unsafe(`
    -- the superuser that initdb made keeps that attribute for ever, so it changes its name instead
    alter role postgres rename to supabase_admin;
    alter role supabase_admin password '${password}';
  `));
  url.username = "supabase_admin";
  await withSql(url.href, (sql) =>
    sql.unsafe(`
    drop role passing;
    create role postgres nosuperuser createdb createrole login replication bypassrls password '${password}';
    create role anon nologin;
    create role authenticated nologin;
    create role service_role nologin bypassrls;
    create role authenticator login noinherit password '${password}';
    grant anon, authenticated, service_role to authenticator;
    grant anon, authenticated, service_role to postgres with admin option;
    alter role anon set statement_timeout = '3s';
    alter role authenticated set statement_timeout = '8s';
    alter role postgres set search_path = "$user", public, extensions;
  `));
}

/** Turns a fresh database of `postgres` into one as Supabase hands it over; run as supabase_admin. */
export const databaseAsSupabaseGivesIt = `
  create publication supabase_realtime;
  create schema extensions;
  grant all on schema extensions to postgres;
  grant usage on schema extensions to anon, authenticated, service_role;
  create extension "uuid-ossp" with schema extensions;
  create extension pgcrypto with schema extensions;
  grant usage on schema public to postgres, anon, authenticated, service_role;
  alter default privileges for role supabase_admin, postgres in schema public
    grant all on tables to postgres, anon, authenticated, service_role;
  alter default privileges for role supabase_admin, postgres in schema public
    grant all on functions to postgres, anon, authenticated, service_role;
  alter default privileges for role supabase_admin, postgres in schema public
    grant all on sequences to postgres, anon, authenticated, service_role;
`;
