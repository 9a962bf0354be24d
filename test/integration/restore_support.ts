// A dump and its restore as pg_dump and pg_restore do it: every row of one snapshot, put in while no trigger fires.
// Copied by hand, since the binaries that come with the database have no pg_dump.
import { join } from "node:path";
import type { Sql } from "postgres";
import { findFreeRow } from "../../scripts/stack/ports.ts";
import {
  type Cluster,
  initPostgres,
  startPostgres,
  superuserUrl,
} from "../../scripts/stack/postgres.ts";

interface Table {
  name: string;
  columns: string;
}

/** Our tables in an order of no importance; partitions come with their parents, generated columns by themselves. */
async function tables(sql: Sql): Promise<Table[]> {
  return await sql<Table[]>`
    select c.oid::regclass::text as name, string_agg(quote_ident(a.attname), ', ' order by a.attnum) as columns
      from pg_class c
      join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
     where c.relnamespace in ('public'::regnamespace, 'private'::regnamespace)
       and c.relkind in ('r', 'p') and not c.relispartition
     group by c.oid order by 1`;
}

/** Both as superusers; `to` is migrated as `from` is. */
export async function restore(from: Sql, to: Sql): Promise<void> {
  const all = await tables(from);
  await from.begin("isolation level repeatable read read only", async (dump) => {
    await to.begin(async (load) => {
      const triggers = await load<{ line: string }[]>`
        select format('alter table %s %s trigger %I', tgrelid::regclass,
            case tgenabled when 'A' then 'enable always' else 'enable' end, tgname) as line
          from pg_trigger t join pg_class c on c.oid = t.tgrelid
         where not tgisinternal and tgparentid = 0 and tgenabled <> 'D'
           and c.relnamespace in ('public'::regnamespace, 'private'::regnamespace)`;
      await load.unsafe(`truncate ${all.map(({ name }) => name).join(", ")} cascade`);
      for (const { name } of all) await load.unsafe(`alter table ${name} disable trigger all`);
      for (const { name, columns } of all) {
        const rows = await dump.unsafe<{ line: string }[]>(
          `select x::text as line from ${name} x`,
        );
        const fields = columns.split(", ").map((column) => `(r).${column}`).join(", ");
        await load.unsafe(
          `insert into ${name} (${columns}) overriding system value
           select ${fields} from (select line::${name} as r from unnest($1::text[]) line) x`,
          [rows.map(({ line }) => line)],
        );
      }
      for (const { name } of all) await load.unsafe(`alter table ${name} enable trigger all`);
      for (const { line } of triggers) await load.unsafe(line);
    });
  });
}

/** Makes the younger of two clusters as old as the other. */
export async function alignAges(one: Sql, other: Sql): Promise<void> {
  const [first, second] = await Promise.all([one, other].map(nextXid));
  if (first! < second!) await age(one, Number(second! - first!));
  else await age(other, Number(first! - second!));
}

async function nextXid(sql: Sql): Promise<bigint> {
  const [row] = await sql`select pg_snapshot_xmax(pg_current_snapshot())::text as id`;
  return BigInt(row!.id);
}

/** Makes the cluster older by so many transactions. */
export async function age(sql: Sql, transactions: number): Promise<void> {
  await sql.unsafe(`
    do $$ begin
      for i in 1..${transactions} loop perform pg_current_xact_id(); commit; end loop;
    end $$`);
}

export interface Recoverable extends AsyncDisposable {
  /** Of the superuser. */
  url(database?: string): string;
  /** Keeps the cluster as it is now; connections end. */
  backUp(): Promise<void>;
  /** Puts the cluster back as it was then, as a recovery to a point in time or a standby that takes over; connections end. */
  recover(): Promise<void>;
}

/** A cluster that can be backed up as a whole, with its log of writes. */
export async function recoverableCluster(): Promise<Recoverable> {
  const dir = await Deno.makeTempDir({ prefix: "gatehouse-recovery-" });
  const cluster: Cluster = {
    dataDir: join(dir, "data"),
    port: findFreeRow(1),
    password: crypto.randomUUID(),
    logFile: join(dir, "postgres.log"),
    durable: false,
  };
  const backup = join(dir, "backup");
  const copy = async (from: string, to: string) => {
    const { success } = await new Deno.Command("cp", { args: ["-a", from, to] }).output();
    if (!success) throw new Error(`Cannot copy ${from} to ${to}`);
  };
  await initPostgres(cluster);
  let child = await startPostgres(cluster);
  return {
    url: (database) => superuserUrl(cluster, database),
    async backUp() {
      await child.stop();
      await copy(cluster.dataDir, backup);
      child = await startPostgres(cluster);
    },
    async recover() {
      await child.stop();
      await Deno.remove(cluster.dataDir, { recursive: true });
      await copy(backup, cluster.dataDir);
      await Deno.writeTextFile(join(cluster.dataDir, "recovery.signal"), "");
      await Deno.writeTextFile(
        join(cluster.dataDir, "postgresql.auto.conf"),
        "restore_command = 'false'\n", // there is no more to be had than the backup
        { append: true },
      );
      const { uid, gid } = await Deno.stat(cluster.dataDir);
      await Deno.chown(join(cluster.dataDir, "recovery.signal"), uid, gid);
      child = await startPostgres(cluster);
    },
    async [Symbol.asyncDispose]() {
      await child.stop();
      await Deno.remove(dir, { recursive: true });
    },
  };
}
