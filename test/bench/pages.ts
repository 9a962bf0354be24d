// A page of the events API, of the deliveries list and of the audit search by type, at 1,000,000 events in the log against 10,000: what Postgres takes for
// the statement of a caller, through the hook and the policies. The plans stand in test/sql/30_audit_plans.test.ts.
import postgres, { type Sql, type TransactionSql } from "postgres";
import {
  audience,
  type BenchDatabase,
  benchDatabase,
  benchIssuer,
  type Figure,
  issuer,
  median,
} from "./support.ts";

const [small, large] = [10_000, 1_000_000];
const runs = 60;

/** One tenant has half of the log, in three months and of fifty types; nine others share the rest. Returns the first. */
export async function fillLog(sql: Sql, events: number): Promise<string> {
  return await sql.begin(async (tx) => {
    await tx`set local session_replication_role = replica`;
    await tx.unsafe(`
      insert into public.tenants (slug, name, status)
        select 'pages-' || i, 'Pages ' || i, 'active' from generate_series(0, 9) i
        on conflict do nothing`);
    const [reader] = await tx<[{ id: string }]>`
      select id from public.tenants where slug = 'pages-0'`;
    await tx`
      insert into public.users (issuer, subject, home_tenant_id)
      select ${issuer}, 'pages', ${reader.id}
       where not exists (select from public.users where subject = 'pages')`;
    await tx`
      insert into public.assignments (tenant_id, user_id, role_key)
      select ${reader.id}, id, 'tenant_admin' from public.users where subject = 'pages'
      on conflict do nothing`;
    await tx`
      with have as (select coalesce(max(seq), 0) as n from private.audit_sequence),
      numbered as (
        select have.n + i as seq, t.id as tenant_id, private.uuid_v7() as id, i,
               now() + make_interval(days => (i % 3) * 31) + make_interval(secs => i / 1e3) as at
          from have, generate_series(1, ${events} - have.n::integer) i
          join public.tenants t
            on t.slug = 'pages-' || case when i % 2 = 0 then 0 else 1 + i % 9 end
      ), events as (
        insert into public.audit_events
          (tenant_id, recorded_at, id, type, occurred_at, actor, targets, data, context)
        select tenant_id, at, id, 'bench.type_' || (i / 2) % 50, at,
               '{"kind": "user", "id": "01890a5d-ac96-774b-bcce-b302099a8057"}',
               '[]',
               '{"before": {"name": "A name"}, "after": {"name": "Another name"}}',
               '{"request_id": "01890a5d-ac96-774b-bcce-b302099a8057"}'
          from numbered
      ), sequence as (
        insert into private.audit_sequence (seq, tenant_id, recorded_at, event_id)
        select seq, tenant_id, at, id from numbered
      )
      insert into public.webhook_deliveries
        (tenant_id, endpoint_id, event_id, event_recorded_at, event_type, state, settled_at)
      select tenant_id, ('01990000-0000-7000-8000-00000000000' || i % 4)::uuid, id, at,
             'bench.type_' || (i / 2) % 50, 'delivered', at
        from numbered`;
    return reader.id;
  });
}

/** What each page asks, as a caller of the tenant. The middle of the log, and its newest end. */
export function pagesOf(tenant: string, middle: string): Record<string, string> {
  const endpoint = "01990000-0000-7000-8000-000000000000";
  return {
    "events API": `select * from public.list_events('${tenant}', ${middle}, 100)`,
    "deliveries list": `
      select id, event_id, event_type, state, attempts, next_attempt_at, settled_at
        from public.webhook_deliveries
       where tenant_id = '${tenant}' and endpoint_id = '${endpoint}' order by id desc limit 50`,
    "audit search by type": `
      select id, type, recorded_at, actor, targets, data from public.audit_events
       where tenant_id = '${tenant}' and type = 'bench.type_7' order by recorded_at desc limit 50`,
  };
}

/** The transaction is then what a request of this tenant's administrator is. */
export async function enterAsReader(tx: TransactionSql): Promise<void> {
  const iat = Math.floor(Date.now() / 1000);
  const claims = { iss: issuer, sub: "pages", aud: [audience], client_id: "portal", jti: "bench" };
  await tx`select set_config('request.jwt.claims',
      ${JSON.stringify({ ...claims, iat, exp: iat + 600 })}, true),
    set_config('request.headers', '{}', true), set_config('role', 'anon', true)`;
  await tx`select private.check_request()`;
}

async function measure(database: BenchDatabase, tenant: string): Promise<Record<string, number>> {
  const { sql } = database;
  const [{ seq }] = await sql<[{ seq: string }]>`
    select (max(seq) / 2)::text as seq from private.audit_sequence`;
  const caller = postgres(database.url("authenticator"), { max: 1, onnotice: () => {} });
  try {
    return await caller.begin(async (tx) => {
      await enterAsReader(tx);
      const times: Record<string, number> = {};
      for (const [name, query] of Object.entries(pagesOf(tenant, seq))) {
        const taken: number[] = [];
        for (let run = 0; run < runs + 10; run++) {
          const [row] = await tx.unsafe(`explain (analyze, timing off, format json) ${query}`);
          const plan = row!["QUERY PLAN"][0];
          if (run >= 10) taken.push(plan["Planning Time"] + plan["Execution Time"]);
        }
        times[name] = median(taken);
      }
      return times;
    });
  } finally {
    await caller.end();
  }
}

export async function pages(): Promise<Figure[]> {
  await using database = await benchDatabase();
  const { sql } = database;
  await benchIssuer(sql);
  const tenant = await fillLog(sql, small);
  await sql.unsafe("vacuum analyze");
  const before = await measure(database, tenant);
  await fillLog(sql, large);
  await sql.unsafe("vacuum analyze");
  const after = await measure(database, tenant);
  return Object.keys(before).map((name) => ({
    name: `a page of the ${name}, ${large} events ÷ ${small}`,
    value: after[name]! / before[name]!,
    unit: "×",
    goal: { at: "most", value: 1.5 },
    note: `${after[name]!.toFixed(2)} and ${before[name]!.toFixed(2)} ms in SQL`,
  }));
}
