// Links that an administrator asks for: shown once or mailed, good once, and nothing of them is kept.
import assert from "node:assert/strict";
import { join } from "node:path";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { closeDatabase } from "../../functions/_shared/db.ts";
import { loginClient } from "../../functions/_shared/zitadel/login_client.ts";
import { eventually } from "../support/eventually.ts";
import { environment, House } from "./provision_support.ts";

Deno.test("links for people of the own tenant", async (t) => {
  await using house = await House.open();
  const { sql } = house.database;
  const mailKey = join(house.dir, "mail-key.json");
  const key = crypto.getRandomValues(new Uint8Array(32)).toBase64();
  await Deno.writeTextFile(mailKey, JSON.stringify({ current: "k1", keys: { k1: key } }));
  using _ = environment({
    LOG_LEVEL: "error",
    GATEHOUSE_PROFILE: "embedded",
    GATEHOUSE_PUBLIC_URL: "https://id.gatehouse.example",
    GATEHOUSE_DB_URL: house.database.url("gatehouse_provision"),
    GATEHOUSE_MAIL_KEY_FILE: mailKey,
    ZITADEL_ISSUER: house.issuer,
    ZITADEL_PROVISIONER_TOKEN_FILE: house.tokenFile,
  });
  const { app } = await import("../../functions/provision/app.ts");
  const login = loginClient({
    ...{
      profile: "embedded",
      issuer: house.issuer,
      tokenFile: join(house.dir, "login-client.pat"),
    },
    platformOrganizationId: () => Promise.resolve("the platform's"),
  });
  const make = async (slug: string, email: string) => {
    const id = await house.createTenant({ slug, admin: { email } });
    await house.reconcile(id);
    return id;
  };
  const acme = await make("acme", "alice@acme.example");
  const evil = await make("evil", "eve@evil.example");
  const token = await tokens(house);

  /** Somebody of acme, as ZITADEL's events would have brought them here. */
  async function person(name: string, password?: string): Promise<{ id: string; subject: string }> {
    const { userId: subject } = await login.createUser({
      orgId: acme,
      ...{ givenName: name, familyName: "Example", email: `${name}@acme.example` },
      ...(password === undefined ? {} : { password }),
    });
    const [row] = await sql`
      insert into public.users (issuer, subject, home_tenant_id) values (${house.issuer}, ${subject}, ${acme}) returning id`;
    await eventually("the person", () => house.zitadel.getUser(subject));
    return { id: row!.id, subject };
  }
  const ask = async (tenant: string, userId: string, body: object) => {
    const response = await app.request(`/provision/users/${userId}/links`, {
      method: "POST",
      headers: {
        authorization: `Bearer ${await token(tenant)}`,
        "content-type": "application/json",
      },
      body: JSON.stringify(body),
    });
    assert.equal(response.headers.get("cache-control"), "no-store");
    return { status: response.status, body: await response.json() };
  };
  const inLink = (link: string) => {
    const url = new URL(link);
    assert.equal(
      url.origin + url.pathname + url.search,
      "https://id.gatehouse.example/functions/v1/widget/link",
    );
    return Object.fromEntries(new URLSearchParams(url.hash.slice(1))) as Record<string, string>;
  };

  await t.step(
    "a reset: its code sets a new password once; the link before it is dead",
    async () => {
      const vera = await person("vera", "Correct-Horse-7");
      const first = await ask(acme, vera.id, { kind: "reset" });
      const { status, body } = await ask(acme, vera.id, { kind: "reset", by: "link" });
      assert.equal(status, 200);
      const { kind, userId, code } = inLink(body.link);
      assert.deepEqual([kind, userId], ["reset", vera.subject]);
      assert(Date.parse(body.expiresAt) > Date.now());
      const set = (verificationCode: string) =>
        login.setPassword({ userId: vera.subject, newPassword: "Other-Horse-8", verificationCode });
      await assert.rejects(set(inLink(first.body.link).code!));
      await set(code!);
      await assert.rejects(set(code!));
      const kept = await sql`
      select e::text from public.audit_events e where type = 'user.link_issued'
      union all select m::text from private.mails m`;
      assert.equal(kept.length, 2);
      assert.ok(!JSON.stringify(kept).includes(code!));
    },
  );

  await t.step("an invitation, for who has nothing yet", async () => {
    const nora = await person("nora");
    const { status, body } = await ask(acme, nora.id, { kind: "invitation" });
    assert.equal(status, 200);
    await login.verifyInvite(nora.subject, inLink(body.link).code!);
    const olga = await person("olga", "Correct-Horse-7");
    const refused = await ask(acme, olga.id, { kind: "invitation" });
    assert.deepEqual([refused.status, slugOf(refused.body)], [409, "user_has_credentials"]);
  });

  await t.step("by mail it goes to the person, and to nobody else", async () => {
    const pia = await person("pia");
    const { status, body } = await ask(acme, pia.id, { kind: "invitation", by: "mail" });
    assert.deepEqual([status, Object.keys(body)], [200, ["expiresAt"]]);
    const mails = await sql`select kind, user_subject, state from private.mails`;
    assert.deepEqual([...mails], [{
      kind: "invitation",
      user_subject: pia.subject,
      state: "pending",
    }]);
  });

  await t.step("not for the people of others, nor by anybody who was not asked", async () => {
    const lena = await person("lena", "Correct-Horse-7");
    const stranger = await ask(evil, lena.id, { kind: "reset" });
    assert.deepEqual([stranger.status, slugOf(stranger.body)], [403, "not_allowed"]);
    const anonymous = await app.request(`/provision/users/${lena.id}/links`, { method: "POST" });
    await anonymous.body?.cancel();
    assert.equal(anonymous.status, 401);
    // Said to be of acme here, and at ZITADEL of another: ZITADEL knows.
    const { userId: foreign } = await login.createUser({
      orgId: evil,
      ...{ givenName: "F", familyName: "F", email: "foreign@evil.example" },
    });
    const [row] = await sql`
      insert into public.users (issuer, subject, home_tenant_id) values (${house.issuer}, ${foreign}, ${acme}) returning id`;
    const wrong = await ask(acme, row!.id, { kind: "reset" });
    assert.deepEqual([wrong.status, slugOf(wrong.body)], [404, "user_not_found"]);
  });
  await closeDatabase();
});

const slugOf = (body: { type?: string }) => body.type?.split(":").pop();

/** Tokens as ZITADEL makes them, signed with a key that the database was told to believe: of a tenant's administrator. */
async function tokens(house: House): Promise<(tenantId: string) => Promise<string>> {
  const { sql } = house.database;
  const { publicKey, privateKey } = await generateKeyPair("RS256", { extractable: true });
  const jwk = { ...await exportJWK(publicKey), kid: "test", use: "sig", alg: "RS256" };
  await sql`select private.put_verification_keys(${house.issuer}, ${sql.json([{ ...jwk }])})`;
  return async (tenantId) => {
    const [facts] = await sql`
      select private.get_setting('zitadel.project_id') as project,
        private.get_setting('zitadel.portal_client_id') as client,
        (select u.subject from public.assignments a join public.users u on u.id = a.user_id
          where a.tenant_id = ${tenantId}) as subject`;
    const { project, client, subject } = facts!;
    return await new SignJWT({ client_id: client, jti: `V2_${subject}-at_1` })
      .setProtectedHeader({ alg: "RS256", kid: "test", typ: "JWT" })
      .setIssuer(house.issuer).setSubject(subject).setAudience([client, project])
      .setIssuedAt().setExpirationTime("5m").sign(privateKey);
  };
}
