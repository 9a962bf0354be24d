// PRV: providers from the request that brings their secret to people who sign in by them, and back.
import assert from "node:assert/strict";
import { join } from "node:path";
import { closeDatabase } from "../../functions/_shared/db.ts";
import { wire } from "../../functions/_shared/zitadel/call.ts";
import { intentClient } from "../../functions/_shared/zitadel/intents.ts";
import { type PlayedProviders, playProviders } from "../../scripts/stack/providers/server.ts";
import { signInAt } from "../support/providers.ts";
import { tokenOfAlice } from "./provision_caller.ts";
import { environment, House } from "./provision_support.ts";

const secret = "a-client-secret";
const home = "http://127.0.0.1:3999/back";
const urls = { successUrl: `${home}/ok`, failureUrl: `${home}/failed` };

interface Site extends AsyncDisposable {
  house: House;
  played: PlayedProviders;
  tenantId: string;
  /** As alice, who administers the tenant. */
  ask(method: string, path: string, body: object): Promise<{ status: number; body: Answer }>;
  row(id: string): Promise<Record<string, unknown>>;
}
type Answer = Record<string, unknown> & {
  id: string;
  type?: string;
  ok?: boolean;
  checks?: { name: string; ok: boolean; slug: string }[];
};

async function site(): Promise<Site> {
  const house = await House.open();
  const keyFile = join(house.dir, "secrets.json");
  const key = btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(32))));
  await Deno.writeTextFile(keyFile, JSON.stringify({ current: "k1", keys: { k1: key } }));
  const settings = environment({
    LOG_LEVEL: "error",
    GATEHOUSE_PROFILE: "embedded",
    GATEHOUSE_DB_URL: house.database.url("gatehouse_provision"),
    GATEHOUSE_OUTBOUND_ALLOW: "127.0.0.0/8",
    GATEHOUSE_SECRETS_KEY_FILE: keyFile,
    ZITADEL_ISSUER: house.issuer,
    ZITADEL_PROVISIONER_TOKEN_FILE: house.tokenFile,
  });
  const { app } = await import("../../functions/provision/app.ts");
  const played = await playProviders({
    clients: [{ id: "gatehouse", secret, redirectUris: [`${house.issuer}/idps/callback`] }],
  });
  await house.trouble({ played: played.url });
  const tenantId = await house.createTenant({
    slug: "acme",
    admin: { email: "alice@acme.example" },
  });
  await house.reconcile(tenantId);
  const token = await tokenOfAlice(house, tenantId);
  return {
    house,
    played,
    tenantId,
    async ask(method, path, body) {
      const response = await app.request(`/provision${path}`, {
        method,
        headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
        body: JSON.stringify(body),
      });
      return { status: response.status, body: await response.json() };
    },
    async row(id) {
      return (await house.database.sql`select * from public.providers where id = ${id}`)[0]!;
    },
    async [Symbol.asyncDispose]() {
      await closeDatabase();
      await played.close();
      settings[Symbol.dispose]();
      await house[Symbol.asyncDispose]();
    },
  };
}

const oidc = ({ played, tenantId }: Site) => ({
  tenantId,
  name: "Corporate sign-in",
  kind: "oidc",
  settings: { issuer: played.oidcIssuer, clientId: "gatehouse" },
  enabled: true,
  secret,
});

Deno.test("a provider's life", async (t) => {
  await using here = await site();
  const { house, tenantId, ask, row } = here;
  const { sql } = house.database;
  const intents = intentClient({
    ...house.address,
    tokenFile: join(house.dir, "login-client.pat"),
  });
  const waiting = () => sql`select from private.provider_secrets`;
  const reconcile = () => house.reconcile(tenantId);
  let id = "";
  let idpId = "";

  await t.step(
    "PRV-20 it is made with its secret, which is sealed and shown to nobody",
    async () => {
      const made = await ask("POST", "/providers", oidc(here));
      assert.equal(made.status, 201);
      assert.deepEqual(Object.keys(made.body).toSorted(), ["id", "redirectUri"]);
      assert.equal(made.body.redirectUri, `${house.issuer}/idps/callback`);
      id = made.body.id;
      assert.equal((await row(id)).state, "pending");
      const [sealed] = await sql`select ciphertext from private.provider_secrets`;
      assert.ok(!new TextDecoder().decode(sealed!.ciphertext).includes(secret));
    },
  );

  await t.step(
    "PRV-21 the saga hands it over and forgets it, and people sign in by it",
    async () => {
      assert.equal((await reconcile()).kind, "done");
      const settled = await row(id);
      assert.equal(settled.state, "active");
      idpId = settled.idp_id as string;
      assert.equal((await waiting()).length, 0);
      const way = await intents.startIntent({ idpId, urls });
      assert.ok("authUrl" in way);
      const person = { username: "grace", password: "Played-Horse-1" };
      const back = await signInAt(way, person, home);
      assert.equal(back.pathname, "/back/ok");
      const log = await sql`select data from public.audit_events where type like 'provider.%'`;
      assert.ok(!JSON.stringify(log).includes(secret));
      assert.equal(
        (await reconcile() as { changed: boolean }).changed,
        false,
        "and changes nothing",
      );
    },
  );

  await t.step(
    "PRV-22 drift is put right, without the secret that nobody has any more",
    async () => {
      const other = { issuer: "http://127.0.0.1:9", clientId: "other", name: "Renamed" };
      await wire(house.address).rest("PUT", `/management/v1/idps/generic_oidc/${idpId}`, other, {
        orgId: tenantId,
      });
      assert.equal((await reconcile() as { changed: boolean }).changed, true);
      assert.equal((await row(id)).idp_id, idpId);
      assert.ok("authUrl" in await intents.startIntent({ idpId, urls }));
    },
  );

  await t.step(
    "PRV-23 removed at ZITADEL by hand, it asks for its secret again, by name",
    async () => {
      await house.zitadel.removeProvider(tenantId, idpId);
      assert.equal((await reconcile()).kind, "refused");
      const lost = await row(id);
      assert.equal(lost.state, "error");
      assert.equal((lost.last_error as { slug: string }).slug, "provider_secret_missing");
      assert.equal((await ask("PATCH", `/providers/${id}`, { tenantId, secret })).status, 200);
      assert.equal((await reconcile()).kind, "done");
      const again = await row(id);
      assert.equal(again.state, "active");
      assert.notEqual(again.idp_id, idpId);
      assert.equal(again.last_error, null);
      idpId = again.idp_id as string;
    },
  );

  await t.step("PRV-24 a crash after ZITADEL made it makes no second one", async () => {
    const made = await ask("POST", "/providers", { ...oidc(here), name: "Second" });
    await assert.rejects(house.reconcile(tenantId, {
      onBoundary(name) {
        if (name === "before:settle_provider") throw new Error("cut off");
      },
    }));
    assert.equal((await row(made.body.id)).idp_id, null);
    assert.equal((await reconcile()).kind, "done");
    const names = (await house.zitadel.listProviders(tenantId)).map(({ name }) => name);
    assert.deepEqual(names.toSorted(), ["Corporate sign-in", "Second"]);
  });

  await t.step("PRV-25 disabled, it is offered no more, and nobody's link is lost", async () => {
    assert.equal(
      (await ask("PATCH", `/providers/${id}`, { tenantId, enabled: false })).status,
      200,
    );
    assert.equal((await reconcile()).kind, "done");
    const active = (await intents.activeProviders(tenantId)).map((one) => one.idpId);
    assert.ok(active.includes(idpId), "taking it out of the policy would drop the links");
    const [{ offered }] = await sql<[{ offered: { name: string }[] }]>`
      select private.sign_in_providers(${tenantId}) as offered`;
    assert.deepEqual(offered.map(({ name }) => name), ["Second"]);
  });

  await t.step(
    "PRV-26 removed, ZITADEL has nothing of it, however far the saga had come",
    async () => {
      const made = await ask("POST", "/providers", { ...oidc(here), name: "Short-lived" });
      await assert.rejects(house.reconcile(tenantId, {
        onBoundary(name) {
          if (name === "before:settle_provider") throw new Error("cut off");
        },
      }));
      await sql`delete from public.providers where id in (${id}, ${made.body.id})`;
      assert.equal((await reconcile()).kind, "done");
      const names = (await house.zitadel.listProviders(tenantId)).map(({ name }) => name);
      assert.deepEqual(names, ["Second"]);
      assert.equal((await sql`select from private.removed_providers`).length, 0);
    },
  );

  await t.step("PRV-27 one that ZITADEL refuses does not hold up the others", async () => {
    const bad = await ask("POST", "/providers", { ...oidc(here), name: "Bad", secret: undefined });
    const good = await ask("POST", "/providers", { ...oidc(here), name: "Good" });
    assert.equal((await reconcile()).kind, "refused");
    assert.equal((await row(bad.body.id)).state, "error");
    assert.equal((await row(good.body.id)).state, "active");
    await sql`delete from public.providers where id = ${bad.body.id}`;
  });

  await t.step(
    "PRV-28 a test of the connection answers by check, and finds nothing of a stranger's",
    async () => {
      const good = await ask("POST", "/providers", { ...oidc(here), name: "Tested" });
      const report = await ask("POST", `/providers/${good.body.id}/test`, { tenantId });
      assert.equal(report.status, 200);
      assert.deepEqual(report.body.checks!.map(({ name, slug }) => `${name} ${slug}`), [
        "settings ok",
        "network ok",
        "discovery ok",
        "keys ok",
      ]);
      assert.equal(report.body.ok, true);
      const settings = { issuer: `${here.played.url}/saml`, clientId: "x" };
      await ask("PATCH", `/providers/${good.body.id}`, { tenantId, settings });
      const wrong = await ask("POST", `/providers/${good.body.id}/test`, { tenantId });
      assert.equal(wrong.body.ok, false);
      assert.equal(wrong.body.checks!.at(-1)!.slug, "status_unexpected");
      const nowhere = await ask("POST", `/providers/${crypto.randomUUID()}/test`, { tenantId });
      assert.equal(nowhere.status, 404);
      const strangers = await house.createTenant({ slug: "other" });
      const theirs = await ask("POST", "/providers", { ...oidc(here), tenantId: strangers });
      assert.equal(theirs.status, 403);
      const probe = await ask("POST", `/providers/${good.body.id}/test`, { tenantId: strangers });
      assert.equal(probe.status, 403);
      const change = await ask("PATCH", `/providers/${good.body.id}`, {
        tenantId: strangers,
        enabled: true,
      });
      assert.equal(change.status, 404, "in another tenant alice changes nothing");
    },
  );

  await t.step(
    "PRV-29 SAML metadata is fetched once, through the door, and a bad address is named",
    async () => {
      const saml = { tenantId, name: "ADFS", kind: "saml", enabled: true };
      const made = await ask("POST", "/providers", {
        ...saml,
        metadataUrl: `${here.played.url}/saml/metadata`,
      });
      assert.equal(made.status, 201);
      assert.equal((await reconcile()).kind, "done");
      const { idp_id } = await row(made.body.id);
      const way = await intents.startIntent({ idpId: idp_id as string, urls });
      assert.ok("formPost" in way);
      for (const metadataUrl of ["http://10.0.0.1/metadata", `${here.played.url}/saml/nothing`]) {
        const refused = await ask("POST", "/providers", { ...saml, name: "No", metadataUrl });
        assert.equal(refused.status, 422);
        assert.equal(refused.body.type, "urn:gatehouse:problem:metadata_unreadable");
      }
      const tested = await ask("POST", `/providers/${made.body.id}/test`, { tenantId });
      assert.deepEqual(tested.body.checks!.map(({ slug }) => slug), ["ok", "ok", "ok", "ok"]);
    },
  );
});
