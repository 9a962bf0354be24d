// What tests ask of the log and the queue.
import type { ISql, Sql, TransactionSql } from "postgres";
import { checkCatalogueOfTransaction } from "./catalogue.ts";

export interface LoggedEvent {
  tenant_id: string;
  type: string;
  actor: { kind: string; id: string | null };
  targets: { kind: string; id: string }[];
  data: Record<string, Record<string, unknown>>;
  context: Record<string, string>;
}

/** Events of this transaction, or of all when `sql` is a pool that looks back; oldest first. */
export async function eventsOf(sql: ISql, tenant: string, type = "%"): Promise<LoggedEvent[]> {
  return [
    ...await sql<LoggedEvent[]>`
    select tenant_id, type, actor, targets, data, context from public.audit_events
     where tenant_id = ${tenant} and type like ${type} order by recorded_at, id`,
  ];
}

export interface Job {
  task: string;
  key: string | null;
  payload: Record<string, unknown>;
}

/** Waiting jobs, oldest first. */
export async function jobs(sql: ISql, task = "%"): Promise<Job[]> {
  return [
    ...await sql<Job[]>`
    select t.identifier as task, j.key, j.payload
      from graphile_worker._private_jobs j join graphile_worker._private_tasks t on t.id = j.task_id
     where t.identifier like ${task} order by j.id`,
  ];
}

const undo = Symbol("undo");

/** Runs `fn` in a transaction that is rolled back, once what it recorded is held to the catalogue. */
export async function undone<T>(
  sql: Sql,
  fn: (tx: TransactionSql) => Promise<T>,
): Promise<T> {
  let result: { value: T } | undefined;
  await sql.begin(async (tx) => {
    result = { value: await fn(tx) };
    await checkCatalogueOfTransaction(tx);
    throw undo;
  }).catch((error) => {
    if (error !== undo) throw error;
  });
  return result!.value;
}

/** Looks past row level security inside a caller's transaction, then goes back to the caller. */
export async function asOwner<T>(
  tx: TransactionSql,
  look: () => Promise<T>,
): Promise<T> {
  const [before] = await tx<{ role: string }[]>`select current_user as role`;
  await tx`reset role`;
  const found = await look();
  await tx`select set_config('role', ${before!.role}, true)`;
  return found;
}
