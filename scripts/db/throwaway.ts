// Throw-away databases for comparing schemas: one cluster each, so that roles and memberships are compared as well.
import postgres, { type Sql } from "postgres";
import { temporaryPostgres } from "../stack/postgres.ts";
import { migrate } from "../migrate.ts";
import { loadDeclared } from "./declared.ts";

export interface Throwaway extends AsyncDisposable {
  /** Of the superuser. */
  url: string;
  /** Of the role that owns our schemas. */
  ownerUrl: string;
}

/** A cluster with an empty database `gatehouse` that belongs to `gatehouse_migrator`, who is no superuser. */
export async function emptyDatabase(): Promise<Throwaway> {
  const cluster = await temporaryPostgres();
  const password = crypto.randomUUID();
  await withSql(cluster.url(), async (sql) => {
    await sql.unsafe(`create role gatehouse_migrator login createrole password '${password}'`);
    await sql.unsafe("create database gatehouse owner gatehouse_migrator");
  });
  return {
    url: cluster.url("gatehouse"),
    ownerUrl: `postgres://gatehouse_migrator:${password}@127.0.0.1:${cluster.port}/gatehouse`,
    [Symbol.asyncDispose]: () => cluster.stop(),
  };
}

/** All migrations, applied in order. */
export async function migratedDatabase(): Promise<Throwaway> {
  return await filled((url) => migrate({ url }));
}

/** All declarations, loaded into an empty database. */
export async function declaredDatabase(): Promise<Throwaway> {
  return await filled((url) => withSql(url, (sql) => loadDeclared(sql)));
}

async function filled(fill: (ownerUrl: string) => Promise<unknown>): Promise<Throwaway> {
  const database = await emptyDatabase();
  try {
    await fill(database.ownerUrl);
    return database;
  } catch (error) {
    await database[Symbol.asyncDispose]();
    throw error;
  }
}

export async function withSql<T>(url: string, use: (sql: Sql) => Promise<T>): Promise<T> {
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  try {
    return await use(sql);
  } finally {
    await sql.end();
  }
}
