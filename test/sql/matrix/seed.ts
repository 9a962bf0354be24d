// The rows that the matrix is asked about: at least one in every table for each of A, E, S and P.
import type { Sql } from "postgres";
import { apps, arrangeCast, issuer, people } from "../../support/actors.ts";
import { bystanders, extras, type Label, labels, onlies, tenants } from "./cast.ts";

const number = (label: Label) => labels.indexOf(label) + 1;
const id = (kind: number, label: Label) =>
  `01990000-0000-7000-8000-0000000007${kind}${number(label)}`;

export const robots = byLabel((label) => id(1, label));
/** An active confidential application of each tenant. */
export const backends = byLabel((label) => id(2, label));
export const endpoints = byLabel((label) => id(3, label));
/** Endpoints that were removed: nobody sees or reaches them. */
const removed = byLabel((label) => id(7, label));
export const sinks = byLabel((label) => id(6, label));
/** What each sink's receiver refused as too large. */
export const refused = {
  seq: 7,
  id: "01990000-0000-7000-8000-000000000707",
  tenant_id: tenants.A,
  type: "provider.updated",
  size_bytes: 900_000,
};
/** A ready export of each tenant. */
export const downloads = byLabel((label) => id(8, label));
/** A draft of each tenant, published once. */
export const looks = byLabel((label) => id(9, label));
/** A delivery of each tenant that died, of the event that made the tenant. */
export const dead = byLabel((label) => id(8, label));
export const deliveries = byLabel((label) => id(4, label));

function byLabel<T>(make: (label: Label) => T): Record<Label, T> {
  return Object.fromEntries(labels.map((label) => [label, make(label)])) as Record<Label, T>;
}

/** Run as the superuser in an empty, migrated database. */
export async function seed(sql: Sql): Promise<void> {
  await arrangeCast(sql);
  await sql.begin(async (tx) => {
    await tx`
      insert into public.tenants (id, slug, name, organization_id)
      values (${tenants.S}, 'tenant-s', 'Tenant S', '340000000000000009')`;
    await tx`update public.tenants set status = 'suspended' where id = ${tenants.S}`;
    const roles = onlies.map(({ role: key, scope }) => ({ key, scope, description: "One right" }));
    await tx`insert into public.roles ${tx(roles)}`;
    await tx`insert into public.role_rights ${
      tx(onlies.map(({ role, right }) => ({ role_key: role, right_key: right })))
    }`;
    const everybody = [...Object.values(extras), ...Object.values(bystanders), ...onlies];
    await tx`insert into public.users ${
      tx(everybody.map(({ id, subject, home }) => ({
        id,
        issuer,
        subject,
        home_tenant_id: home && tenants[home],
      })))
    }`;
    await tx`insert into public.assignments ${
      tx(everybody.flatMap(({ id, roles }) =>
        roles.map(([label, key]) => ({ tenant_id: tenants[label], user_id: id, role_key: key }))
      ))
    }`;
    for (const label of labels) {
      const tenant_id = tenants[label];
      const rows: [string, Record<string, unknown>][] = [
        ["tenant_domains", { name: `${label.toLowerCase()}.example` }],
        ["subscriptions", { plan: "silver" }],
        ["service_accounts", { id: robots[label], name: "robot" }],
        ["apps", {
          id: backends[label],
          name: "backend",
          kind: "web",
          state: "active",
          client_id: `35000000000000000${number(label)}`,
        }],
        ["providers", { name: "directory", kind: "ldap" }],
        ["legal_holds", { reason: "a case that is over", lifted_at: new Date() }],
        ["webhook_endpoints", {
          id: endpoints[label],
          url: "https://receiver.example/",
          event_types: ["tenant.deleted"],
        }],
        ["webhook_endpoints", {
          id: removed[label],
          url: "https://removed.example/",
          enabled: false,
          removed_at: new Date(),
        }],
        ["webhook_deliveries", {
          id: deliveries[label],
          endpoint_id: endpoints[label],
          event_id: id(5, label),
          event_recorded_at: new Date(),
          event_type: "tenant.deleted",
        }],
        ["webhook_attempts", {
          delivery_id: deliveries[label],
          number: 1,
          started_at: new Date(),
          duration_ms: 1,
        }],
      ];
      rows.push(["custom_event_types", { name: "custom.done", schema: tx.json({}) }]);
      rows.push(["audit_sinks", {
        id: sinks[label],
        name: "sink",
        kind: "http",
        settings: tx.json({ url: "https://receiver.example/" }),
        last_error: tx.json({ slug: "batch_too_large", event: refused }),
      }]);
      rows.push(["audit_exports", {
        id: downloads[label],
        format: "csv",
        state: "ready",
        requested_by: tx.json({ kind: "operator", id: "seed" }),
        expires_at: new Date("2999-01-01"),
      }]);
      rows.push(["widget_logos", {
        bytes: new TextEncoder().encode('<svg xmlns="http://www.w3.org/2000/svg"></svg>'),
      }]);
      rows.push(["widget_configs", { id: looks[label] }]);
      rows.push(["widget_config_versions", {
        config_id: looks[label],
        number: 1,
        body: "{}",
        hash: "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a", // of {}
        published_by: tx.json({ kind: "operator", id: "seed" }),
      }]);
      for (const [table, row] of rows) {
        await tx`insert into ${tx(`public.${table}`)} ${tx({ tenant_id, ...row })}`;
      }
      await tx`
        insert into private.audit_sink_secrets (tenant_id, sink_id, key_id, ciphertext)
        values (${tenant_id}, ${sinks[label]}, 'k1', '\\x01')`;
    }
    const sessions: [Label, string][] = [
      ["A", people.visitor.id],
      ["E", people.eve.id],
      ["E", extras.dora!.id],
      ["S", extras.sue!.id],
      ["P", people.pat.id],
      ["P", onlies.find(({ name }) => name === "staff only apps.read")!.id],
    ];
    await tx`insert into public.sign_in_sessions ${
      tx(sessions.map(([label, user_id], index) => ({
        tenant_id: tenants[label],
        id: `V1_${index}`,
        client_id: apps.A.clientId,
        user_id,
        signed_in_at: new Date(),
      })))
    }`;
    await tx`insert into public.settings (key, value) values ('matrix', '0')`;
  });
  for (const label of labels) {
    await sql`
      insert into public.webhook_deliveries
        (tenant_id, id, endpoint_id, event_id, event_recorded_at, event_type, state, settled_at)
      select tenant_id, ${dead[label]}, ${endpoints[label]}, id, recorded_at, type, 'dead', now()
        from public.audit_events
       where tenant_id = ${tenants[label]} order by recorded_at, id limit 1`;
  }
  await sql`select private.sequence_events(100000)`;
}
