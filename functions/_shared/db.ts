// The database: one pool a process, and the caller's own eyes for one transaction.
import postgres from "postgres";
import type { Caller } from "./auth.ts";
import { config } from "./config.ts";
import { span, SpanKind } from "./telemetry.ts";

export type Sql = postgres.Sql;
export type Transaction = postgres.TransactionSql;

/** A pool. Closed by the one who made it. */
export function connect(url: string, options: { max?: number; name?: string } = {}): Sql {
  return postgres(url, {
    max: options.max ?? 10,
    idle_timeout: 60,
    connect_timeout: 5,
    connection: { application_name: options.name ?? "gatehouse" },
    onnotice: () => {},
  });
}

let pool: Sql | undefined;

/** This process's pool, opened on first use. */
export function database(): Sql {
  const { dbUrl, dbPool } = config();
  return pool ??= connect(dbUrl, { max: dbPool, name: "gatehouse functions" });
}

/** Lets running queries end, 5 s at most. */
export async function closeDatabase(): Promise<void> {
  const closing = pool;
  pool = undefined;
  await closing?.end({ timeout: 5 });
}

export interface AsCallerOptions {
  sql?: Sql;
  /** As PostgREST gives the hook. Default POST and `/`. */
  method?: string;
  path?: string;
  /** Default 10 000. */
  timeoutMs?: number;
}

/**
 * Runs `fn` in one transaction with exactly the rights that the same request has at PostgREST: its settings, role anon, then
 * `private.check_request()`, which decides who it is or throws (401, 403). Never call ZITADEL inside `fn`.
 */
export async function asCaller<T>(
  caller: Caller,
  fn: (sql: Transaction) => Promise<T>,
  options: AsCallerOptions = {},
): Promise<T> {
  const sql = options.sql ?? database();
  return await span(
    "db.as_caller",
    { "db.system.name": "postgresql" },
    async () =>
      await sql.begin(async (tx) => {
        await tx`
        select set_config('request.jwt.claims', ${JSON.stringify(caller.claims)}, true),
          set_config('request.headers', ${JSON.stringify(caller.headers)}, true),
          set_config('request.method', ${options.method ?? "POST"}, true),
          set_config('request.path', ${options.path ?? "/"}, true),
          set_config('statement_timeout', ${String(options.timeoutMs ?? 10_000)}, true),
          set_config('role', 'anon', true)`;
        await tx`select private.check_request()`;
        return await fn(tx);
      }) as T,
    SpanKind.CLIENT,
  );
}
