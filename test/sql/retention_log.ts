// A log whose months are over, for tests of what may be removed of it.
import { generateKeyPairSync, type KeyObject } from "node:crypto";
import type { Sql } from "postgres";
import { checkpointFile } from "../../functions/_shared/audit/checkpoint_file.ts";
import { soleKey } from "../../functions/_shared/audit/keys.ts";
import { auditOrigin, signCheckpoint } from "../../functions/_shared/audit/note.ts";
import { sealer } from "../../functions/_shared/audit/sealer.ts";
import { type Hash } from "../../functions/_shared/audit/tree.ts";
import type { Config } from "../../functions/_shared/config.ts";
import { auditRetain } from "../../functions/_worker/tasks/audit__retain.ts";
import { createDatabase } from "../support/database.ts";

export const x = "01990000-0000-7000-8000-0000000000f1";
export const y = "01990000-0000-7000-8000-0000000000f2";
export const { privateKey: key, publicKey } = generateKeyPairSync("ed25519");
export const publicUrl = "https://id.example";

/** A log that begins in 2020: `months` as `[name, events of x, events of y]`, then the two tenants as of now, all sealed and signed. */
export async function arranged(...months: [month: string, ofX: number, ofY: number][]) {
  const database = await createDatabase();
  const { sql } = database;
  for (const [month, ofX, ofY] of months) {
    await makeMonth(sql, month);
    if (ofX > 0) await record(sql, x, `${month.replace("_", "-")}-05`, ofX);
    if (ofY > 0) await record(sql, y, `${month.replace("_", "-")}-06`, ofY);
  }
  await sql`insert into public.tenants (id, slug, name) values (${x}, 'x1', 'X'), (${y}, 'y1', 'Y')`;
  const worker = database.connect("gatehouse_worker");
  const dir = await Deno.makeTempDir({ prefix: "gatehouse-retain-" });
  await Deno.writeTextFile(`${dir}/key`, JSON.stringify(key.export({ format: "jwk" })), {
    mode: 0o600,
  });
  const outside = checkpointFile(`${dir}/notes`);
  const signer = sealer({ sql: worker, keys: soleKey(key), publicUrl, outside });
  const seal = async ({ sign = true } = {}) => {
    while (Number((await worker`select private.sequence_events(10000) as n`)[0]!.n) > 0);
    while (Number((await worker`select private.seal_events(10000) as n`)[0]!.n) > 0);
    while (sign && await signer.sign(1000) > 0);
  };
  await seal();
  const keep = (days: number | null) =>
    sql`update public.settings set value = ${sql.json(days)} where key = 'audit.retention_days'`;
  return {
    ...database,
    sql,
    worker,
    dir,
    outside,
    seal,
    keep,
    drop: () => dropSigned(sql, worker),
    night: (days?: number, more = {}) => night(worker, dir, days, more),
    [Symbol.asyncDispose]: async () => {
      await database.drop();
      await Deno.remove(dir, { recursive: true });
    },
  };
}

interface Done {
  month: string;
  outcome: string;
  events: number;
  stones?: { tenant_id: string; size: number }[];
}

/** As the worker does it, and signs whatever is asked for. */
export async function dropSigned(
  sql: Sql,
  worker: Sql,
  by: { key: KeyObject; publicUrl: string } = { key, publicUrl },
): Promise<Done | null> {
  const drop = async (notes: Record<string, string>) =>
    (await worker<[{ done: Done | null }]>`
      select private.drop_audit_month(31, ${sql.json(notes)}) as done`)[0].done;
  const done = await drop({});
  if (done?.outcome !== "unsigned") return done;
  const notes: Record<string, string> = {};
  for (const { tenant_id, size } of done.stones!) {
    const [{ root }] = await sql<[{ root: Uint8Array }]>`
      select private.tree_root(private.retained_frontier(${tenant_id}, ${size})) as root`;
    const checkpoint = {
      origin: auditOrigin(by.publicUrl, tenant_id),
      size,
      root: new Uint8Array(root),
    };
    notes[tenant_id] = signCheckpoint(checkpoint, by.key, "tombstone");
  }
  return await drop(notes);
}

/** The night's job, allowed so many days; what is said in `more` is otherwise. */
async function night(worker: Sql, dir: string, days?: number, more: object = {}): Promise<void> {
  const settings = {
    publicUrl,
    auditKeyFile: `${dir}/key`,
    auditCheckpointFile: `${dir}/notes`,
    auditRetentionDays: days,
    has: () => true,
    ...more,
  } as unknown as Config;
  await auditRetain(() => settings)({}, {
    sql: worker,
    now: () => new Date(),
    holder: "test",
    stopping: new AbortController().signal,
  });
}

export async function makeMonth(sql: Sql, month: string): Promise<void> {
  const from = `${month.replace("_", "-")}-01`;
  const [{ to }] = await sql<
    [{ to: string }]
  >`select (${from}::date + interval '1 month')::text as to`;
  await sql.unsafe(
    `create table private.audit_events_${month} partition of public.audit_events for values from ('${from}') to ('${to}');
     alter table private.audit_events_${month} owner to gatehouse_migrator`,
  );
}

/** Events as they were recorded on a day, each with an address beside it. */
export const record = (sql: Sql, tenant: string, day: string, count: number) =>
  sql`
    insert into public.audit_events
      (tenant_id, recorded_at, id, type, occurred_at, actor, targets, data, context, personal)
    select ${tenant}, at, id, 'app.activated', at, '{"kind": "system", "id": "worker"}', '[]', '{"client_id": null}',
           '{"address": null}', jsonb_build_object('actor', private.keep_personal(
             ${tenant}, at, id, 'actor', null, '{"context.address": "10.1.2.3"}'))
      from (select ${day}::timestamptz + n * interval '1 second' as at, private.uuid_v7() as id
              from generate_series(1, ${count}) n) e`;

/** Everything that SQL finds wrong with a tenant's log. */
export async function problems(sql: Sql, tenant: string): Promise<string[]> {
  const rows = await sql`
    select problem from private.verify_records(${tenant}, 0, 1000000000)
    union all select problem from private.verify_personal(${tenant}, 0, 1000000000)
    union all select problem from private.verify_unnumbered(${tenant})
    union all select problem from private.verify_tree(${tenant})`;
  return rows.map(({ problem }) => problem);
}

export async function counts(sql: Sql, tenant: string): Promise<Record<string, number>> {
  const [row] = await sql`
    select (select count(*)::int from public.audit_events where tenant_id = ${tenant}) as events,
           (select count(*)::int from private.audit_leaves where tenant_id = ${tenant}) as leaves,
           (select count(*)::int from private.audit_signatures where tenant_id = ${tenant}) as signatures,
           (select count(*)::int from private.audit_sequence where tenant_id = ${tenant}) as numbered,
           (select count(*)::int from private.audit_personal where tenant_id = ${tenant}) as personal`;
  return { ...row };
}

export const hashes = (sql: Sql, tenant: string): Promise<Hash[]> =>
  sql`select hash from private.audit_leaves where tenant_id = ${tenant} order by leaf_index`
    .then((rows) => rows.map(({ hash }) => new Uint8Array(hash)));

export const hex = (bytes: Uint8Array) => new Uint8Array(bytes).toHex();
