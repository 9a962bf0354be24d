// OPS: keys, issuers and settings are written when they differ and never else; the sweeps free what died.
import assert from "node:assert/strict";
import type { TransactionSql } from "postgres";
import { as, issuer, kid, ownIssuer, platform, tenants } from "../support/actors.ts";
import { eventsOf, jobs, undone } from "../support/log.ts";
import { suiteDatabase } from "../support/suite.ts";

const database = suiteDatabase();
const key = (id: string, more: object = {}) => ({
  kty: "RSA",
  kid: id,
  n: id,
  e: "AQAB",
  use: "sig",
  alg: "RS256",
  ...more,
});

async function put(tx: TransactionSql, keys: object[]): Promise<number> {
  const [row] = await tx`select private.put_verification_keys(${issuer}, ${
    tx.json(keys as never)
  }) as n`;
  return row!.n;
}

const kids = async (tx: TransactionSql) =>
  (await tx`select kid from private.list_verification_keys() where issuer = ${issuer}`).map((row) =>
    row.kid
  );

Deno.test("OPS-01 an issuer's keys become exactly those it publishes, and only what differs is written", async () => {
  await undone(database().sql, async (tx) => {
    assert.equal(await put(tx, [key("key-1"), key("key-2")]), 2);
    assert.equal(await put(tx, [key("key-1"), key("key-2")]), 0);
    assert.equal(await put(tx, [key("key-2"), key("key-3")]), 2);
    assert.deepEqual(await kids(tx), ["key-2", "key-3"]);
    const [other] =
      await tx`select count(*)::int as n from private.list_verification_keys() where issuer = ${ownIssuer}`;
    assert.equal(other!.n, 1, "another issuer's stay");
  });
});

Deno.test("OPS-02 an empty or unusable answer deletes nothing", async () => {
  await undone(database().sql, async (tx) => {
    const unusable = [
      [],
      [{ kty: "oct", kid: "hmac", k: "c2VjcmV0" }],
      [{ kty: "RSA", n: "x", e: "AQAB" }],
      [key("enc", { use: "enc" })],
      [{ kty: "EC", kid: "ec", crv: "P-256", x: "x", y: "y" }],
    ];
    for (const keys of unusable) {
      assert.equal(await put(tx, keys), 0);
      assert.deepEqual(await kids(tx), [kid]);
    }
  });
});

Deno.test("OPS-02b our own issuer has EC keys, and no other: by that the two are told apart", async () => {
  await undone(database().sql, async (tx) => {
    const ec = { kty: "EC", kid: "ec", crv: "P-256", x: "x", y: "y" };
    const own = async (keys: object[]) =>
      (await tx`select private.put_verification_keys(${ownIssuer}, ${
        tx.json(keys as never)
      }) as n`)[0]!.n;
    assert.equal(await own([key("rsa")]), 0);
    assert.equal(await own([{ ...ec, crv: "P-384" }]), 0);
    assert.equal(await own([key("rsa"), ec]), 2, "ec comes, the one before goes");
  });
});

Deno.test("OPS-03 private parts of a key are not kept", async () => {
  await undone(database().sql, async (tx) => {
    await put(tx, [
      key("key-2", { d: "secret", p: "secret", q: "secret", dp: "s", dq: "s", qi: "s" }),
    ]);
    const [row] = await tx`select jwk from private.list_verification_keys() where kid = 'key-2'`;
    assert.deepEqual(Object.keys(row!.jwk).sort(), ["alg", "e", "kid", "kty", "n", "use"]);
  });
});

Deno.test("OPS-04 PostgREST is told when keys change, and only then", async () => {
  const { sql } = database();
  const heard: string[] = [];
  const { unlisten } = await database().connect(undefined, { max: 1 }).listen(
    "pgrst",
    (text) => heard.push(text),
  );
  const during = async (change: () => PromiseLike<unknown>) => {
    await change();
    await sql`select pg_notify('pgrst', 'end')`;
    while (heard.at(-1) !== "end") await new Promise((resolve) => setTimeout(resolve, 5));
    return heard.splice(0).slice(0, -1);
  };
  const keys = (...all: object[]) =>
    sql`select private.put_verification_keys(${issuer}, ${sql.json(all as never)})`;
  assert.deepEqual(await during(() => keys(key(kid), key("key-9"))), ["reload config"]);
  await during(() => keys({ kty: "RSA", kid, n: "AQAB", e: "AQAB" }));
  await unlisten();
});

Deno.test("OPS-05 PostgREST gets every key, the hook, the anonymous role and no cache of tokens", async () => {
  await undone(database().sql, async (tx) => {
    await put(tx, [key("key-1"), key("key-2")]);
    await tx`set local role authenticator`;
    await tx`select private.pgrst_config()`;
    const setting = async (name: string) =>
      (await tx`select current_setting(${`pgrst.${name}`}) as v`)[0]!.v;
    assert.equal(JSON.parse(await setting("jwt_secret")).keys.length, 3);
    assert.deepEqual(
      [
        await setting("db_pre_request"),
        await setting("db_anon_role"),
        await setting("db_schemas"),
        await setting("jwt_cache_max_lifetime"),
      ],
      ["private.check_request", "anon", "public", "0"],
    );
  });
});

Deno.test("OPS-06 writing what is there already writes nothing", async () => {
  await undone(database().sql, async (tx) => {
    const settings = async () => (await eventsOf(tx, platform, "setting.%")).length;
    await tx`select private.put_setting('zitadel.project_id', '"1"')`;
    const before = await settings();
    await tx`select private.put_setting('zitadel.project_id', '"1"')`;
    assert.equal(await settings(), before);
    await tx`select private.put_setting('zitadel.project_id', '"2"')`;
    assert.equal(await settings(), before + 1);
    assert.equal((await tx`select private.get_setting('zitadel.project_id') as v`)[0]!.v, "2");
    assert.equal((await tx`select private.get_setting('nothing.here') as v`)[0]!.v, null);
    const versions = async () =>
      await tx`select xmin, cmin from private.issuers union all select xmin, cmin from private.clients`;
    const rows = await versions();
    await tx`select private.put_issuer(${issuer}, 'zitadel', '300000000000000001', ${
      issuer + "/oauth/v2/keys"
    })`;
    await tx`select private.put_client(${issuer}, '310000000000000001', 'portal', null, null)`;
    assert.deepEqual([...await versions()], [...rows]);
  });
});

Deno.test("OPS-07 a sealed setting comes back as it was put, in one line of base64", async () => {
  await undone(database().sql, async (tx) => {
    const ciphertext = crypto.getRandomValues(new Uint8Array(300));
    await tx`select private.put_sealed_setting('zitadel.action_signing_key', 'k1', ${ciphertext})`;
    const [row] = await tx`select private.get_sealed_setting('zitadel.action_signing_key') as s`;
    assert.deepEqual(row!.s, { keyId: "k1", ciphertext: ciphertext.toBase64() });
  });
});

Deno.test("OPS-08 what anybody may know before signing in holds no other setting", async () => {
  await undone(database().sql, async (tx) => {
    await tx`select private.put_setting('zitadel.portal_client_id', '"31"'), private.put_setting('zitadel.internal', '"hidden"')`;
    await tx`set local role gatehouse_functions`;
    const [row] = await tx`select private.public_config() as c`;
    assert.deepEqual(row!.c, { "zitadel.portal_client_id": "31" });
  });
});

Deno.test("OPS-09 settings are platform staff's, and a changed one is on record", async () => {
  await as(database().sql, "pat", async (tx) => {
    assert.equal(
      (await tx`update public.settings set value = '"x"' where key = 'auth.mode'`).count,
      1,
    );
  }, { arrange: (tx) => tx`select private.put_setting('auth.mode', '"zitadel"')` });
  for (const actor of ["alice", "bob", "audrey", "visitor", "anon"] as const) {
    await assert.rejects(as(database().sql, actor, (tx) => tx`select from public.settings`), {
      code: "42501",
    }, actor);
  }
});

Deno.test("OPS-10 a hint asks for one poll, however many hints come", async () => {
  await undone(database().sql, async (tx) => {
    await tx`delete from graphile_worker._private_jobs`;
    await tx`set local role gatehouse_provision`;
    await tx`select private.put_hint() from generate_series(1, 5)`;
    await tx`reset role`;
    assert.deepEqual((await jobs(tx)).map(({ task, key }) => [task, key]), [[
      "zitadel__poll_events",
      "zitadel__poll_events",
    ]]);
  });
});

Deno.test("OPS-11 jobs of a dead worker are freed, those of a living one and of the last two seconds are not", async () => {
  const { sql } = database();
  const living = database().connect("gatehouse_worker", { max: 1 });
  await living`select pg_advisory_lock(778, hashtext('pool-living'))`;
  await undone(sql, async (tx) => {
    await tx`delete from graphile_worker._private_jobs`;
    for (const name of ["dead", "living", "fresh"]) {
      await tx`select graphile_worker.add_job('noop', '{}', job_key => ${name})`;
      await tx`
        update graphile_worker._private_jobs set locked_by = ${`pool-${name}`}, attempts = 1,
            locked_at = now() - ${name === "fresh" ? "0 s" : "10 s"}::interval
         where key = ${name}`;
    }
    await tx`set local role gatehouse_worker`;
    assert.equal((await tx`select private.unlock_dead_workers() as n`)[0]!.n, 1);
    assert.equal((await tx`select private.unlock_dead_workers() as n`)[0]!.n, 0);
    await tx`reset role`;
    const held =
      await tx`select key from graphile_worker._private_jobs where locked_by is not null order by key`;
    assert.deepEqual(held.map((row) => row.key), ["fresh", "living"]);
  });
});

Deno.test("OPS-12 a tenant that is stuck gets its job again, later after each attempt, and only when none waits", async () => {
  const stuck = (attempts: number, minutes: number, more = "select 1") =>
    undone(database().sql, async (tx) => {
      await tx`delete from graphile_worker._private_jobs`;
      await tx`update public.provisioning_steps set state = 'ok'`;
      await tx`
        update public.provisioning_steps set attempts = ${attempts}, updated_at = now() - make_interval(mins => ${minutes}),
            state = case name when 'project' then 'error' else 'ok' end
         where tenant_id = ${tenants.A}`;
      await tx.unsafe(more);
      await tx`set local role gatehouse_worker`;
      const [row] = await tx`select private.find_stuck_tenants(10) as n`;
      return row!.n;
    });
  assert.equal(await stuck(1, 3), 1);
  assert.equal(await stuck(1, 1), 0);
  assert.equal(await stuck(4, 15), 0);
  assert.equal(await stuck(4, 17), 1);
  assert.equal(await stuck(50, 61), 1, "an hour at most");
  assert.equal(
    await stuck(1, 3, `update public.tenants set status = 'archived' where id = '${tenants.A}'`),
    0,
  );
  assert.equal(await stuck(1, 3, `select private.enqueue_reconcile('${tenants.A}')`), 0);
  assert.equal(
    await stuck(
      1,
      3,
      `update public.provisioning_steps set required = false where tenant_id = '${tenants.A}'`,
    ),
    0,
  );
});

Deno.test("OPS-13 an id is a UUID of version 7 that tells its millisecond and never comes twice", async () => {
  const before = Date.now();
  const rows = await database()
    .sql`select private.uuid_v7()::text as id from generate_series(1, 20000)`;
  const after = Date.now();
  const found = rows.map(({ id }) => id as string);
  assert.equal(new Set(found).size, found.length);
  for (const id of found) {
    assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    const at = parseInt(id.replace("-", "").slice(0, 12), 16);
    assert.ok(at >= before - 1 && at <= after + 1);
  }
});
