import assert from "node:assert/strict";
import { exportJWK, generateKeyPair, type GenerateKeyPairResult, SignJWT } from "jose";
import { closeDatabase } from "../../functions/_shared/db.ts";
import { findFreeRow } from "../../scripts/stack/ports.ts";
import {
  type Actor,
  apps,
  arrangeCast,
  claims,
  issuer,
  kid,
  platform,
  tenants,
} from "../support/actors.ts";
import { createDatabase, type TestDatabase } from "../support/database.ts";
import { environment } from "./provision_support.ts";

type Keys = GenerateKeyPairResult;

interface House extends AsyncDisposable {
  database: TestDatabase;
  /** The function as the actor calls it; null: no token. */
  ask(actor: Actor, path: string, body?: unknown): Promise<{ status: number; body: Answer }>;
}
type Answer = { type?: string; tenantId?: string };

/** The cast in a database of its own, tokens signed with a real key, ZITADEL unreachable. */
async function house(): Promise<House> {
  const database = await createDatabase();
  const tokenFile = await Deno.makeTempFile();
  await Deno.writeTextFile(tokenFile, "a-token");
  await arrangeCast(database.sql);
  const keys: Keys = await generateKeyPair("RS256", { extractable: true });
  const jwk = { ...await exportJWK(keys.publicKey), kid, alg: "RS256", use: "sig" };
  await database.sql`
    select private.put_verification_keys(${issuer}, ${database.sql.json([{ ...jwk }])})`;
  const settings = environment({
    LOG_LEVEL: "error",
    GATEHOUSE_PROFILE: "embedded",
    GATEHOUSE_DB_URL: database.url("gatehouse_provision"),
    ZITADEL_ISSUER: `http://127.0.0.1:${findFreeRow(1)}`,
    ZITADEL_PROVISIONER_TOKEN_FILE: tokenFile,
  });
  const { app } = await import("../../functions/provision/app.ts");
  return {
    database,
    async ask(actor, path, body) {
      const held = claims(actor);
      const token = held && await new SignJWT(held)
        .setProtectedHeader({ alg: "RS256", kid, typ: "JWT" }).sign(keys.privateKey);
      const response = await app.request(path, {
        method: "POST",
        headers: {
          ...(token ? { authorization: `Bearer ${token}` } : {}),
          ...(body === undefined ? {} : { "content-type": "application/json" }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      return { status: response.status, body: await response.json() };
    },
    async [Symbol.asyncDispose]() {
      await closeDatabase();
      await database.drop();
      await Deno.remove(tokenFile);
      settings[Symbol.dispose]();
    },
  };
}

const slug = ({ body }: { body: Answer }) => body.type?.replace("urn:gatehouse:problem:", "");

// One database for all: the function's pool and keys are the process's.
Deno.test("the provision function", async (t) => {
  await using here = await house();
  const { ask, database: { sql } } = here;
  const jobs = () =>
    sql`select key from graphile_worker.jobs where key like '%reconcile%' order by key`;
  await sql`delete from graphile_worker._private_jobs`;

  await t.step("PRV-01 an administrator asks for a reconcile of the own tenant", async () => {
    const { status, body } = await ask("alice", `/provision/tenants/${tenants.A}/reconcile`);
    assert.deepEqual([status, body], [202, { tenantId: tenants.A }]);
    assert.deepEqual((await jobs()).map(({ key }) => key), [`tenant__reconcile:${tenants.A}`]);
  });

  await t.step("PRV-02 nobody else asks for one, and nothing is queued", async () => {
    await sql`delete from graphile_worker._private_jobs`;
    for (const actor of ["bob", "audrey", "eve", "visitor", "mallory", "sam"] as const) {
      const answer = await ask(actor, `/provision/tenants/${tenants.A}/reconcile`);
      assert.deepEqual([actor, answer.status, slug(answer)], [actor, 403, "not_allowed"]);
    }
    const anonymous = await ask("anon", `/provision/tenants/${tenants.A}/reconcile`);
    assert.deepEqual([anonymous.status, slug(anonymous)], [401, "token_missing"]);
    assert.equal((await jobs()).length, 0);
  });

  await t.step("PRV-03 platform staff ask for any tenant and for the instance", async () => {
    for (const tenant of [tenants.E, platform]) {
      assert.equal((await ask("pat", `/provision/tenants/${tenant}/reconcile`)).status, 202);
    }
    const queued = (await jobs()).map(({ key }) => key);
    assert.deepEqual(queued, ["instance__reconcile", `tenant__reconcile:${tenants.E}`]);
  });

  await t.step("PRV-04 a tenant's id that is none is refused before SQL sees it", async () => {
    const answer = await ask("alice", "/provision/tenants/1;drop/reconcile");
    assert.deepEqual([answer.status, slug(answer)], [422, "invalid_request"]);
  });

  const secret = (actor: Actor, app = apps.A.id, tenantId: string = tenants.A) =>
    ask(actor, `/provision/apps/${app}/secret`, { tenantId });

  await t.step("PRV-05 a public application has no secret", async () => {
    const answer = await secret("alice");
    assert.deepEqual([answer.status, slug(answer)], [409, "app_not_confidential"]);
  });

  await t.step("PRV-06 an application that ZITADEL does not know yet has no secret", async () => {
    await sql`update public.apps set kind = 'web', state = 'pending' where id = ${apps.A.id}`;
    const answer = await secret("alice");
    assert.deepEqual([answer.status, slug(answer)], [409, "app_not_ready"]);
  });

  await t.step("PRV-07 a secret is for who may write applications of that tenant", async () => {
    await sql`update public.apps set state = 'active', application_id = id where id = ${apps.A.id}`;
    for (const actor of ["bob", "audrey", "eve", "visitor", "mallory", "sam"] as const) {
      const answer = await secret(actor);
      assert.deepEqual([actor, answer.status, slug(answer)], [actor, 403, "not_allowed"]);
    }
    const stranger = await secret("eve", apps.A.id, tenants.E); // the other tenant's id with the own right
    assert.deepEqual([stranger.status, slug(stranger)], [404, "app_not_found"]);
  });

  await t.step("PRV-08 an attempt is on record even when ZITADEL is away", async () => {
    await sql`update public.tenants set project_id = 'p' where id = ${tenants.A}`;
    const answer = await secret("alice");
    assert.deepEqual([answer.status, slug(answer)], [503, "zitadel_unavailable"]);
    const [event] = await sql`
      select actor, targets from public.audit_events where type = 'app.secret_rotated'`;
    assert.equal(event!.actor.kind, "user");
    assert.deepEqual(event!.targets, [{ kind: "app", id: apps.A.id }]);
  });
});
