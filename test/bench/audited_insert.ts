// An insert that is on record and noted for one subscribed endpoint, against the same insert without triggers: single-row transactions, 16 writers, fsync on.
import postgres from "postgres";
import { benchDatabase, type Figure, inTurns } from "./support.ts";

const writers = 16;
const seconds = 6;

export async function auditedInsert(): Promise<Figure[]> {
  await using database = await benchDatabase();
  const { sql } = database;
  const [tenant] = await sql<[{ id: string }]>`
    insert into public.tenants (slug, name) values ('bench', 'Bench') returning id`;
  await sql`insert into public.webhook_endpoints (tenant_id, url)
    values (${tenant.id}, 'https://receiver.test/')`;
  // The bare twin: same columns, checks, keys and indexes, no triggers of ours.
  await sql.unsafe(`create table public.providers_bare (like public.providers including all);
    alter table public.providers_bare add foreign key (tenant_id) references public.tenants`);
  const pool = postgres(database.url(), { max: writers, onnotice: () => {} });
  const rate = (table: string) => async () => {
    const until = performance.now() + seconds * 1000;
    let rows = 0;
    await Promise.all(Array.from({ length: writers }, async () => {
      while (performance.now() < until) {
        await pool`insert into ${pool(table)} (tenant_id, name, kind)
          values (${tenant.id}, ${crypto.randomUUID()}, 'oidc')`;
        rows++;
      }
    }));
    return rows / seconds;
  };
  try {
    await Promise.all(Array.from({ length: writers }, () => pool`select 1`));
    const { audited, bare } = await inTurns({
      audited: rate("public.providers"),
      bare: rate("public.providers_bare"),
    });
    const [{ events, deliveries }] = await sql<[{ events: number; deliveries: number }]>`
      select (select count(*)::integer from public.audit_events
               where type = 'provider.created') as events,
             (select count(*)::integer from public.webhook_deliveries
               where event_type = 'provider.created') as deliveries`;
    const [{ rows }] = await sql<[{ rows: number }]>`
      select count(*)::integer as rows from public.providers`;
    if (events !== rows || deliveries !== rows) {
      throw new Error(
        `${rows} rows, ${events} events, ${deliveries} deliveries: all must be equal`,
      );
    }
    return [{
      name: "audited insert, one endpoint ÷ insert without triggers",
      value: audited / bare,
      unit: "×",
      goal: { at: "least", value: 0.5 },
      note: `${audited.toFixed(0)} and ${bare.toFixed(0)} rows/s, ${writers} writers, fsync on`,
    }];
  } finally {
    await pool.end();
  }
}
