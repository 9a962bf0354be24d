// ESC, CEI, NAR, ROW, LOG, INT, FUN, END, PRA, AUD: attacks on rows and functions, on both kinds of Postgres. REQ: one request leaves nothing to the next.
import assert from "node:assert/strict";
import { as, claims, people, tenants } from "../support/actors.ts";
import { createDatabase } from "../support/database.ts";
import { fixtures } from "../support/postgres.ts";
import { accessAttacks } from "./attacks_access.ts";
import { auditAttacks } from "./attacks_audit.ts";
import { type Attack, attackOutcome } from "./attacks_cases.ts";
import { endpointAttacks } from "./attacks_endpoints.ts";
import { functionAttacks } from "./attacks_functions.ts";
import { linkAttacks } from "./attacks_links.ts";
import { privateAttacks } from "./attacks_private.ts";
import { providerAttacks } from "./attacks_providers.ts";
import { rowAttacks } from "./attacks_rows.ts";
import { seed } from "./matrix/seed.ts";

const all: Attack[] = [
  ...accessAttacks,
  ...rowAttacks,
  ...privateAttacks,
  ...functionAttacks,
  ...endpointAttacks,
  ...linkAttacks,
  ...providerAttacks,
  ...auditAttacks,
];

for (const fixture of fixtures) {
  Deno.test(`an attack gets what it deserves (${fixture})`, async (t) => {
    await using database = await createDatabase({ fixture });
    await seed(database.sql);
    for (const attack of all) {
      await t.step(`${attack.id} ${attack.attack}`, async () => {
        assert.equal(await attackOutcome(database.sql, attack), attack.expected);
      });
    }
  });
}

const settings = ["principal_kind", "principal_id", "client_kind", "client_id", "tenant_id"];

Deno.test("a request leaves nothing to the next one on its connection", async (t) => {
  await using database = await createDatabase();
  await seed(database.sql);
  const sql = database.connect("authenticator", { max: 1 });
  const left = async () => {
    const [row] = await sql.unsafe(
      `select ${
        settings.map((one) => `coalesce(current_setting('gatehouse.${one}', true), '')`).join(
          " || ",
        )
      }
        || coalesce(current_setting('request.jwt.claims', true), '') as left, current_user::text as role`,
    );
    return [row!.left, row!.role];
  };

  await t.step("REQ-01 after platform staff, the anonymous is nobody", async () => {
    await as(sql, "pat", (tx) => tx`select from public.tenants`);
    assert.deepEqual(await left(), ["", "authenticator"]);
    const [who] = await as(sql, "anon", (tx) => tx`select public.whoami() as it`);
    assert.deepEqual(who!.it, {
      kind: "anonymous",
      id: null,
      client_kind: null,
      tenant_id: null,
      assignments: [],
    });
  });

  await t.step("REQ-02 after a committed request too", async () => {
    await sql.begin(async (tx) => {
      await tx`select set_config('request.jwt.claims', ${JSON.stringify(claims("pat"))}, true),
        set_config('request.headers', '{}', true), set_config('role', 'anon', true)`;
      await tx`select private.check_request()`;
    });
    assert.deepEqual(await left(), ["", "authenticator"]);
  });

  await t.step("REQ-03 after a request that failed", async () => {
    await assert.rejects(as(sql, "pat", (tx) => tx`select 1 / 0`), { code: "22012" });
    assert.deepEqual(await left(), ["", "authenticator"]);
  });

  await t.step("REQ-04 the narrowing of one request is not the next one's", async () => {
    const seen = () => as(sql, "pat", (tx) => tx`select count(*)::int as n from public.tenants`);
    await as(sql, "pat", (tx) => tx`select from public.tenants`, { tenantHeader: tenants.A });
    assert.equal((await seen())[0]!.n, 4);
  });

  await t.step("REQ-05 the hook forgets what stood in the settings before it", async () => {
    await as(sql, "bob", async (tx) => {
      const [who] =
        await tx`select public.whoami() ->> 'id' as id, public.whoami() ->> 'tenant_id' as tenant`;
      assert.deepEqual({ ...who }, { id: people.bob.id, tenant: null });
    }, {
      arrange: (tx) =>
        tx`select set_config('gatehouse.principal_id', ${people.pat.id}, true), set_config('gatehouse.tenant_id', ${tenants.E}, true)`,
    });
  });

  await t.step("REQ-06 without the hook every right is absent", async () => {
    for (const role of ["authenticated", "gatehouse_platform"]) {
      await sql.begin(async (tx) => {
        await tx`select set_config('role', ${role}, true)`;
        assert.equal((await tx`select from public.tenants`).length, 0);
        assert.equal((await tx`select from public.users`).length, 0);
      });
    }
  });
});
