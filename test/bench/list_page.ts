// The page of applications a member sees, at 1,000 tenants and 100,000 applications: through PostgREST and its policies, against the same page from a function
// (rpc of the same PostgREST with the same query string, past row level security) with a hand-written `where`. And what the page costs inside SQL.
import postgres, { type TransactionSql } from "postgres";
import {
  audience,
  benchDatabase,
  benchIssuer,
  benchPostgrest,
  type Figure,
  inTurns,
  issuer,
  median,
  requestsPerSecond,
} from "./support.ts";

const page = "select=id,tenant_id,name,kind,state,enabled&order=tenant_id,id&limit=50";

export async function listPage(): Promise<Figure[]> {
  await using database = await benchDatabase();
  const { sql } = database;
  const token = await benchIssuer(sql);
  await sql.unsafe(`
    set session_replication_role = replica;
    alter table public.tenants disable trigger user;
    alter table public.apps disable trigger user;
    alter table public.users disable trigger user;
    alter table public.assignments disable trigger user;
    insert into public.tenants (slug, name, status)
      select 'tenant-' || i, 'Tenant ' || i, 'active' from generate_series(1, 1000) i;
    insert into public.apps (tenant_id, name, state, redirect_uris)
      select t.id, 'App ' || i, 'active', array['https://app.test/' || i]
        from public.tenants t, generate_series(1, 100) i where t.kind = 'customer';
    insert into public.users (issuer, subject, home_tenant_id)
      select '${issuer}', 'member-' || t.slug, t.id from public.tenants t where t.kind = 'customer';
    insert into public.users (issuer, subject) values ('${issuer}', 'staff');
    insert into public.assignments (tenant_id, user_id, role_key)
      select home_tenant_id, id, 'tenant_member' from public.users where subject <> 'staff';
    insert into public.assignments (tenant_id, user_id, role_key)
      select private.platform_tenant(), id, 'platform_admin' from public.users where subject = 'staff';
    create function public.list_apps_by_hand() returns table (
      id uuid, tenant_id uuid, name text, kind text, state text, enabled boolean)
    language sql stable security definer set search_path = ''
    as $$
      select a.id, a.tenant_id, a.name, a.kind, a.state, a.enabled
        from public.apps a
       where a.tenant_id = (select s.tenant_id from public.assignments s
         where s.principal_id = current_setting('gatehouse.principal_id')::uuid limit 1)
       order by a.tenant_id, a.id limit 50 $$;
    create function public.list_all_apps_by_hand() returns table (
      id uuid, tenant_id uuid, name text, kind text, state text, enabled boolean)
    language sql stable security definer set search_path = ''
    as $$
      select a.id, a.tenant_id, a.name, a.kind, a.state, a.enabled
        from public.apps a order by a.tenant_id, a.id limit 50 $$;
    grant execute on function public.list_apps_by_hand(), public.list_all_apps_by_hand()
      to authenticated, gatehouse_platform;`);
  await sql.unsafe("vacuum analyze");
  const { url, child } = await benchPostgrest(database);
  try {
    const member = await token("member-tenant-900");
    const staff = await token("staff");
    const rate = (path: string, token: string) => () =>
      requestsPerSecond(`${url}/${path}`, { token });
    const { policies, byHand } = await inTurns({
      policies: rate(`apps?${page}`, member),
      byHand: rate(`rpc/list_apps_by_hand?${page}`, member),
    });
    const platform = await inTurns({
      policies: rate(`apps?${page}`, staff),
      byHand: rate(`rpc/list_all_apps_by_hand?${page}`, staff),
    });
    return [
      {
        name: "member's page, policies ÷ hand-written where",
        value: policies / byHand,
        unit: "×",
        goal: { at: "least", value: 0.9 },
        note: `${policies.toFixed(0)} and ${byHand.toFixed(0)} requests/s`,
      },
      {
        name: "member's page in SQL",
        value: await inSql(database.url("authenticator"), "member-tenant-900"),
        unit: "ms",
        goal: { at: "most", value: 1 },
      },
      {
        name: "platform staff's first page, policies ÷ by hand",
        value: platform.policies / platform.byHand,
        unit: "×",
        goal: { at: "least", value: 0.9 },
        note: `${platform.policies.toFixed(0)} and ${platform.byHand.toFixed(0)} requests/s`,
      },
      {
        name: "platform staff's first page in SQL",
        value: await inSql(database.url("authenticator"), "staff"),
        unit: "ms",
        goal: { at: "most", value: 1 },
      },
    ];
  } finally {
    await child.stop();
  }
}

/** Execution time that Postgres itself tells, the median of 200 on a warm connection. */
async function inSql(url: string, subject: string): Promise<number> {
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  try {
    return await sql.begin(async (tx) => {
      await enter(tx, subject);
      const times: number[] = [];
      for (let run = 0; run < 220; run++) {
        const [row] = await tx.unsafe(
          `explain (analyze, timing off, format json)
           select id, tenant_id, name, kind, state, enabled from public.apps
            order by tenant_id, id limit 50`,
        );
        if (run >= 20) times.push(row!["QUERY PLAN"][0]["Execution Time"]);
      }
      return median(times);
    });
  } finally {
    await sql.end();
  }
}

async function enter(tx: TransactionSql, subject: string): Promise<void> {
  const iat = Math.floor(Date.now() / 1000);
  const claims = { iss: issuer, sub: subject, aud: [audience], client_id: "portal", jti: "bench" };
  await tx`select set_config('request.jwt.claims',
      ${JSON.stringify({ ...claims, iat, exp: iat + 600 })}, true),
    set_config('request.headers', '{}', true), set_config('role', 'anon', true)`;
  await tx`select private.check_request()`;
}
