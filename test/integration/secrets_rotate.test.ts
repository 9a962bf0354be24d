// Another secrets key: whatever lies sealed in the database is under it afterwards, and opens as before.
import assert from "node:assert/strict";
import { join } from "node:path";
import type { Sql } from "postgres";
import {
  type Keyring,
  openText,
  parseKeyring,
  type Place,
  seal,
  toBase64,
} from "../../functions/_shared/secrets.ts";
import { rotateSecrets } from "../../scripts/secrets_rotate.ts";
import { arrangeCast, tenants } from "../support/actors.ts";
import { createDatabase, type TestDatabase } from "../support/database.ts";
import { root } from "../support/paths.ts";

const newKey = () => toBase64(crypto.getRandomValues(new Uint8Array(32)));
const [k1, k2] = [newKey(), newKey()];
const file = (current: string, keys: Record<string, string>) => JSON.stringify({ current, keys });
const former = await parseKeyring(file("k1", { k1 }));
const both = await parseKeyring(file("k2", { k1, k2 }));
const next = await parseKeyring(file("k2", { k2 }));

interface Bench extends AsyncDisposable {
  database: TestDatabase;
  sql: Sql;
  worker: Sql;
  /** Every sealed row, with what it opens to. */
  opened(ring: Keyring): Promise<Map<string, string>>;
}

/** In every sealed table some rows under k1: 12 endpoints of two tenants with two secrets and headers each, 3 sinks, 4 providers, 2 settings. */
async function arranged(): Promise<Bench> {
  const database = await createDatabase();
  const { sql } = database;
  await arrangeCast(sql);
  const put = async (text: string, place: Place, ring = former) => {
    const { keyId, ciphertext } = await seal(text, place, ring);
    return { key_id: keyId, ciphertext };
  };
  for (let n = 0; n < 12; n++) {
    const tenantId = n % 2 ? tenants.A : tenants.E;
    const [{ id }] = await sql<[{ id: string }]>`
      insert into webhook_endpoints (tenant_id, url) values (${tenantId}, ${`https://r${n}.test/`})
      returning id`;
    const row = { tenant_id: tenantId, endpoint_id: id };
    const place = { tenantId, id };
    for (const secret of [`whsec_${n}`, `whsec_${n}_former`]) {
      const sealed = await put(secret, { table: "webhook_secrets", ...place });
      await sql`insert into private.webhook_secrets ${sql({ ...row, ...sealed })}`;
    }
    const headers = await put(`{"x-n": "${n}"}`, { table: "webhook_headers", ...place });
    await sql`insert into private.webhook_headers ${sql({ ...row, ...headers })}`;
  }
  for (let n = 0; n < 3; n++) {
    const [{ id }] = await sql<[{ id: string }]>`
      insert into audit_sinks (tenant_id, name, kind, settings)
      values (${tenants.A}, ${`sink ${n}`}, 'http', '{"url": "https://s.test/"}') returning id`;
    const sealed = await put(`sink ${n}`, {
      table: "audit_sink_secrets",
      tenantId: tenants.A,
      id,
    });
    await sql`insert into private.audit_sink_secrets ${
      sql({ tenant_id: tenants.A, sink_id: id, ...sealed })
    }`;
  }
  for (let n = 0; n < 4; n++) {
    const [{ id }] = await sql<[{ id: string }]>`
      insert into providers (tenant_id, name, kind) values (${tenants.E}, ${`p ${n}`}, 'oidc')
      returning id`;
    const place = { table: "provider_secrets", tenantId: tenants.E, id };
    const row = { tenant_id: tenants.E, provider_id: id, set_at: new Date() };
    await sql`insert into private.provider_secrets ${
      sql({ ...row, ...await put(`client secret ${n}`, place) })
    }`;
  }
  for (const key of ["zitadel.one", "zitadel.other"]) {
    const sealed = await put(key, { table: "sealed_settings", tenantId: "", id: key });
    await sql`insert into private.sealed_settings ${sql({ key, ...sealed })}`;
  }
  return {
    database,
    sql,
    worker: database.connect("gatehouse_worker"),
    async opened(ring) {
      const rows = await sql<
        { place: Place; row: string; key_id: string; ciphertext: Uint8Array<ArrayBuffer> }[]
      >`
        select jsonb_build_object('table', 'webhook_secrets', 'tenantId', tenant_id, 'id', endpoint_id) as place,
               id::text as row, key_id, ciphertext from private.webhook_secrets
        union all
        select jsonb_build_object('table', 'webhook_headers', 'tenantId', tenant_id, 'id', endpoint_id),
               '', key_id, ciphertext from private.webhook_headers
        union all
        select jsonb_build_object('table', 'audit_sink_secrets', 'tenantId', tenant_id, 'id', sink_id),
               '', key_id, ciphertext from private.audit_sink_secrets
        union all
        select jsonb_build_object('table', 'provider_secrets', 'tenantId', tenant_id, 'id', provider_id),
               '', key_id, ciphertext from private.provider_secrets
        union all
        select jsonb_build_object('table', 'sealed_settings', 'tenantId', '', 'id', key),
               '', key_id, ciphertext from private.sealed_settings`;
      const found = new Map<string, string>();
      for (const { place, row, key_id: keyId, ciphertext } of rows) {
        const sealed = { keyId, ciphertext: new Uint8Array(ciphertext) };
        found.set(JSON.stringify([place, row]), await openText(sealed, place, ring));
      }
      return found;
    },
    [Symbol.asyncDispose]: () => database.drop(),
  };
}

const counts = (rotated: Awaited<ReturnType<typeof rotateSecrets>>) =>
  Object.fromEntries(rotated.map(({ table, rows }) => [table, rows]));
const all = {
  sealed_settings: 2,
  audit_sink_secrets: 3,
  provider_secrets: 4,
  webhook_headers: 12,
  webhook_secrets: 24,
};
const none = Object.fromEntries(Object.keys(all).map((table) => [table, 0]));

Deno.test("every sealed row is under the new key and opens to the same; again changes nothing", async () => {
  await using bench = await arranged();
  const before = await bench.opened(former);
  const rotated = await rotateSecrets(bench.worker, both, { limit: 5 });
  assert.deepEqual(counts(rotated), all);
  assert.deepEqual(await bench.opened(next), before, "without the former key");
  const sealed = await bench.sql`select ciphertext from private.webhook_secrets order by 1`;
  assert.deepEqual(counts(await rotateSecrets(bench.worker, both)), none);
  assert.deepEqual(
    [...await bench.sql`select ciphertext from private.webhook_secrets order by 1`],
    [...sealed],
  );
});

Deno.test("a run that was cut off is gone on with", async () => {
  await using bench = await arranged();
  const before = await bench.opened(former);
  const cutOff = rotateSecrets(bench.worker, both, {
    limit: 5,
    progress: (table, rows) => {
      if (table === "webhook_headers" && rows > 5) throw new Error("cut off");
    },
  });
  await assert.rejects(cutOff, /cut off/);
  assert.deepEqual(await bench.opened(both), before, "in between all opens with both");
  assert.deepEqual(counts(await rotateSecrets(bench.worker, both)), {
    ...none,
    webhook_headers: 2,
    webhook_secrets: 24,
  });
  assert.deepEqual(await bench.opened(next), before);
});

Deno.test("what another process writes meanwhile is not overwritten", async () => {
  await using bench = await arranged();
  const [row] = await bench.sql`
    select tenant_id, endpoint_id, id, ciphertext from private.webhook_secrets limit 1`;
  const place = { table: "webhook_secrets", tenantId: row!.tenant_id, id: row!.endpoint_id };
  const newer = await seal("whsec_newer", place, former);
  const anew = await seal("whsec_stale", place, both);
  await bench.sql`
    update private.webhook_secrets set ciphertext = ${newer.ciphertext} where id = ${row!.id}`;
  const stale = {
    tenantId: place.tenantId,
    id: place.id,
    was: toBase64(row!.ciphertext),
    keyId: "k2",
    ciphertext: toBase64(anew.ciphertext),
  };
  const [{ n }] = await bench.worker<[{ n: number }]>`
    select private.replace_sealed('webhook_secrets', ${bench.worker.json([stale])}) as n`;
  assert.equal(n, 0);
  await rotateSecrets(bench.worker, both);
  assert.ok([...(await bench.opened(next)).values()].includes("whsec_newer"));
});

Deno.test("only sealed tables are walked, and only by the worker's role", async () => {
  await using bench = await arranged();
  await assert.rejects(
    bench.worker`select * from private.list_sealed('settings', 'k2', '', 10)`,
    { code: "P0002" },
  );
  await assert.rejects(
    bench.worker`select private.replace_sealed('audit_leaves', '[]')`,
    { code: "P0002" },
  );
  for (const role of ["gatehouse_functions", "gatehouse_provision", "gatehouse_gateway"]) {
    const other = bench.database.connect(role);
    await assert.rejects(
      other`select * from private.list_sealed('webhook_secrets', 'k2', '', 10)`,
      {
        code: "42501",
      },
    );
    await assert.rejects(other`select private.replace_sealed('webhook_secrets', '[]')`, {
      code: "42501",
    });
  }
});

Deno.test("the command: rows that do not open are named and the others sealed anew; then all is under the new key", async () => {
  await using bench = await arranged();
  const dir = await Deno.makeTempDir({ prefix: "gatehouse-rotate-" });
  const keyFile = join(dir, "keys.json");
  const run = async (text: string) => {
    await Deno.writeTextFile(keyFile, text, { mode: 0o600 });
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", "--cached-only", "scripts/secrets_rotate.ts"],
      cwd: root,
      env: {
        DENO_NO_UPDATE_CHECK: "1",
        NO_COLOR: "1",
        GATEHOUSE_DB_URL: bench.database.url("gatehouse_worker"),
        GATEHOUSE_SECRETS_KEY_FILE: keyFile,
      },
    }).output();
    const text_ = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    return { code, out: text_(stdout), err: text_(stderr) };
  };
  try {
    const before = await bench.opened(former);
    const place = { table: "sealed_settings", tenantId: "", id: "zitadel.lost" };
    const lost = await seal("x", place, await parseKeyring(file("k0", { k0: newKey() })));
    await bench.sql`insert into private.sealed_settings ${
      bench.sql({ key: place.id, key_id: lost.keyId, ciphertext: lost.ciphertext })
    }`;
    const first = await run(file("k2", { k1, k2 }));
    assert.equal(first.code, 1, first.out + first.err);
    assert.match(first.err, /does not open: sealed_settings {2}zitadel\.lost\n/);
    assert.match(first.out, /^sealed_settings {2}2 sealed anew, 1 do not open$/m);
    assert.match(first.out, /^webhook_secrets {2}24 sealed anew, 0 do not open$/m);
    assert.ok(![k1, k2].some((key) => (first.out + first.err).includes(key)));
    await bench.sql`delete from private.sealed_settings where key = ${place.id}`;
    const second = await run(file("k2", { k1, k2 }));
    assert.equal(second.code, 0, second.out + second.err);
    assert.deepEqual(await bench.opened(next), before);
    assert.equal((await run(file("k3", { k2 }))).code, 1, "no such key");
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
