// ESC: getting a role that nobody gave. NAR: x-tenant-id narrows. CEI: what an application's client may do.
import { apps, claims, people, platform, portalClientId, sam, tenants } from "../support/actors.ts";
import { bystanders, extras, tenants as all } from "./matrix/cast.ts";
import { robots } from "./matrix/seed.ts";
import { type Attack, attacks, changes, denied, values } from "./attacks_cases.ts";

const assign = (tenant: string, user: string, role: string) =>
  changes(
    `insert into public.assignments (tenant_id, user_id, role_key) values ('${tenant}', '${user}', '${role}')`,
  );
const { alice, bob, visitor } = people;

export const accessAttacks: Attack[] = [
  ...attacks("ESC", [
    {
      attack: "alice makes herself platform_admin, in her own tenant",
      actor: "alice",
      try: assign(tenants.A, alice.id, "platform_admin"),
      expected: "422 role_out_of_scope",
    },
    {
      attack: "alice makes herself platform_admin, in the platform tenant",
      actor: "alice",
      try: assign(platform, alice.id, "platform_admin"),
      expected: denied,
    },
    {
      attack: "alice makes herself tenant_admin of the platform tenant",
      actor: "alice",
      try: assign(platform, alice.id, "tenant_admin"),
      expected: "422 role_out_of_scope",
    },
    {
      attack: "alice makes herself tenant_admin of E",
      actor: "alice",
      try: assign(tenants.E, alice.id, "tenant_admin"),
      expected: denied,
    },
    {
      attack: "alice gives a role in A to a user of E",
      actor: "alice",
      try: assign(tenants.A, bystanders.E.id, "tenant_member"),
      expected: "422 user_not_in_tenant",
    },
    {
      attack: "alice gives a role in A to a user who does not exist",
      actor: "alice",
      try: assign(tenants.A, "01990000-0000-7000-8000-00000000ffff", "tenant_member"),
      expected: "422 user_not_in_tenant",
    },
    {
      attack: "alice gives a role in A to a user of A: hers to give",
      actor: "alice",
      try: assign(tenants.A, bystanders.A.id, "tenant_member"),
      expected: "1",
    },
    {
      attack: "alice gives a role in A to a service account of E",
      actor: "alice",
      try: changes(
        `insert into public.assignments (tenant_id, service_account_id, role_key) values ('${tenants.A}', '${robots.E}', 'auditor')`,
      ),
      expected: "23503",
    },
    {
      attack: "bob makes himself tenant_admin",
      actor: "bob",
      try: assign(tenants.A, bob.id, "tenant_admin"),
      expected: denied,
    },
    {
      attack: "audrey makes herself tenant_admin",
      actor: "audrey",
      try: assign(tenants.A, people.audrey.id, "tenant_admin"),
      expected: denied,
    },
    {
      attack: "an end user makes himself a member",
      actor: "visitor",
      try: assign(tenants.A, visitor.id, "tenant_member"),
      expected: denied,
    },
    {
      attack: "a service makes itself tenant_admin",
      actor: "sam",
      try: changes(
        `insert into public.assignments (tenant_id, service_account_id, role_key) values ('${tenants.A}', '${sam.id}', 'tenant_admin')`,
      ),
      expected: denied,
    },
    {
      attack: "a platform auditor makes herself platform_admin",
      actor: "olive",
      try: assign(platform, extras.olive!.id, "platform_admin"),
      expected: denied,
    },
    {
      attack: "eve asks whether somebody is a user of A: he is",
      actor: "eve",
      try: assign(tenants.A, bystanders.A.id, "tenant_member"),
      expected: denied,
    },
    {
      attack: "eve asks whether somebody is a user of A: he is not",
      actor: "eve",
      try: assign(tenants.A, bystanders.E.id, "tenant_member"),
      expected: denied,
    },
    {
      attack: "audrey, who may read who holds what, asks the same",
      actor: "audrey",
      try: assign(tenants.A, bystanders.E.id, "tenant_member"),
      expected: denied,
    },
    {
      attack: "platform staff lets a user of E into A: theirs to do",
      actor: "pat",
      try: assign(tenants.A, bystanders.E.id, "tenant_member"),
      expected: "1",
    },
    {
      attack: "platform staff, narrowed to A, is held to what A's administrator may",
      actor: "pat",
      tenantHeader: tenants.A,
      try: assign(tenants.A, bystanders.E.id, "tenant_member"),
      expected: "422 user_not_in_tenant",
    },
    {
      attack: "an auditor of the platform who administers A gives a role there to a user of E",
      actor: "olive",
      arrange: (tx) =>
        tx`insert into public.assignments (tenant_id, user_id, role_key)
           values (${tenants.A}, ${extras.olive!.id}, 'tenant_admin')`,
      tenantHeader: tenants.A,
      try: assign(tenants.A, bystanders.E.id, "tenant_member"),
      expected: "422 user_not_in_tenant",
    },
    {
      attack: "she does so without the header, as platform staff that may not write",
      actor: "olive",
      arrange: (tx) =>
        tx`insert into public.assignments (tenant_id, user_id, role_key)
           values (${tenants.A}, ${extras.olive!.id}, 'tenant_admin')`,
      try: assign(tenants.A, bystanders.E.id, "tenant_member"),
      expected: "422 user_not_in_tenant",
    },
    {
      attack: "platform staff makes another platform staff, who is of no tenant: theirs to do",
      actor: "pat",
      try: assign(platform, bystanders.P.id, "platform_auditor"),
      expected: "1",
    },
    {
      attack: "alice turns an assignment into another",
      actor: "alice",
      try: changes("update public.assignments set role_key = 'platform_admin'"),
      expected: denied,
    },
    {
      attack: "bob takes alice's role away",
      actor: "bob",
      try: changes(`delete from public.assignments where user_id = '${alice.id}'`),
      expected: "0",
    },
    ...(["alice", "pat"] as const).flatMap((actor) => [
      {
        attack: `${actor} gives a role another right`,
        actor,
        try: changes(
          "insert into public.role_rights (role_key, right_key) values ('tenant_member', 'access.write')",
        ),
        expected: denied,
      },
      {
        attack: `${actor} makes a role of the platform one of tenants`,
        actor,
        try: changes("update public.roles set scope = 'tenant'"),
        expected: denied,
      },
    ]),
  ]),
  ...attacks("CEI", [
    {
      attack: "alice through her tenant's application holds no role there",
      actor: "alice",
      claims: { ...claims("alice"), client_id: apps.A.clientId },
      try: values("select public.whoami() -> 'assignments'"),
      expected: "[[]]",
    },
    {
      attack: "alice through the application reads the log",
      actor: "alice",
      claims: { ...claims("alice"), client_id: apps.A.clientId },
      try: changes(`select * from public.list_events('${tenants.A}')`),
      expected: "403 not_allowed",
    },
    {
      attack: "platform staff through an application reads a tenant's log",
      actor: "pat",
      claims: { ...claims("pat"), client_id: apps.A.clientId },
      try: changes(`select * from public.list_events('${tenants.A}')`),
      expected: "403 not_allowed",
    },
    {
      attack: "alice through the portal is told her own roles and nobody else's",
      actor: "alice",
      try: values("select public.whoami() -> 'assignments'"),
      expected: JSON.stringify([[{ role: "tenant_admin", tenant_id: tenants.A }]]),
    },
    {
      attack: "a member without access.read is told the own roles",
      actor: "bob",
      try: values("select public.whoami() -> 'assignments'"),
      expected: JSON.stringify([[{ role: "tenant_member", tenant_id: tenants.A }]]),
    },
    {
      attack: "a service account that names the portal as its client stays a service",
      actor: "sam",
      claims: { ...claims("sam"), client_id: portalClientId },
      try: values("select public.whoami() ->> 'client_kind'"),
      expected: '["service"]',
    },
  ]),
  ...attacks("NAR", [
    ...(["pat", "dora"] as const).flatMap((actor) => [
      {
        attack: `${actor}, narrowed to A, reads E's log`,
        actor,
        tenantHeader: tenants.A,
        try: changes(`select * from public.list_events('${tenants.E}')`),
        expected: "403 not_allowed",
      },
      {
        attack: `${actor}, narrowed to A, has E reconciled`,
        actor,
        tenantHeader: tenants.A,
        try: changes(`select public.reconcile_tenant('${tenants.E}')`),
        expected: "403 not_allowed",
      },
      {
        attack: `${actor}, narrowed to A, sees rows of another tenant`,
        actor,
        tenantHeader: tenants.A,
        try: foreignRows,
        expected: "[]",
      },
      {
        attack: `${actor}, not narrowed, sees rows of both: the header it was`,
        actor,
        try: values(
          `select slug from public.tenants where id in ('${tenants.A}', '${tenants.E}') order by slug`,
        ),
        expected: '["tenant-a","tenant-e"]',
      },
    ]),
    {
      attack: "platform staff, narrowed, reads the instance's settings",
      actor: "pat",
      tenantHeader: tenants.A,
      try: changes("select * from public.settings"),
      expected: denied,
    },
    {
      attack: "platform staff, narrowed, suspends a tenant",
      actor: "pat",
      tenantHeader: tenants.A,
      try: changes(`select public.suspend_tenant('${tenants.A}')`),
      expected: denied,
    },
    {
      attack: "a platform auditor, narrowed to A, renames it",
      actor: "olive",
      tenantHeader: tenants.A,
      try: changes("update public.tenants set name = 'Mine'"),
      expected: "0",
    },
    {
      attack: "platform staff, narrowed to a suspended tenant, may mend it",
      actor: "pat",
      tenantHeader: all.S,
      try: changes("update public.tenants set name = 'Mended'"),
      expected: "1",
    },
  ]),
];

/** Tables in which rows of another tenant than A are seen; one's own sessions are one's own. */
async function foreignRows(tx: Parameters<Attack["try"]>[0]): Promise<string[]> {
  const tables = await tx<{ name: string }[]>`
    select c.relname as name from pg_class c join pg_attribute a on a.attrelid = c.oid
     where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and a.attname = 'tenant_id'
       and has_table_privilege(c.oid, 'select') order by 1`;
  const found: string[] = [];
  for (const { name } of tables) {
    const own = name === "sign_in_sessions"
      ? "and user_id <> (public.whoami() ->> 'id')::uuid"
      : "";
    const [row] = await tx.unsafe(
      `select exists (select from public.${name} where tenant_id <> '${tenants.A}' ${own}) as seen,
              exists (select from public.${name} where tenant_id = '${tenants.A}') as any`,
    );
    if (row!.seen) found.push(`${name}: foreign`);
    if (!row!.any) found.push(`${name}: nothing, so nothing is proven`);
  }
  return found;
}
