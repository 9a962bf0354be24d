// EGR: the list of where this installation goes, from what is configured now.
import assert from "node:assert/strict";
import type { TransactionSql } from "postgres";
import { as, issuer, refusal, tenants } from "../support/actors.ts";
import { suiteDatabase } from "../support/suite.ts";

const database = suiteDatabase();

async function arrange(tx: TransactionSql): Promise<void> {
  await tx`insert into public.webhook_endpoints (tenant_id, url, event_types, enabled) values
    (${tenants.A}, 'https://hooks.acme.example:8443/in', '{tenant.*}', true),
    (${tenants.A}, 'https://off.acme.example/in', '{tenant.*}', false)`;
  const settings = tx.json({
    host: "SIEM.acme.example",
    port: 6514,
    transport: "tls",
    facility: 10,
    enterpriseId: 32473,
    confirm: true,
  });
  await tx`insert into public.audit_sinks (tenant_id, name, kind, settings) values
    (${tenants.A}, 'siem', 'syslog', ${settings}),
    (${tenants.A}, 'lake', 'http', '{"url": "https://[fd00::7]:9443/x"}')`;
  const oidc = tx.json({ issuer: "https://sso.acme.example", clientId: "x" });
  await tx`insert into public.providers (tenant_id, name, kind, settings, enabled, endpoints) values
    (${tenants.A}, 'sso', 'oidc', ${oidc}, true, array['https://keys.acme.example:444']),
    (${tenants.A}, 'draft', 'google', '{"clientId": "x"}', false, '{}'),
    (${tenants.E}, 'Google', 'google', '{"clientId": "x"}', true, '{}')`;
}

Deno.test("EGR-01 everything that is enabled is on it, with its caller and reason, and nothing that is not", async () => {
  await as(database().sql, "pat", async (tx) => {
    const rows = await tx<
      { host: string; port: number; scheme: string; caller: string; reason: string }[]
    >`select * from public.egress_allowlist()`;
    const of = (host: string) =>
      rows.filter((row) => row.host === host).map(({ scheme, port, caller }) =>
        `${caller} ${scheme} ${port}`
      ).toSorted();
    assert.deepEqual(of("hooks.acme.example"), ["functions https 8443", "worker https 8443"]);
    assert.deepEqual(of("siem.acme.example"), ["worker tls 6514"]);
    assert.deepEqual(of("fd00::7"), ["worker https 9443"]);
    assert.deepEqual(of("sso.acme.example"), [
      "browser https 443",
      "functions https 443",
      "zitadel https 443",
    ]);
    assert.deepEqual(of("keys.acme.example"), [
      "browser https 444",
      "functions https 444",
      "zitadel https 444",
    ]);
    assert.deepEqual(of("oauth2.googleapis.com"), ["zitadel https 443"]);
    const zitadel = new URL(issuer);
    assert.deepEqual(of(zitadel.hostname), [
      "browser http 80",
      "functions http 80",
      "worker http 80",
    ]);
    assert.deepEqual(of("off.acme.example"), []);
    assert.ok(!rows.some(({ reason }) => reason.includes("draft")));
    assert.ok(rows.every(({ reason }) => reason !== ""));
  }, { arrange });
});

Deno.test("EGR-02 it is platform staff's: a tenant's administrator reads no other tenant's addresses by it", async () => {
  await assert.rejects(
    as(database().sql, "alice", (tx) => tx`select * from public.egress_allowlist()`, { arrange }),
    { code: "42501" },
  );
  await assert.rejects(
    as(database().sql, "alice", (tx) => tx`select * from private.egress_addresses()`),
    { code: "42501" },
  );
  assert.ok(refusal);
});
