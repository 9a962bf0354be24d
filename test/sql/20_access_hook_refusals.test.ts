// HOOK: every refusal of private.check_request by its slug, every attack on it by its name.
import assert from "node:assert/strict";
import { join } from "node:path";
import {
  type Actor,
  apps,
  type Coming,
  issuer,
  ownIssuer,
  people,
  portalClientId,
  projectId,
  refusal,
  sam,
  tenants,
} from "../support/actors.ts";
import { root } from "../support/paths.ts";
import { suiteDatabase } from "../support/suite.ts";
import { changed, context } from "./hook_cases.ts";

const database = suiteDatabase();
const tested = new Set<string>();

function refused(
  name: string,
  slug: string,
  status: number,
  actor: Actor,
  coming: () => Coming,
): void {
  tested.add(slug);
  Deno.test(`${name}: ${status} ${slug}`, async () => {
    await assert.rejects(context(database().sql, actor, coming()), refusal(slug, status));
  });
}

refused(
  "HOOK-10 x-tenant-id that is no id",
  "tenant_id_malformed",
  400,
  "alice",
  () => ({ tenantHeader: "A' or 1=1" }),
);
refused(
  "HOOK-11 x-tenant-id in capitals",
  "tenant_id_malformed",
  400,
  "alice",
  () => ({ tenantHeader: tenants.A.toUpperCase() }),
);
refused(
  "HOOK-12 x-tenant-id of a stranger",
  "tenant_not_member",
  403,
  "eve",
  () => ({ tenantHeader: tenants.A }),
);
refused(
  "HOOK-13 x-tenant-id of a tenant that is not there",
  "tenant_not_member",
  403,
  "pat",
  () => ({
    tenantHeader: "01990000-0000-7000-8000-00000000dead",
  }),
);
refused(
  "HOOK-14 x-tenant-id without a token",
  "tenant_not_member",
  403,
  "anon",
  () => ({ tenantHeader: tenants.A }),
);
refused("HOOK-15 x-tenant-id with the anonymous key", "tenant_not_member", 403, "anon", () => ({
  claims: { iss: ownIssuer, role: "anon", aud: projectId },
  tenantHeader: tenants.A,
}));
refused(
  "HOOK-16 x-tenant-id of an end user's own tenant",
  "tenant_not_member",
  403,
  "visitor",
  () => ({
    tenantHeader: tenants.A,
  }),
);

refused(
  "HOOK-20 an issuer nobody knows",
  "issuer_unknown",
  401,
  "alice",
  () => changed("alice", { iss: "http://evil.test" }),
);
refused(
  "HOOK-21 no issuer",
  "issuer_unknown",
  401,
  "alice",
  () => changed("alice", { iss: undefined }),
);
refused("HOOK-22 a removed key", "key_unknown", 401, "alice", () => ({
  arrange: (tx) => tx`delete from private.verification_keys where issuer = ${issuer}`,
}));
refused(
  "HOOK-23 a key that was never there",
  "key_unknown",
  401,
  "alice",
  () => ({ keyId: "key-of-mallory" }),
);
refused("HOOK-24 a token that names no key", "key_unknown", 401, "alice", () => ({ keyId: null }));
refused("HOOK-25 a key of another issuer", "key_unknown", 401, "alice", () => ({
  arrange: (tx) => tx`update private.verification_keys set kid = 'key-2' where issuer = ${issuer}`,
}));
refused("HOOK-26 an Authorization header that is no JWT", "key_unknown", 401, "alice", () => ({
  headers: { authorization: "Bearer %%%" },
}));

refused(
  "HOOK-30 a foreign token with role: service_role",
  "role_claim_foreign",
  401,
  "alice",
  () => changed("alice", { role: "service_role" }),
);
refused(
  "HOOK-31 a foreign token with role: gatehouse_platform",
  "role_claim_foreign",
  401,
  "alice",
  () => changed("alice", { role: "gatehouse_platform" }),
);
refused(
  "HOOK-32 a token with role and no sub",
  "role_claim_foreign",
  401,
  "alice",
  () => changed("alice", { role: "authenticated", sub: undefined }),
);
refused(
  "HOOK-33 our own issuer naming service_role",
  "role_refused",
  401,
  "alice",
  () => changed("alice", { iss: ownIssuer, role: "service_role" }),
);
refused(
  "HOOK-34 our own issuer naming the platform",
  "role_refused",
  401,
  "alice",
  () => changed("alice", { iss: ownIssuer, role: "gatehouse_platform" }),
);
refused(
  "HOOK-35 our own token with a role and no sub",
  "not_an_access_token",
  401,
  "alice",
  () => changed("alice", { iss: ownIssuer, role: "authenticated", sub: undefined }),
);
refused(
  "HOOK-36 the anonymous key with somebody's sub",
  "role_refused",
  401,
  "alice",
  () => changed("alice", { iss: ownIssuer, role: "anon" }),
);

refused(
  "HOOK-40 a token without aud",
  "audience_refused",
  401,
  "alice",
  () => changed("alice", { aud: undefined }),
);
refused(
  "HOOK-41 a token for another audience",
  "audience_refused",
  401,
  "alice",
  () => changed("alice", { aud: [portalClientId, "300000000000000002"] }),
);
refused(
  "HOOK-42 an empty audience",
  "audience_refused",
  401,
  "alice",
  () => changed("alice", { aud: [] }),
);
refused(
  "HOOK-43 an audience that only holds ours as a part",
  "audience_refused",
  401,
  "alice",
  () => changed("alice", { aud: `${projectId}0` }),
);
refused(
  "HOOK-44 a visitor's token of the storefront, for its own audience only",
  "audience_refused",
  401,
  "visitor",
  () => changed("visitor", { aud: [apps.A.clientId] }),
);

for (const claim of ["sub", "jti", "client_id", "iat", "exp"]) {
  refused(
    `HOOK-50 a token without ${claim}`,
    "not_an_access_token",
    401,
    "alice",
    () => changed("alice", { [claim]: undefined }),
  );
}
for (const claim of ["nonce", "at_hash", "c_hash", "amr", "sid"]) {
  refused(
    `HOOK-51 an ID token, by its ${claim}`,
    "not_an_access_token",
    401,
    "alice",
    () => changed("alice", { [claim]: "x" }),
  );
}

refused(
  "HOOK-60 another issuer's client",
  "client_refused",
  401,
  "alice",
  () => changed("alice", { client_id: "320000000000000099" }),
);
refused("HOOK-61 an application that is switched off", "client_refused", 401, "visitor", () => ({
  arrange: (tx) => tx`update public.apps set enabled = false where id = ${apps.A.id}`,
}));
refused("HOOK-62 an application of a suspended tenant", "tenant_suspended", 403, "visitor", () => ({
  arrange: (tx) => tx`update public.tenants set status = 'suspended' where id = ${tenants.A}`,
}));
refused("HOOK-63 a disabled user", "user_inactive", 401, "bob", () => ({
  arrange: (tx) => tx`update public.users set state = 'disabled' where id = ${people.bob.id}`,
}));
refused("HOOK-64 a removed user", "user_inactive", 401, "bob", () => ({
  arrange: (tx) => tx`update public.users set state = 'removed' where id = ${people.bob.id}`,
}));
refused("HOOK-65 a disabled service account", "service_account_disabled", 401, "sam", () => ({
  arrange: (tx) => tx`update public.service_accounts set enabled = false where id = ${sam.id}`,
}));
refused('HOOK-66 a token from before "sign out everywhere"', "token_revoked", 401, "bob", () => ({
  arrange: (tx) =>
    tx`update public.users set tokens_valid_after = now() where id = ${people.bob.id}`,
}));

Deno.test("every refusal of the hook has a test", async () => {
  const text = await Deno.readTextFile(join(root, "sql/20_access/80_check_request.sql"));
  const slugs = [...text.matchAll(/private\.refuse\(\s*\d+,\s*'([a-z_]+)'/g)].map((match) =>
    match[1]!
  );
  assert.deepEqual([...new Set(slugs)].filter((slug) => !tested.has(slug)), []);
});
