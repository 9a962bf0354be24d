// FUN: definers asked by the wrong person, or by the right one about another's.
import type { TransactionSql } from "postgres";
import { apps, claims, people, platform, portalClientId, tenants } from "../support/actors.ts";
import { bystanders } from "./matrix/cast.ts";
import { backends, endpoints, looks } from "./matrix/seed.ts";
import { type Attack, attacks, changes, denied, peek, values } from "./attacks_cases.ts";

const notAllowed = "403 not_allowed";
const nobody = "01990000-0000-7000-8000-00000000ffff";
const signOut = (user: string) => `select public.sign_out_everywhere('${user}')`;
const rotate = (tenant: string, endpoint: string) =>
  `select private.rotate_webhook_secret('${tenant}', '${endpoint}', 'v1', null, '[{"scheme": "v1", "keyId": "k2", "ciphertext": "Ag=="}]', 60)`;
const createEndpoint = (types: string, since: string) =>
  `select private.create_webhook_endpoint('${tenants.A}', private.new_id(),
     jsonb_build_object('url', 'https://x.example/', 'event_types', ${types}, 'since_at', ${since}),
     '[{"scheme": "v1", "keyId": "k1", "ciphertext": "AQ=="}]')`;
const headers = (names: string) =>
  `select private.put_webhook_headers('${tenants.A}', '${endpoints.E}', '${names}', 'k2', '\\x02')`;
const publicKey = `whpk_${"A".repeat(43)}=`;
const schemes = `select concat_ws(' ', case tenant_id when '${tenants.A}' then 'A' else 'E' end,
    case id when '${endpoints.A}' then 'other' else 'twin' end, signature_scheme,
    'key:', public_key is not null, 'headers:', cardinality(header_names))
  from public.webhook_endpoints where id in ('${endpoints.A}', '${endpoints.E}') order by 1`;
const revoked =
  "select id::text from public.users where tokens_valid_after > '-infinity' order by id";

/** An endpoint of A with the id of E's, and a secret of each: ids are a tenant's, so this may happen. */
async function twins(tx: TransactionSql): Promise<void> {
  await tx`insert into public.webhook_endpoints (tenant_id, id, url) values (${tenants.A}, ${endpoints.E}, 'https://twin.example/')`;
  for (const tenant of [tenants.A, tenants.E]) {
    await tx`insert into private.webhook_secrets (tenant_id, endpoint_id, key_id, ciphertext) values (${tenant}, ${endpoints.E}, 'k1', '\\x01')`;
  }
}

export const functionAttacks: Attack[] = attacks("FUN", [
  {
    attack: "alice opens E's endpoint as one of her tenant",
    actor: "alice",
    try: changes(`select private.open_webhook_endpoint('${tenants.A}', '${endpoints.E}')`),
    expected: "404 endpoint_not_found",
  },
  {
    attack: "alice opens an endpoint that is not there",
    actor: "alice",
    try: changes(`select private.open_webhook_endpoint('${tenants.A}', '${nobody}')`),
    expected: "404 endpoint_not_found",
  },
  {
    attack: "alice opens her own endpoint whose id E has too: she gets hers",
    actor: "alice",
    arrange: twins,
    try: values(
      `select private.open_webhook_endpoint('${tenants.A}', '${endpoints.E}') ->> 'url'
       union all select jsonb_array_length(private.open_webhook_endpoint('${tenants.A}', '${endpoints.E}') -> 'secrets')::text`,
    ),
    expected: '["https://twin.example/","1"]',
  },
  {
    attack: "alice rotates the secret of E's endpoint as one of her tenant",
    actor: "alice",
    try: changes(rotate(tenants.A, endpoints.E)),
    expected: "404 endpoint_not_found",
  },
  {
    attack:
      "alice rotates her own endpoint's secret: E's, whose endpoint has the same id, and her other ones stay",
    actor: "alice",
    arrange: async (tx) => {
      await twins(tx);
      await tx`insert into private.webhook_secrets (tenant_id, endpoint_id, key_id, ciphertext) values (${tenants.A}, ${endpoints.A}, 'k0', '\\x01')`;
      for (const [tenant, endpoint] of [[tenants.E, endpoints.E], [tenants.A, endpoints.A]]) {
        await tx`insert into private.webhook_secrets (tenant_id, endpoint_id, key_id, ciphertext, expires_at) values (${tenant!}, ${endpoint!}, 'gone', '\\x01', now() - interval '1 hour')`;
      }
    },
    try: async (tx) => {
      await changes(rotate(tenants.A, endpoints.E))(tx);
      return await peek(
        tx,
        `select concat_ws(' ', case tenant_id when '${tenants.A}' then 'A' else 'E' end,
             case endpoint_id when '${endpoints.A}' then 'other' else 'rotated' end, key_id,
             case when expires_at < now() then 'over' when expires_at is null then 'current' else 'overlaps' end)
           from private.webhook_secrets where endpoint_id in ('${endpoints.A}', '${endpoints.E}') order by 1`,
      );
    },
    expected: JSON.stringify([
      "A other gone over",
      "A other k0 current",
      "A rotated k1 overlaps",
      "A rotated k2 current",
      "E rotated gone over",
      "E rotated k1 current",
    ]),
  },
  {
    attack:
      "alice moves her endpoint to another scheme: E's, whose endpoint has the same id, and her other ones stay",
    actor: "alice",
    arrange: twins,
    try: async (tx) => {
      await changes(
        `select private.rotate_webhook_secret('${tenants.A}', '${endpoints.E}', 'v1a', '${publicKey}', '[{"scheme": "v1a", "keyId": "k2", "ciphertext": "Ag=="}]', 60)`,
      )(tx);
      return await peek(tx, schemes);
    },
    expected: JSON.stringify([
      "A other v1 key: f headers: 0",
      "A twin v1a key: t headers: 0",
      "E twin v1 key: f headers: 0",
    ]),
  },
  {
    attack:
      "alice puts headers to her endpoint: E's, whose endpoint has the same id, and her other ones keep theirs",
    actor: "alice",
    arrange: twins,
    try: async (tx) => {
      await changes(headers("{x-one,x-two}"))(tx);
      return await peek(tx, schemes);
    },
    expected: JSON.stringify([
      "A other v1 key: f headers: 0",
      "A twin v1 key: f headers: 2",
      "E twin v1 key: f headers: 0",
    ]),
  },
  {
    attack:
      "alice takes her endpoint's headers away: E's, whose endpoint has the same id, and her other ones keep theirs",
    actor: "alice",
    arrange: async (tx) => {
      await twins(tx);
      await tx`insert into private.webhook_headers (tenant_id, endpoint_id, key_id, ciphertext)
        select tenant_id, id, 'k1', '\\x01' from public.webhook_endpoints
         where id in (${endpoints.A}, ${endpoints.E})`;
    },
    try: async (tx) => {
      await changes(headers("{}"))(tx);
      return await peek(
        tx,
        `select concat_ws(' ', case tenant_id when '${tenants.A}' then 'A' else 'E' end,
             case endpoint_id when '${endpoints.A}' then 'other' else 'twin' end)
           from private.webhook_headers order by 1`,
      );
    },
    expected: JSON.stringify(["A other", "E twin"]),
  },
  {
    attack: "alice puts headers to E's endpoint as one of her tenant",
    actor: "alice",
    try: changes(headers("{x-one}")),
    expected: "404 endpoint_not_found",
  },
  {
    attack: "eve puts headers to the endpoint of A that has her endpoint's id",
    actor: "eve",
    arrange: twins,
    try: changes(headers("{x-one}")),
    expected: notAllowed,
  },
  {
    attack: "alice makes a new secret for E's application as one of her tenant",
    actor: "alice",
    try: changes(`select private.begin_app_secret('${tenants.A}', '${backends.E}')`),
    expected: "404 app_not_found",
  },
  {
    attack: "alice makes a secret for an application that may hold none",
    actor: "alice",
    try: changes(`select private.begin_app_secret('${tenants.A}', '${apps.A.id}')`),
    expected: "409 app_not_confidential",
  },
  {
    attack: "alice makes a secret for an application that ZITADEL has not confirmed",
    actor: "alice",
    arrange: (tx) => tx`update public.apps set state = 'pending' where id = ${backends.A}`,
    try: changes(`select private.begin_app_secret('${tenants.A}', '${backends.A}')`),
    expected: "409 app_not_ready",
  },
  {
    attack: "alice is handed her own tenant's organization and application, no other",
    actor: "alice",
    try: values(
      `select array[s ->> 'organizationId', s ->> 'clientId']
         from private.begin_app_secret('${tenants.A}', '${backends.A}') s`,
    ),
    expected: '[["340000000000000001","350000000000000001"]]',
  },
  {
    attack: "alice subscribes to a type of event that is not there",
    actor: "alice",
    try: changes(createEndpoint("array['tenant.created', 'no.such']", "null")),
    expected: "422 event_type_unknown",
  },
  {
    attack: "alice subscribes to types that are there",
    actor: "alice",
    try: changes(createEndpoint("array['tenant.created', 'app.*']", "null")),
    expected: "1",
  },
  {
    attack: "alice subscribes to a type that another tenant has registered",
    actor: "alice",
    arrange: (tx) =>
      tx`
      insert into public.custom_event_types (tenant_id, name, schema) values (${tenants.E}, 'custom.order.placed', '{}')`,
    try: changes(createEndpoint("array['custom.order.placed']", "null")),
    expected: "422 event_type_unknown",
  },
  {
    attack: "alice subscribes to a type that her tenant has registered",
    actor: "alice",
    arrange: (tx) =>
      tx`
      insert into public.custom_event_types (tenant_id, name, schema) values (${tenants.A}, 'custom.order.placed', '{}')`,
    try: changes(createEndpoint("array['custom.order.placed']", "null")),
    expected: "1",
  },
  {
    attack: "alice subscribes to all that her tenant will ever register, and has not yet",
    actor: "alice",
    arrange: (tx) => tx`delete from public.custom_event_types where tenant_id = ${tenants.A}`,
    try: changes(createEndpoint("array['custom.*']", "null")),
    expected: "1",
  },
  {
    attack: "alice asks for a year of past events",
    actor: "alice",
    try: changes(createEndpoint("null", "now() - interval '1 year'")),
    expected: "422 since_too_old",
  },
  {
    attack: "an auditor makes an endpoint that would hear everything",
    actor: "audrey",
    try: changes(createEndpoint("null", "null")),
    expected: notAllowed,
  },
  ...([
    ["bob", people.alice.id],
    ["eve", people.alice.id],
    ["audrey", people.alice.id],
    ["alice", people.pat.id],
    ["alice", nobody],
    ["sam", people.bob.id],
  ] as const)
    .map(([actor, user]) => ({
      attack: `${actor} signs ${
        user === people.alice.id
          ? "alice"
          : user === people.pat.id
          ? "pat"
          : user === nobody
          ? "nobody"
          : "bob"
      } out`,
      actor,
      try: changes(signOut(user)),
      expected: notAllowed,
    })),
  {
    attack: "a service signs itself out",
    actor: "sam",
    try: changes("select public.sign_out_everywhere()"),
    expected: notAllowed,
  },
  {
    attack: "who has no row signs out everywhere",
    actor: "mallory",
    try: changes("select public.sign_out_everywhere()"),
    expected: notAllowed,
  },
  {
    attack: "platform staff without a row of their own to name signs out nobody",
    actor: "pat",
    try: changes(signOut(nobody)),
    expected: "404 user_not_found",
  },
  {
    attack: "the anonymous signs somebody out",
    actor: "anon",
    try: changes(signOut(people.alice.id)),
    expected: denied,
  },
  {
    attack: "alice signs bob out: bob and nobody else",
    actor: "alice",
    try: async (tx) => {
      await changes(signOut(people.bob.id))(tx);
      return await peek(tx, revoked);
    },
    expected: JSON.stringify([people.bob.id]),
  },
  {
    attack: "bob signs himself out: bob and nobody else",
    actor: "bob",
    try: async (tx) => {
      await changes("select public.sign_out_everywhere()")(tx);
      return await peek(tx, revoked);
    },
    expected: JSON.stringify([people.bob.id]),
  },
  {
    attack: "alice, who administers A, signs out a user of E by naming her own tenant nowhere",
    actor: "alice",
    try: changes(signOut(bystanders.E.id)),
    expected: notAllowed,
  },
  {
    attack: "a service starts a person's session",
    actor: "sam",
    try: changes("select public.start_session()"),
    expected: "403 not_a_person",
  },
  {
    attack: "the anonymous starts a session",
    actor: "anon",
    try: changes("select public.start_session()"),
    expected: denied,
  },
  {
    attack: "a session that starts touches one's own row only",
    actor: "bob",
    try: async (tx) => {
      await changes("select public.start_session()")(tx);
      return await peek(tx, "select id::text from public.users where last_seen_at is not null");
    },
    expected: JSON.stringify([people.bob.id]),
  },
  ...([[portalClientId, null], [apps.A.clientId, tenants.A], [apps.E.clientId, tenants.E]] as const)
    .map(([client, home]) => ({
      attack: `a stranger's first session through ${client} makes a user ${
        home ? "of the application's tenant" : "of no tenant"
      }`,
      actor: "mallory" as const,
      claims: { ...claims("mallory"), client_id: client },
      arrange: (tx: TransactionSql) =>
        tx`insert into private.clients (issuer, client_id, kind, tenant_id, app_id)
           values ('http://other.test', ${client}, 'app', ${tenants.E}, ${apps.E.id})`, // another issuer's client of the same id says nothing
      try: async (tx: TransactionSql) => {
        await changes("select public.start_session()")(tx);
        return await peek(
          tx,
          "select home_tenant_id from public.users where subject = '330000000000000099'",
        );
      },
      expected: JSON.stringify([home]),
    })),
  {
    attack: "platform staff suspends the platform",
    actor: "pat",
    try: changes(`select public.suspend_tenant('${platform}')`),
    expected: notAllowed,
  },
  {
    attack: "a platform auditor suspends a tenant",
    actor: "olive",
    try: changes(`select public.suspend_tenant('${tenants.A}')`),
    expected: notAllowed,
  },
  {
    attack: "platform staff suspends A: A and no other",
    actor: "pat",
    try: async (tx) => {
      await changes(`select public.suspend_tenant('${tenants.A}')`)(tx);
      return await peek(
        tx,
        "select slug from public.tenants where status = 'suspended' order by 1",
      );
    },
    expected: '["tenant-a","tenant-s"]',
  },
  {
    attack: "platform staff resumes what is not suspended",
    actor: "pat",
    try: changes(`select public.resume_tenant('${tenants.A}')`),
    expected: "409 tenant_status_conflict",
  },
  {
    attack: "platform staff has a tenant reconciled that is not there",
    actor: "pat",
    try: changes(`select public.reconcile_tenant('${nobody}')`),
    expected: "404 tenant_not_found",
  },
  {
    attack: "bob asks for the personal values of an event with nothing beside it, and gets none",
    actor: "bob",
    try: values(
      `select public.personal_values(jsonb_populate_record(null::public.audit_events, '{"tenant_id": "${tenants.A}"}'))`,
    ),
    expected: "[null]",
  },
  {
    attack: "alice asks for E's personal values by an event of her own tenant with the id of E's",
    actor: "alice",
    arrange: (tx) =>
      tx`select private.record_event(${tenants.E}, 'app.activated', '[]', '{"client_id": null}', null, null, '{"address": "10.9.9.9"}')`,
    try: async (tx) => {
      const id = await peek(
        tx,
        "select event_id::text from private.audit_personal order by event_recorded_at desc limit 1",
      );
      await tx`set local role authenticated`;
      return await values(
        `select public.personal_values(jsonb_populate_record(null::public.audit_events, '{"tenant_id": "${tenants.A}", "id": "${id}", "personal": {}}'))`,
      )(tx);
    },
    expected: "[null]",
  },
  {
    attack: "platform staff erases a person who is not there",
    actor: "pat",
    try: changes(`select public.erase_person('${nobody}')`),
    expected: "404 user_not_found",
  },
  {
    attack: "platform staff exports a person who is not there",
    actor: "pat",
    try: changes(`select public.export_person('${nobody}')`),
    expected: "404 user_not_found",
  },
  {
    attack: "eve publishes A's draft as one of her tenant",
    actor: "eve",
    try: changes(`select public.publish_widget_config('${tenants.E}', '${looks.A}')`),
    expected: "404 widget_config_not_found",
  },
  {
    attack: "eve reverts A's draft as one of her tenant",
    actor: "eve",
    try: changes(`select public.revert_widget_config('${tenants.E}', '${looks.A}', 1)`),
    expected: "404 widget_config_not_found",
  },
  {
    attack: "alice reverts to a version that there is not",
    actor: "alice",
    try: changes(`select public.revert_widget_config('${tenants.A}', '${looks.A}', 2)`),
    expected: "404 widget_version_not_found",
  },
]);
