// INT: reaching what is private: tables, helpers, the queue.
import { tenants } from "../support/actors.ts";
import { endpoints } from "./matrix/seed.ts";
import { type Attack, attacks, changes, denied } from "./attacks_cases.ts";

export const privateAttacks: Attack[] = attacks("INT", [
  ...(["anon", "alice", "pat"] as const).flatMap((actor) => [
    ...[
      "webhook_secrets",
      "provider_secrets",
      "removed_providers",
      "verification_keys",
      "clients",
      "issuers",
      "sealed_settings",
      "audit_sequence",
      "provisioning_leases",
    ]
      .map((table) => ({
        attack: `${actor} reads private.${table}`,
        actor,
        try: changes(`select from private.${table}`),
        expected: denied,
      })),
    ...[
      `put_client('i', 'c', 'portal', null, null)`,
      `put_issuer('i', 'gatehouse', 'a', 'u')`,
      `put_verification_keys('i', '[{"kty": "RSA", "kid": "mine"}]')`,
      `ensure_user('i', 's', null)`,
      `settle_administrator('${tenants.A}', 1, 'i', 's', '{}')`,
      `lease_tenant('${tenants.A}', 'me', 60)`,
      `enqueue('tenant__reconcile', '{}')`,
      `require_right('${tenants.A}', 'apps.write')`,
      `ingest_zitadel_events('[]')`,
      `claim_deliveries('${tenants.A}', '${endpoints.A}', '${endpoints.A}', 1, 60)`,
      `webhook_secrets_of('${tenants.A}', '${endpoints.A}')`,
      `provider_secret('${tenants.A}', '${endpoints.A}')`,
      `settle_provider('${tenants.A}', 1, '${endpoints.A}', 'active', '1', null, null)`,
      `sign_in_providers('${tenants.A}')`,
      `put_setting('a', '1')`,
      `get_sealed_setting('a')`,
      `pgrst_config()`,
    ].map((call) => ({
      attack: `${actor} calls private.${call.split("(")[0]}`,
      actor,
      try: changes(`select private.${call}`),
      expected: denied,
    })),
    {
      attack: `${actor} puts a job into the queue`,
      actor,
      try: changes("select graphile_worker.add_job('tenant__reconcile')"),
      expected: denied,
    },
  ]),
  {
    attack: "a member asks what the platform may",
    actor: "alice",
    try: changes("select private.platform_has('tenants.write')"),
    expected: denied,
  },
  {
    attack: "the anonymous asks which tenants there are",
    actor: "anon",
    try: changes("select private.tenants_with('tenants.read')"),
    expected: denied,
  },
]);
