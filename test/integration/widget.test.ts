// Signing in with a password, by the function's own requests, against the double of ZITADEL and our database.
import assert from "node:assert/strict";
import { redirectUri, SignInHouse } from "./widget_support.ts";

Deno.test("signing in through the widget", async (t) => {
  await using here = await SignInHouse.open();
  const acme = await here.tenant("acme");
  const evil = await here.tenant("evil");
  const vera = await here.person(acme, "vera");
  const eve = await here.person(evil, "eve");
  const { sql } = here.house.database;

  await t.step("the right password gives the address with the code, once", async () => {
    const { page, browser } = await here.open(await here.authorize(acme.clientId));
    assert.equal(page.status, 200);
    const opened = await browser.openFlow();
    assert.deepEqual(opened.body.about, { appName: "Shop", tenantName: "Tenant acme" });
    assert.equal(opened.state?.screen, "start");
    const { status, callbackUrl } = await browser.signIn(vera.loginName, vera.password);
    assert.equal(status, 200);
    const url = new URL(callbackUrl!);
    assert.equal(url.origin + url.pathname, redirectUri);
    assert.equal(url.searchParams.get("state"), "xyz");
    assert.match(url.searchParams.get("code")!, /./);

    const late = await here.open(browser.flow);
    const again = await late.browser.signIn(vera.loginName, vera.password);
    assert.equal(again.status, 409);
    assert.equal(again.slug, "flow_finished");
  });

  await t.step(
    "login name, user name and e-mail lead to the same person, in any case of letters",
    async () => {
      for (const name of [vera.loginName, "vera", vera.email, vera.email.toUpperCase()]) {
        const { status } = await here.signIn(acme.clientId, name, vera.password);
        assert.equal(status, 200, name);
      }
    },
  );

  await t.step(
    "wrong, unknown, of another organization, disabled, locked and no person: one answer",
    async () => {
      const disabled = await here.person(acme, "dora");
      await here.house.zitadel.ensureUserState(disabled.id, "inactive");
      const locked = await here.person(acme, "lara");
      await here.manage("POST", `/v2/users/${locked.id}/lock`, {});
      await here.house.zitadel.ensureMachine({
        ...{ orgId: acme.organizationId, id: "robot", userName: "robot", name: "Robot" },
      });
      const answers = [
        await here.signIn(acme.clientId, vera.loginName, "wrong"),
        await here.signIn(acme.clientId, "nobody", vera.password),
        await here.signIn(acme.clientId, eve.loginName, eve.password),
        await here.signIn(acme.clientId, disabled.loginName, disabled.password),
        await here.signIn(acme.clientId, locked.loginName, locked.password),
        await here.signIn(acme.clientId, "robot", "x"),
      ];
      for (const answer of answers) {
        assert.equal(answer.status, 401);
        assert.equal(answer.slug, "credentials_refused");
        assert.deepEqual(answer.body, answers[0]!.body);
      }
      // Vera's wrong password is ZITADEL's to tell; the others only we have met.
      const counted = await sql`
        select account, reasons, context from private.refused_sign_ins where tenant_id = ${acme.id}`;
      assert.deepEqual(counted.map(({ reasons }) => JSON.stringify(reasons)).sort(), [
        '{"account_refused":1}',
        '{"account_refused":1}',
        '{"account_unknown":1}',
        '{"account_unknown":1}',
        '{"account_unknown":1}',
      ]);
      assert.equal(counted[0]!.context.user_agent, "Test browser");
      assert.ok(!/nobody|robot|dora|eve/.test(JSON.stringify(counted)));
      // From where Vera's password was tried is ours to tell all the same: ZITADEL's event does not say it.
      const origins = await sql`
        select private.account_hash(tenant_id, ${vera.id}, null) = account as veras, context
          from private.refused_sign_in_origins where tenant_id = ${acme.id}`;
      assert.deepEqual(origins.map((row) => ({ ...row })), [{
        veras: true,
        context: { address: "192.0.2.7", user_agent: "Test browser", client_id: acme.clientId },
      }]);
    },
  );

  await t.step("a refusal takes its time, whatever the reason", async () => {
    here.refusalFloorMs = 400;
    for (const name of [vera.loginName, "nobody"]) {
      const { browser } = await here.open(await here.authorize(acme.clientId));
      const startedAt = performance.now();
      await browser.sendPassword(name, "wrong");
      assert.ok(performance.now() - startedAt >= 400, name);
    }
    here.refusalFloorMs = 0;
  });

  await t.step(
    "who is to verify, to change or to show more gets a screen for it, and no code",
    async () => {
      const unverified = await here.person(acme, "uma", { emailVerified: false });
      const changing = await here.person(acme, "carl");
      await here.house.zitadel.setPassword(changing.id, changing.password, {
        changeRequired: true,
      });
      const before = await openSessions(here);
      here.parts = { mailer: { available: false, send: () => Promise.resolve() } };
      const first = await here.signIn(acme.clientId, unverified.loginName, unverified.password);
      assert.deepEqual([first.status, first.slug], [403, "email_not_verified"]);
      assert.equal(await openSessions(here), before, "what is refused leaves no session");
      here.parts = {};
      const mailed = await here.signIn(acme.clientId, unverified.loginName, unverified.password);
      assert.equal(mailed.state?.screen, "verify_email");
      const second = await here.signIn(acme.clientId, changing.loginName, changing.password);
      assert.equal(second.state?.screen, "change_password");
      // An organization's policy starts from what is sent, not from the instance's.
      const policy = {
        allowUsernamePassword: true,
        passwordlessType: "PASSWORDLESS_TYPE_ALLOWED",
        passwordCheckLifetime: "864000s",
        secondFactors: ["SECOND_FACTOR_TYPE_OTP"],
      };
      const path = "/management/v1/policies/login";
      const { organizationId } = acme;
      await here.manage("POST", path, { ...policy, forceMfa: true }, organizationId);
      const third = await here.signIn(acme.clientId, vera.loginName, vera.password);
      assert.deepEqual(third.state, {
        screen: "setup_factor",
        methods: ["totp"],
        skippable: false,
      });
      const { secondFactors: _, ...update } = policy;
      await here.manage("PUT", path, { ...update, allowUsernamePassword: false }, organizationId);
      const fourth = await here.signIn(acme.clientId, vera.loginName, vera.password);
      assert.deepEqual([fourth.status, fourth.slug], [403, "password_not_allowed"]);
      await here.manage("DELETE", path, {}, organizationId);
    },
  );

  await t.step(
    "the portal takes people of every tenant, each from the organization of the login name",
    async () => {
      const clientId = await here.portalClientId();
      const portal = { redirect_uri: here.house.facts.portalUrl };
      const staff = here.house.facts.administrator;
      for (
        const [name, password] of [
          [staff.userName, staff.password],
          [vera.loginName, vera.password],
          [eve.loginName, eve.password],
        ]
      ) {
        const { status, body } = await here.signIn(clientId, name!, password!, portal);
        assert.equal(status, 200, `${name}: ${JSON.stringify(body)}`);
      }
      const short = await here.signIn(clientId, "vera", vera.password, portal);
      assert.equal(short.slug, "credentials_refused", "a bare user name is one of the platform's");
    },
  );

  await t.step("an application may narrow the organization, never widen it", async () => {
    const scope = `openid urn:zitadel:iam:org:id:${evil.organizationId}`;
    const widened = await here.signIn(acme.clientId, eve.loginName, eve.password, { scope });
    assert.equal(widened.slug, "credentials_refused");
    const narrowed = { scope: `openid urn:zitadel:iam:org:id:${acme.organizationId}` };
    const { status } = await here.signIn(acme.clientId, vera.loginName, vera.password, narrowed);
    assert.equal(status, 200);
  });

  await t.step("prompt=none asks nobody: the application hears login_required", async () => {
    const { browser } = await here.open(await here.authorize(acme.clientId, { prompt: "none" }));
    const { callbackUrl } = await browser.openFlow();
    const url = new URL(callbackUrl!);
    assert.equal(url.origin + url.pathname, redirectUri);
    assert.equal(url.searchParams.get("error"), "login_required");
  });

  await t.step("ZITADEL is told how long, from which browser and from where", async () => {
    await here.signIn(acme.clientId, vera.loginName, vera.password);
    const [event] = await here.house.doubles.sql`
      select payload from double.events where type = 'session.added' order by created_at desc limit 1`;
    const { ip, description, fingerprint_id } = event!.payload.user_agent;
    assert.deepEqual([ip, description], ["192.0.2.7", "Test browser"]);
    assert.match(fingerprint_id, /^[0-9a-f-]{36}$/);
  });

  await t.step("neither password nor cookie stands in a log line", async () => {
    const lines: string[] = [];
    const { log } = console;
    console.log = (line) => lines.push(String(line));
    try {
      await here.signIn(acme.clientId, vera.loginName, vera.password);
      await here.signIn(acme.clientId, vera.loginName, "a-wrong-password");
    } finally {
      console.log = log;
    }
    assert.ok(lines.length > 0);
    for (const secret of [vera.password, "a-wrong-password", "login-client.", vera.loginName]) {
      assert.ok(!lines.some((line) => line.includes(secret)), secret);
    }
  });

  await t.step(
    "an app that is switched off and a suspended tenant sign nobody in, anywhere",
    async () => {
      const { browser } = await here.open(await here.authorize(evil.clientId));
      await sql`update public.tenants set status = 'suspended' where id = ${evil.id}`;
      assert.equal((await browser.openFlow()).slug, "tenant_suspended");
      const refused = await browser.sendPassword(eve.loginName, eve.password);
      assert.deepEqual([refused.status, refused.slug], [403, "tenant_suspended"]);
      const atPortal = await here.signIn(await here.portalClientId(), eve.loginName, eve.password, {
        redirect_uri: here.house.facts.portalUrl,
      });
      assert.equal(atPortal.slug, "tenant_suspended");

      const { browser: other } = await here.open(await here.authorize(acme.clientId));
      await sql`update public.apps set enabled = false where tenant_id = ${acme.id}`;
      assert.equal((await other.sendPassword(vera.loginName, vera.password)).slug, "app_disabled");
    },
  );

  await t.step("an auth request that nobody made is not found", async () => {
    const { page, browser } = await here.open("V2_100000000000000001");
    assert.equal(page.status, 404);
    assert.equal(browser.cookie, "");
    const { status, slug } = await browser.openFlow();
    assert.deepEqual([status, slug], [404, "flow_not_found"]);
  });
});

async function openSessions({ house }: SignInHouse): Promise<number> {
  const [row] = await house.doubles.sql`
    select count(*) filter (where type = 'session.added')
         - count(*) filter (where type = 'session.terminated') as n from double.events`;
  return Number(row!.n);
}
