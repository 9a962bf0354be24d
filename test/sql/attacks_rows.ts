// ROW: writing what is another tenant's, or what others confirm. LOG: forging the log.
import type { TransactionSql } from "postgres";
import { apps, people, tenants } from "../support/actors.ts";
import { tenants as all } from "./matrix/cast.ts";
import { endpoints } from "./matrix/seed.ts";
import { type Attack, attacks, changes, denied, values } from "./attacks_cases.ts";

/** Columns that others confirm or that say whose a row is: nobody's to write over HTTP. `actor table: columns`. */
const closedColumns: Record<string, string> = {
  "alice tenants":
    "id slug kind plan status admin_email organization_id project_id login_domain activated_at",
  "pat tenants": "id slug kind status organization_id project_id login_domain activated_at",
  "alice tenant_domains": "tenant_id name verification_token verified_at",
  "pat tenant_domains": "verified_at",
  "alice subscriptions": "plan ends_at",
  "pat provisioning_steps": "state attempts external_id input_hash",
  "alice users": "state tokens_valid_after home_tenant_id issuer subject email email_verified",
  "pat users": "state tokens_valid_after subject",
  "alice service_accounts": "tenant_id issuer subject",
  "pat service_accounts": "tenant_id issuer subject",
  "pat sign_in_sessions": "ended_at",
  "alice apps": "tenant_id id kind state last_error application_id client_id",
  "pat apps": "tenant_id state application_id client_id",
  "alice providers": "tenant_id id kind state last_error idp_id credential_set_at endpoints",
  "alice webhook_endpoints":
    "tenant_id url since_at paused_until signature_scheme public_key header_names removed_at",
  "alice webhook_endpoint_states": "circuit first_failure_at",
  "pat webhook_endpoints": "tenant_id url removed_at",
  "pat webhook_deliveries": "state attempts next_attempt_at",
  "pat webhook_attempts": "response_body",
  "pat settings": "key",
  "pat event_types": "version",
};

/** The same in an insert. */
const closedInserts: [actor: "alice" | "pat", statement: string][] = [
  [
    "alice",
    `insert into public.apps (tenant_id, name, client_id) values ('${tenants.A}', 'x', '${apps.E.clientId}')`,
  ],
  [
    "alice",
    `insert into public.apps (tenant_id, name, state) values ('${tenants.A}', 'x', 'active')`,
  ],
  [
    "alice",
    `insert into public.service_accounts (tenant_id, name, issuer, subject) values ('${tenants.A}', 'x', 'i', 's')`,
  ],
  [
    "alice",
    `insert into public.tenant_domains (tenant_id, name, verified_at) values ('${tenants.A}', 'e.example', now())`,
  ],
  ["alice", "insert into public.tenants (slug, name) values ('mine', 'Mine')"],
  [
    "alice",
    `insert into public.users (issuer, subject, home_tenant_id) values ('i', 's', '${tenants.A}')`,
  ],
  [
    "alice",
    `insert into public.webhook_endpoints (tenant_id, url) values ('${tenants.A}', 'https://x.example/')`,
  ],
  ["pat", "insert into public.tenants (slug, name, kind) values ('other', 'Other', 'platform')"],
  ["pat", "insert into public.tenants (slug, name, status) values ('other', 'Other', 'active')"],
  [
    "pat",
    "insert into public.tenants (slug, name, organization_id) values ('other', 'Other', '1')",
  ],
  ["pat", "insert into public.users (issuer, subject) values ('i', 's')"],
  ["pat", "insert into public.settings (key, value) values ('x', '1')"],
];

/** Three events of A, of which two share the moment and two the id, and one of E that shares both. */
async function twinEvents(tx: TransactionSql): Promise<void> {
  const id = (last: number) => `01990000-0000-7000-8000-00000000080${last}`;
  const events = [
    { tenant_id: tenants.A, recorded_at: "2026-12-01T00:00:00Z", id: id(1), said: "one" },
    { tenant_id: tenants.A, recorded_at: "2026-12-01T00:00:00Z", id: id(2), said: "two" },
    { tenant_id: tenants.A, recorded_at: "2026-12-02T00:00:00Z", id: id(1), said: "three" },
    { tenant_id: tenants.E, recorded_at: "2026-12-01T00:00:00Z", id: id(1), said: "E's" },
  ];
  for (const [index, { said, ...key }] of events.entries()) {
    await tx`insert into public.audit_events (tenant_id, recorded_at, id, type, occurred_at, actor, targets, data, context)
      values (${key.tenant_id}, ${key.recorded_at}, ${key.id}, 'tenant.updated', now(), '{}', '[{"kind":"test"}]', ${
      tx.json({ said })
    }, '{}')`;
    await tx`insert into private.audit_sequence (seq, tenant_id, recorded_at, event_id)
      values (${1000001 + index}, ${key.tenant_id}, ${key.recorded_at}, ${key.id})`;
  }
}

const forged =
  `insert into public.audit_events (tenant_id, type, occurred_at, actor, targets, data, context)
  values ('${tenants.A}', 'tenant.suspended', now(), '{}', '[]', '{}', '{}')`;

export const rowAttacks: Attack[] = [
  ...attacks("ROW", [
    {
      attack: "alice moves her application to E",
      actor: "alice",
      try: changes(`update public.apps set tenant_id = '${tenants.E}'`),
      expected: denied,
    },
    {
      attack: "alice changes E's application",
      actor: "alice",
      try: changes(`update public.apps set name = 'x' where id = '${apps.E.id}'`),
      expected: "0",
    },
    {
      attack: "alice makes an application in E",
      actor: "alice",
      try: changes(`insert into public.apps (tenant_id, name) values ('${tenants.E}', 'x')`),
      expected: denied,
    },
    {
      attack: "alice finds out by an upsert what E has",
      actor: "alice",
      try: changes(
        `insert into public.tenant_domains (tenant_id, name) values ('${tenants.E}', 'e.example')
         on conflict (tenant_id, name) do nothing`,
      ),
      expected: denied,
    },
    {
      attack: "alice takes over E's row by an upsert",
      actor: "alice",
      try: changes(
        `insert into public.providers (tenant_id, name, kind) values ('${tenants.E}', 'directory', 'ldap')
         on conflict (tenant_id, name) do update set enabled = true`,
      ),
      expected: denied,
    },
    {
      attack: "alice removes E's providers",
      actor: "alice",
      try: changes(`delete from public.providers where tenant_id = '${tenants.E}'`),
      expected: "0",
    },
    {
      attack: "alice sends people of E's proven domain to a provider of hers",
      actor: "alice",
      arrange: (tx) =>
        tx`update public.tenant_domains set verified_at = now() where tenant_id = ${tenants.E}`,
      try: changes(
        `insert into public.providers (tenant_id, name, kind, domains)
         values ('${tenants.A}', 'trap', 'oidc', array['e.example'])`,
      ),
      expected: "422 provider_domain_unproven",
    },
    {
      attack: "alice reads by a test of the connection what E's provider is",
      actor: "alice",
      try: changes(
        `select private.open_provider('${tenants.E}', (select id from public.providers limit 1))`,
      ),
      expected: "403 not_allowed",
    },
    {
      attack: "alice gives E's provider another secret",
      actor: "alice",
      try: changes(
        `select private.put_provider_secret('${tenants.E}', private.new_id(), 'k1', 'x')`,
      ),
      expected: "403 not_allowed",
    },
    {
      attack: "alice gives up E's domain",
      actor: "alice",
      try: changes(`delete from public.tenant_domains where tenant_id = '${tenants.E}'`),
      expected: "0",
    },
    {
      attack: "alice asks for E's tenant by its slug, by a join and by a count",
      actor: "alice",
      try: values(
        `select count(*)::int from public.tenants where slug = 'tenant-e'
         union all select count(*)::int from public.apps a join public.tenants t on t.id <> a.tenant_id
         union all select count(*)::int from public.users where home_tenant_id is distinct from '${tenants.A}'`,
      ),
      expected: "[0,0,0]",
    },
    {
      attack: "a suspended tenant's administrator makes an application",
      actor: "sue",
      try: changes(`insert into public.apps (tenant_id, name) values ('${all.S}', 'x')`),
      expected: denied,
    },
    {
      attack: "a suspended tenant's administrator renames it",
      actor: "sue",
      try: changes("update public.tenants set name = 'x'"),
      expected: "0",
    },
    {
      attack: "a suspended tenant's administrator gives up a domain",
      actor: "sue",
      try: changes("delete from public.tenant_domains"),
      expected: "0",
    },
    {
      attack: "a suspended tenant's administrator rotates a secret",
      actor: "sue",
      try: changes(
        `select private.rotate_webhook_secret('${all.S}', '${endpoints.S}', 'v1', null, '[]', 60)`,
      ),
      expected: "403 not_allowed",
    },
    {
      attack: "a suspended tenant's administrator has it reconciled",
      actor: "sue",
      try: changes(`select public.reconcile_tenant('${all.S}')`),
      expected: "403 not_allowed",
    },
    {
      attack: "a suspended tenant's administrator may still read",
      actor: "sue",
      try: values("select slug from public.tenants"),
      expected: '["tenant-s"]',
    },
    {
      attack: "an archived tenant's administrator writes",
      actor: "alice",
      arrange: (tx) => tx`update public.tenants set status = 'archived' where id = ${tenants.A}`,
      try: changes("update public.tenants set name = 'x'"),
      expected: "0",
    },
    {
      attack: "a tenant's administrator writes while it is being provisioned: hers to do",
      actor: "alice",
      arrange: (tx) =>
        tx`update public.tenants set status = 'provisioning' where id = ${tenants.A}`,
      try: changes("update public.tenants set name = 'x'"),
      expected: "1",
    },
    {
      attack: "a stranger reads when tokens of others were revoked",
      actor: "eve",
      try: changes(
        `select tokens_valid_after from public.users where id = '${people.alice.id}'`,
      ),
      expected: "0",
    },
    ...Object.entries(closedColumns).flatMap(([of, columns]) => {
      const [actor, table] = of.split(" ") as ["alice" | "pat", string];
      return columns.split(" ").map((column) => ({
        attack: `${actor} writes ${table}.${column}`,
        actor,
        try: changes(`update public.${table} set ${column} = default`),
        expected: denied,
      }));
    }),
    ...closedInserts.map(([actor, statement]) => ({
      attack: `${actor} makes a row with what is not theirs to say: ${statement.slice(12, 70)}…`,
      actor,
      try: changes(statement),
      expected: denied,
    })),
  ]),
  ...attacks("LOG", [
    ...(["alice", "pat", "sam"] as const).flatMap((actor) => [
      { attack: `${actor} forges an event`, actor, try: changes(forged), expected: denied },
      {
        attack: `${actor} rewrites an event`,
        actor,
        try: changes("update public.audit_events set data = '{}'"),
        expected: denied,
      },
      {
        attack: `${actor} removes events`,
        actor,
        try: changes("delete from public.audit_events"),
        expected: denied,
      },
      {
        attack: `${actor} calls the recorder`,
        actor,
        try: changes(`select private.record_event('${tenants.A}', 'tenant.suspended', '[]', '{}')`),
        expected: denied,
      },
      {
        attack: `${actor} empties the log`,
        actor,
        try: changes("truncate public.audit_events"),
        expected: denied,
      },
    ]),
    {
      attack: "an event names who did it, whatever the request says",
      actor: "alice",
      headers: { "gatehouse.principal_id": people.eve.id, "x-actor": people.eve.id },
      try: async (tx) => {
        await tx`insert into public.apps (tenant_id, name) values (${tenants.A}, 'named')`;
        return await values(
          "select actor ->> 'id' from public.audit_events where type = 'app.created' order by recorded_at desc limit 1",
        )(tx);
      },
      expected: JSON.stringify([people.alice.id]),
    },
    {
      attack: "eve reads A's log",
      actor: "eve",
      try: changes(`select * from public.list_events('${tenants.A}')`),
      expected: "403 not_allowed",
    },
    {
      attack: "bob, who may not read the log, reads it",
      actor: "bob",
      try: changes(`select * from public.list_events('${tenants.A}')`),
      expected: "403 not_allowed",
    },
    {
      attack: "alice's log is A's whole log and nothing else",
      actor: "alice",
      try: values(
        `select array[
           (select count(*) from public.list_events('${tenants.A}', 0, 1000)) = (select count(*) from public.audit_events),
           (select count(*) from public.list_events('${tenants.A}', 0, 1000)) > 10,
           not exists (select from public.list_events('${tenants.A}', 0, 1000) l
             where not exists (select from public.audit_events e where e.id = l.id))]`,
      ),
      expected: "[[true,true,true]]",
    },
    {
      attack: "events of one moment, one id or another tenant are not mistaken for each other",
      actor: "alice",
      arrange: twinEvents,
      try: values(
        `select data ->> 'said' from public.list_events('${tenants.A}', 1000000) order by seq`,
      ),
      expected: '["one","two","three"]',
    },
    {
      attack: "the log's pages hold what was asked for",
      actor: "alice",
      try: values(
        `with whole as (select * from public.list_events('${tenants.A}', 0, 1000))
         select array[
           (select count(*) from public.list_events('${tenants.A}', (select min(seq) from whole), 1000))
             = (select count(*) - 1 from whole),
           (select count(*) from public.list_events('${tenants.A}', 0, 1000, array['app.created']))
             = (select count(*) from whole where type = 'app.created')]`,
      ),
      expected: "[[true,true]]",
    },
  ]),
];
