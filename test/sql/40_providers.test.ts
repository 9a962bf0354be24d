// PVD: alice administers A, bob is a member of A, eve administers E.
import assert from "node:assert/strict";
import type { TransactionSql } from "postgres";
import { as, refusal, tenants } from "../support/actors.ts";
import { asOwner, eventsOf, jobs, undone } from "../support/log.ts";
import { suiteDatabase } from "../support/suite.ts";

const database = suiteDatabase();

const metadata = `<?xml version="1.0"?><md:EntityDescriptor entityID="https://adfs.acme.example/">
  <md:IDPSSODescriptor><md:SingleSignOnService Location="https://adfs.acme.example/sso"
    Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"/></md:IDPSSODescriptor></md:EntityDescriptor>`;

const complete: Record<string, Record<string, unknown>> = {
  google: { clientId: "1.apps.googleusercontent.com", scopes: ["openid", "email"] },
  github: { clientId: "Iv1.1", baseUrl: "https://github.acme.example" },
  microsoft: {
    clientId: "c0ffee",
    tenant: "8eaef023-2b34-4da1-9baa-8bc8c9d6a490",
    emailVerified: true,
  },
  oidc: { issuer: "https://sso.acme.example/realms/staff", clientId: "gatehouse", pkce: true },
  saml: { metadataXml: metadata, binding: "post" },
  ldap: {
    servers: ["ldaps://dc1.acme.example", "ldaps://dc2.acme.example:3269"],
    baseDn: "dc=acme,dc=example",
    bindDn: "cn=reader,dc=acme,dc=example",
    userObjectClasses: ["user"],
    userFilters: ["sAMAccountName"],
    attributes: { id: "objectGUID", userName: "sAMAccountName" },
    timeoutSeconds: 5,
  },
};

const make = async (
  tx: TransactionSql,
  kind: string,
  settings: Record<string, unknown>,
  { tenant = tenants.A as string, enabled = true } = {},
) => {
  const [row] = await tx<{ id: string; state: string }[]>`
    insert into public.providers (tenant_id, name, kind, settings, enabled)
    values (${tenant}, ${kind}, ${kind}, ${
    tx.json(settings as never)
  }, ${enabled}) returning id, state`;
  return row!;
};

Deno.test("PVD-01 each kind is taken when it is complete: pending, on record, and the saga is asked for once", async () => {
  await as(database().sql, "alice", async (tx) => {
    for (const [kind, settings] of Object.entries(complete)) {
      assert.equal((await make(tx, kind, settings)).state, "pending", kind);
    }
    await asOwner(tx, async () => {
      assert.equal((await eventsOf(tx, tenants.A, "provider.created")).length, 6);
      assert.deepEqual((await jobs(tx, "tenant__reconcile")).length, 1);
    });
  }, { arrange: (tx) => tx`delete from graphile_worker._private_jobs` });
});

const refused: [kind: string, changes: Record<string, unknown>, why: RegExp][] = [
  ["google", { clientId: undefined }, /^clientId: it is missing/],
  ["google", { clientId: 7 }, /^clientId: it is no text/],
  ["google", { clientSecret: "s3cret" }, /^clientSecret: a provider of this kind has no such/],
  ["google", { scopes: ["open id"] }, /^scopes: "open id"/],
  ["google", { scopes: "openid" }, /^scopes: it is no list/],
  ["github", { baseUrl: "https://github.acme.example/" }, /^baseUrl/],
  ["github", { baseUrl: "http://github.acme.example" }, /^baseUrl: http is for loopback/],
  ["microsoft", { tenant: "acme.onmicrosoft.com" }, /^tenant/],
  ["microsoft", { tenant: "common" }, /^emailVerified: only one directory/],
  ["oidc", { issuer: "https://a:b@sso.acme.example" }, /^issuer/],
  ["oidc", { issuer: "https://sso.acme.example?x=1" }, /^issuer/],
  ["oidc", { issuer: "javascript:alert(1)" }, /^issuer/],
  ["oidc", { pkce: "yes" }, /^pkce: it is neither/],
  ["saml", { metadataXml: "<html/>" }, /^metadataXml: it describes no identity provider/],
  ["saml", { metadataXml: `<!DOCTYPE x [<!ENTITY a "b">]>${metadata}` }, /document type/],
  ["saml", { binding: "artifact" }, /^binding/],
  ["ldap", { servers: ["ldap://dc1.acme.example"] }, /^servers: over ldap:\/\/ passwords/],
  ["ldap", { servers: ["https://dc1.acme.example"] }, /^servers/],
  ["ldap", { servers: [] }, /a list that is needed is empty/],
  ["ldap", { userFilters: ["uid)(objectClass=*"] }, /^userFilters/],
  ["ldap", { attributes: { id: "objectGUID" } }, /^attributes: id and userName/],
  ["ldap", { attributes: { id: "a", userName: "b", shoe: "c" } }, /^attributes: shoe/],
  ["ldap", { timeoutSeconds: 600 }, /^timeoutSeconds/],
  ["ldap", { ca: "-----BEGIN PRIVATE KEY-----" }, /^ca/],
];

Deno.test("PVD-02 what a kind does not have, or has otherwise, is refused by name", async () => {
  await as(database().sql, "alice", async (tx) => {
    for (const [kind, changes, why] of refused) {
      await assert.rejects(
        tx.savepoint((s) => make(s, kind, { ...complete[kind], ...changes })),
        (error: { message: string; detail: string }) =>
          error.message === "provider_settings_refused" && why.test(error.detail),
        `${kind} ${JSON.stringify(changes)}`,
      );
    }
  });
});

Deno.test("PVD-03 a draft may be incomplete, never malformed; enabling it takes all of it", async () => {
  await as(database().sql, "alice", async (tx) => {
    const { id } = await make(tx, "google", {}, { enabled: false });
    await assert.rejects(
      tx.savepoint((s) => s`update public.providers set enabled = true where id = ${id}`),
      refusal("provider_settings_refused", 422),
    );
    await assert.rejects(
      tx.savepoint((s) => s`update public.providers set settings = '{"x": 1}' where id = ${id}`),
      refusal("provider_settings_refused", 422),
    );
  });
});

Deno.test("PVD-04 domains are ones that the tenant has proven", async () => {
  const set = (tx: TransactionSql, name: string) =>
    tx`update public.providers set domains = array[${name}]`;
  await as(database().sql, "alice", async (tx) => {
    await make(tx, "google", complete.google!);
    await assert.rejects(
      tx.savepoint((s) => set(s, "claimed.example")),
      refusal("provider_domain_unproven", 422),
    );
    await assert.rejects(
      tx.savepoint((s) => set(s, "theirs.example")),
      refusal("provider_domain_unproven", 422),
    );
    await set(tx, "proven.example");
  }, {
    arrange: (tx) =>
      tx`
    insert into public.tenant_domains (tenant_id, name, verified_at) values
      (${tenants.A}, 'claimed.example', null), (${tenants.A}, 'proven.example', now()),
      (${tenants.E}, 'theirs.example', now())`,
  });
});

Deno.test("PVD-05 offline no provider outside the networks is enabled, and none that was is offered", async () => {
  await undone(database().sql, async (tx) => {
    const offered = async () =>
      (await tx`select private.sign_in_providers(${tenants.A}) as p`)[0]!.p.map((
        { kind }: { kind: string },
      ) => kind);
    for (const [kind, settings] of Object.entries(complete)) await make(tx, kind, settings);
    await tx`update public.tenants set status = 'active' where id = ${tenants.A}`;
    await tx`update public.providers set state = 'active', idp_id = '36' || kind`;
    assert.equal((await offered()).length, 6);
    const offline = tx.json({ networks: ["10.0.0.0/8"], domains: ["acme.example"] });
    await tx`update public.settings set value = ${offline} where key = 'network.offline'`;
    assert.deepEqual((await offered()).toSorted(), ["github", "ldap", "oidc", "saml"]);
    for (const [kind, settings] of Object.entries(complete)) {
      const outside = kind === "google" || kind === "microsoft";
      const again = tx.savepoint((s) => make(s, kind, settings, { tenant: tenants.E }));
      if (outside) await assert.rejects(again, refusal("provider_host_outside", 422), kind);
      else await again;
    }
    const oidc = (issuer: string) =>
      tx.savepoint((s) =>
        s`update public.providers set settings = ${s.json({ ...complete.oidc, issuer } as never)}
          where tenant_id = ${tenants.A} and kind = 'oidc'`
      );
    await oidc("https://10.2.3.4:8443");
    await assert.rejects(oidc("https://11.2.3.4"), refusal("provider_host_outside", 422));
    await assert.rejects(oidc("https://notacme.example"), refusal("provider_host_outside", 422));
    await assert.rejects(
      tx.savepoint((s) =>
        s`update public.settings set value = '{"networks": []}' where key = 'network.offline'`
      ),
      { constraint_name: "setting_offline_malformed" },
    );
  });
});

Deno.test("PVD-06 another tenant sees, changes, tests and removes nothing of it; a member may not either", async () => {
  let id = "";
  const arrange = async (tx: TransactionSql) => {
    ({ id } = await make(tx, "google", complete.google!));
  };
  for (const actor of ["eve", "bob"] as const) {
    await as(database().sql, actor, async (tx) => {
      assert.equal((await tx`select from public.providers where id = ${id}`).length, 0);
      assert.equal(
        (await tx`update public.providers set enabled = false where id = ${id}`).count,
        0,
      );
      assert.equal((await tx`delete from public.providers where id = ${id}`).count, 0);
      for (
        const call of [
          (s: TransactionSql) => s`select private.open_provider(${tenants.A}, ${id})`,
          (s: TransactionSql) =>
            s`select private.put_provider_secret(${tenants.A}, ${id}, 'k', 'x')`,
          (s: TransactionSql) =>
            s`select private.note_provider_endpoints(${tenants.A}, ${id}, array['https://evil.example'])`,
        ]
      ) {
        await assert.rejects(tx.savepoint(call), refusal("not_allowed", 403));
      }
    }, { arrange });
  }
  // Of her own tenant eve may, but there it is not.
  await as(database().sql, "eve", async (tx) => {
    await assert.rejects(
      tx.savepoint((s) => s`select private.open_provider(${tenants.E}, ${id})`),
      refusal("provider_not_found", 404),
    );
    await assert.rejects(
      tx.savepoint((s) => s`select private.put_provider_secret(${tenants.E}, ${id}, 'k', 'x')`),
      refusal("provider_not_found", 404),
    );
  }, { arrange });
});

Deno.test("PVD-07 a secret stands in no row and no event; that there is a new one is on record, and asks for the saga", async () => {
  await as(database().sql, "alice", async (tx) => {
    const { id } = await make(tx, "google", complete.google!);
    await asOwner(tx, () => tx`delete from graphile_worker._private_jobs`);
    await tx`select private.put_provider_secret(${tenants.A}, ${id}, 'k1', 'c1ph3rt3xt')`;
    const [row] = await tx`select * from public.providers where id = ${id}`;
    assert.ok(row!.credential_set_at);
    assert.ok(!JSON.stringify(row).includes("c1ph3rt3xt"));
    await assert.rejects(
      tx.savepoint((s) => s`select from private.provider_secrets`),
      { code: "42501" },
    );
    await asOwner(tx, async () => {
      const events = await eventsOf(tx, tenants.A, "provider.%");
      assert.deepEqual(events.map(({ type }) => type), ["provider.created", "provider.updated"]);
      assert.ok(!JSON.stringify(events).includes("c1ph3rt3xt"));
      assert.equal((await jobs(tx, "tenant__reconcile")).length, 1);
    });
  });
});

Deno.test("PVD-08 settled, the secret that was used is gone; one that came meanwhile waits", async () => {
  await undone(database().sql, async (tx) => {
    const { id } = await make(tx, "google", complete.google!);
    const [{ token }] = await tx<[{ token: string }]>`
      select private.lease_tenant(${tenants.A}, 'saga', 60) as token`;
    await tx`insert into private.provider_secrets values (${tenants.A}, ${id}, 'k1', 'one', '2026-01-01')`;
    const waiting = async () =>
      (await tx`select private.provider_secret(${tenants.A}, ${id}) as s`)[0]!.s;
    const used = (await waiting()).setAt as string;
    const settle = (lease: string) =>
      tx.savepoint((s) =>
        s`select private.settle_provider(${tenants.A}, ${lease}, ${id}, 'active', '36', null, ${used})`
      );
    await assert.rejects(settle("0"), refusal("lease_lost", 409));
    await tx`update private.provider_secrets set set_at = now(), ciphertext = 'two'`;
    await settle(token);
    assert.ok(await waiting());
    await tx`update private.provider_secrets set set_at = ${used}`;
    await settle(token);
    assert.equal(await waiting(), null);
    assert.equal((await eventsOf(tx, tenants.A, "provider.activated")).length, 1);
  });
});

Deno.test("PVD-09 removing leaves a note for the saga, and the tenant's going leaves none", async () => {
  await undone(database().sql, async (tx) => {
    const { id } = await make(tx, "google", complete.google!);
    await tx`update public.providers set idp_id = '36'`;
    await tx`delete from public.providers where id = ${id}`;
    const [row] = await tx`select private.provisioning_input(${tenants.A}) as input`;
    assert.deepEqual(row!.input.removedProviders, [{ id, idpId: "36", name: "google" }]);
    assert.deepEqual(row!.input.providers, []);
    assert.equal((await eventsOf(tx, tenants.A, "provider.deleted")).length, 1);
  });
});

Deno.test("PVD-10 the sign-in page is offered what is enabled, active and its tenant's, with the domains it may speak for", async () => {
  await undone(database().sql, async (tx) => {
    await tx`insert into public.tenant_domains (tenant_id, name, verified_at)
      values (${tenants.A}, 'proven.example', now())`;
    const { id } = await make(tx, "google", complete.google!);
    await make(tx, "github", complete.github!, { tenant: tenants.E });
    const offered = async (tenant: string) =>
      (await tx`select private.sign_in_providers(${tenant}) as p`)[0]!.p;
    await tx`update public.tenants set status = 'active'`.catch(() => {});
    await tx`update public.providers set domains = array['proven.example'] where id = ${id}`;
    assert.deepEqual(await offered(tenants.A), [], "ZITADEL has not confirmed it");
    await tx`update public.providers set state = 'active', idp_id = '36' where id = ${id}`;
    assert.deepEqual(await offered(tenants.A), [{
      id,
      idpId: "36",
      name: "google",
      kind: "google",
      options: {
        linkingAllowed: true,
        creationAllowed: false,
        autoCreation: false,
        autoUpdate: false,
        autoLinking: "none",
      },
      trustedDomains: ["proven.example"],
      postsTo: [],
    }]);
    assert.deepEqual(await offered(tenants.E), []);
    await tx`update public.tenant_domains set verified_at = null where name = 'proven.example'`;
    assert.deepEqual(
      (await offered(tenants.A))[0].trustedDomains,
      [],
      "a proof that was taken back",
    );
    await tx`update public.providers set enabled = false where id = ${id}`;
    assert.deepEqual(await offered(tenants.A), []);
  });
});
