// Every way to sign in by the function's own requests, against the double of ZITADEL and our database. Below a path prefix and
// behind a proxy that ends TLS: the function hears http, the outside is https.
import assert from "node:assert/strict";
import { TOTP, URI } from "otpauth";
import type { State } from "../../functions/widget/contract.ts";
import { Authenticator } from "../support/authenticator.ts";
import { eventually } from "../support/eventually.ts";
import { type Answer, Browser, redirectUri, SignInHouse, type Tenant } from "./widget_support.ts";

const publicUrl = "https://id.gatehouse.example/some/prefix";
const origin = "https://id.gatehouse.example";

type On<S extends State["screen"]> = Extract<State, { screen: S }>;

function on<S extends State["screen"]>(answer: Answer, screen: S): On<S> {
  assert.equal(answer.state?.screen, screen, JSON.stringify(answer.body));
  return answer.state as On<S>;
}

const refusedWith = (answer: Answer, status: number, slug: string) =>
  assert.deepEqual([answer.status, answer.slug], [status, slug], JSON.stringify(answer.body));

const codeOf = (answer: Answer) => new URL(on(answer, "done").callbackUrl).searchParams.get("code");

/** The newest challenge or secret of a screen, as the browser's own API takes it. */
// deno-lint-ignore no-explicit-any -- what a browser is handed is untyped JSON
const optionsOf = (state: { options: Record<string, unknown> }) => state.options as any;

Deno.test("every way to sign in", async (t) => {
  await using here = await SignInHouse.open();
  here.parts = { publicUrl };
  const acme = await here.tenant("acme");
  await here.manage("POST", "/management/v1/policies/login", {
    ...{ allowUsernamePassword: true, allowExternalIdp: true, forceMfa: true },
    ...{ passwordlessType: "PASSWORDLESS_TYPE_ALLOWED" },
    secondFactors: [
      "SECOND_FACTOR_TYPE_OTP",
      "SECOND_FACTOR_TYPE_U2F",
      "SECOND_FACTOR_TYPE_OTP_EMAIL",
      "SECOND_FACTOR_TYPE_RECOVERY_CODES",
    ],
    multiFactors: ["MULTI_FACTOR_TYPE_U2F_WITH_VERIFICATION"],
    ...{ passwordCheckLifetime: "36000s", secondFactorCheckLifetime: "36000s" },
    ...{ multiFactorCheckLifetime: "36000s", externalLoginCheckLifetime: "36000s" },
    mfaInitSkipLifetime: "0s",
  }, acme.organizationId);

  const arrive = async (more: Record<string, string> = {}, browser = newBrowser(here)) =>
    (await here.open(await here.authorize(acme.clientId, more), browser)).browser;
  const settled = (userId: string, method: string) =>
    eventually(
      `${method} of ${userId}`,
      async () =>
        (await here.zitadel.authenticationMethods(userId)).includes(method as never) || undefined,
    );

  await t.step(
    "TOTP: set up with a QR and recovery codes, then asked for at each sign-in",
    async () => {
      const tina = await here.person(acme, "tina");
      const first = await arrive();
      const offer = on(await first.sendPassword("tina", tina.password), "setup_factor");
      assert.deepEqual(offer.methods, ["passkey", "totp", "security_key", "email_code"]);
      assert.equal(offer.skippable, false);
      refusedWith(await first.act({ action: "code", code: "123456" }), 409, "action_refused");
      on(await first.act({ action: "skip" }), "setup_factor"); // forced: there is no "later"
      const setup = on(await first.act({ action: "set_up", method: "totp" }), "setup_totp");
      assert.equal(setup.qr.size >= 21, true);
      const totp = URI.parse(setup.uri) as TOTP;
      refusedWith(await first.act({ action: "code", code: "000000" }), 401, "code_refused");
      const { codes } = on(
        await first.act({ action: "code", code: totp.generate() }),
        "recovery_codes",
      );
      assert.equal(codes.length, 10);
      assert.ok(codeOf(await first.act({ action: "continue" })));
      await settled(tina.id, "totp");

      const second = await arrive();
      const factor = on(await second.sendPassword("tina", tina.password), "factor");
      assert.deepEqual([factor.method, factor.others], ["totp", ["recovery_code"]]);
      const later = totp.generate({ timestamp: Date.now() + 30_000 }); // this step's was used
      assert.ok(codeOf(await second.act({ action: "code", code: later })));

      const third = await arrive();
      await third.sendPassword("tina", tina.password);
      refusedWith(await third.act({ action: "code", code: later }), 401, "code_refused");
      on(await third.act({ action: "choose_factor", method: "recovery_code" }), "factor");
      assert.ok(codeOf(await third.act({ action: "code", code: codes[3]! })));
      const fourth = await arrive();
      await fourth.sendPassword("tina", tina.password);
      await fourth.act({ action: "choose_factor", method: "recovery_code" });
      refusedWith(await fourth.act({ action: "code", code: codes[3]! }), 401, "code_refused");
    },
  );

  await t.step(
    "a passkey is set up, shown once, and from then on is the whole sign-in",
    async () => {
      const pia = await here.person(acme, "pia");
      const authenticator = await Authenticator.create();
      const first = await arrive();
      await first.sendPassword("pia", pia.password);
      const setup = on(await first.act({ action: "set_up", method: "passkey" }), "setup_passkey");
      assert.equal(optionsOf(setup).rp.id, "id.gatehouse.example");
      const foreign = await authenticator.register(optionsOf(setup), {
        origin: "https://evil.example",
      });
      refusedWith(
        await first.act({ action: "credential", credential: foreign as never }),
        401,
        "credential_refused",
      );
      const made = await authenticator.register(optionsOf(setup), { origin });
      const asked = on(
        await first.act({ action: "credential", credential: made as never, name: "Laptop" }),
        "passkey",
      );
      assert.equal(asked.purpose, "factor");
      const shown = await authenticator.sign(optionsOf(asked), { origin });
      assert.ok(codeOf(await first.act({ action: "credential", credential: shown as never })));
      await settled(pia.id, "passkey");

      const second = await arrive();
      const challenge = on(await second.act({ action: "passkey", loginName: "pia" }), "passkey");
      assert.equal(challenge.purpose, "sign_in");
      const touched = await authenticator.sign(optionsOf(challenge), { origin, verified: false });
      refusedWith(
        await second.act({ action: "credential", credential: touched as never }),
        401,
        "credential_refused",
      );
      const elsewhere = await authenticator.sign(optionsOf(challenge), {
        origin: "https://evil.example",
      });
      refusedWith(
        await second.act({ action: "credential", credential: elsewhere as never }),
        401,
        "credential_refused",
      );
      const right = await authenticator.sign(optionsOf(challenge), { origin });
      assert.ok(codeOf(await second.act({ action: "credential", credential: right as never })));
    },
  );

  await t.step(
    "who has no passkey, and who is nobody, are asked for one all the same",
    async () => {
      const vera = await here.person(acme, "vera");
      const authenticator = await Authenticator.create();
      const seen: string[][] = [];
      for (const loginName of ["nobody", "NOBODY", "vera", vera.email]) {
        const browser = await arrive();
        const { options } = on(await browser.act({ action: "passkey", loginName }), "passkey");
        const { challenge, allowCredentials, ...rest } = optionsOf({ options });
        assert.deepEqual(rest, {
          rpId: "id.gatehouse.example",
          timeout: 120_000,
          userVerification: "required",
        });
        assert.equal(allowCredentials.length, 1);
        seen.push([challenge, allowCredentials[0].id]);
        const answer = await authenticator.sign(optionsOf({ options }), { origin });
        refusedWith(
          await browser.act({ action: "credential", credential: answer as never }),
          401,
          "credentials_refused",
        );
      }
      assert.equal(seen[0]![1], seen[1]![1], "the same name is told the same key");
      assert.equal(new Set(seen.map(([, key]) => key)).size, 3);
      assert.equal(new Set(seen.map(([challenge]) => challenge)).size, 4);
    },
  );

  await t.step("a code by e-mail as the second factor: mailed, masked, good once", async () => {
    const mia = await here.person(acme, "mia");
    const browser = await arrive();
    await browser.sendPassword("mia", mia.password);
    const state = on(await browser.act({ action: "set_up", method: "email_code" }), "email_code");
    assert.deepEqual([state.to, state.purpose], ["m…@mail.example", "factor"]);
    assert.ok(state.resendAfterSeconds > 0);
    const mail = here.mails.at(-1)!;
    assert.ok(mail.kind === "sign_in_code" && mail.to === mia.email && mail.tenantId === acme.id);
    assert.equal(on(await browser.act({ action: "resend" }), "email_code").to, state.to);
    assert.equal(here.mails.at(-1), mail, "not yet another one");
    refusedWith(await browser.act({ action: "code", code: "wrong" }), 401, "code_refused");
    assert.ok(codeOf(await browser.act({ action: "code", code: mail.code })));
  });

  await t.step("a password that must be changed is, into another one", async () => {
    await here.manage("PUT", "/management/v1/policies/login", {
      ...{ allowUsernamePassword: true, allowExternalIdp: true },
      ...{ passwordlessType: "PASSWORDLESS_TYPE_ALLOWED", passwordCheckLifetime: "36000s" },
      ...{ secondFactorCheckLifetime: "36000s", multiFactorCheckLifetime: "36000s" },
      ...{ externalLoginCheckLifetime: "36000s", mfaInitSkipLifetime: "0s" },
    }, acme.organizationId);
    const carl = await here.person(acme, "carl");
    await here.house.zitadel.setPassword(carl.id, carl.password, { changeRequired: true });
    const browser = await arrive();
    const asked = on(await browser.sendPassword("carl", carl.password), "change_password");
    assert.equal(asked.reason, "required");
    const change = (newPassword: string, currentPassword?: string) =>
      browser.act({
        action: "new_password",
        newPassword,
        ...currentPassword === undefined ? {} : { currentPassword },
      });
    const weak = await change("x", carl.password);
    refusedWith(weak, 422, "password_too_weak");
    assert.deepEqual(weak.body.errors, [{ pointer: "#/newPassword", detail: "length" }]);
    const newPassword = `${crypto.randomUUID()}-Bb2`;
    refusedWith(await change(newPassword), 422, "invalid_request");
    refusedWith(await change(newPassword, "Guessed-Horse-1"), 401, "credentials_refused");
    refusedWith(await change(carl.password, carl.password), 422, "password_unchanged");
    assert.ok(codeOf(await change(newPassword, carl.password)));
    const again = await arrive();
    refusedWith(await again.sendPassword("carl", carl.password), 401, "credentials_refused");
    assert.ok(codeOf(await again.sendPassword("carl", newPassword)));
  });

  await t.step("signed in once, a browser is let through, as the application asks", async () => {
    const sam = await here.person(acme, "sam");
    const browser = await arrive();
    assert.ok(codeOf(await browser.sendPassword("sam", sam.password)));
    const lagged = <T>(what: string, ask: () => Promise<T | undefined>) => eventually(what, ask);
    await lagged("sam's session", async () => {
      await arrive({}, browser);
      const { state } = await browser.openFlow();
      return state?.screen === "done" || undefined;
    });
    await arrive({ prompt: "none" }, browser);
    assert.ok(codeOf(await browser.openFlow()));
    await arrive({ prompt: "login" }, browser);
    on(await browser.openFlow(), "start");
    await arrive({ prompt: "select_account" }, browser);
    const { accounts } = on(await browser.openFlow(), "accounts");
    assert.deepEqual(accounts.map(({ displayName, fresh }) => [displayName, fresh]), [
      ["sam Example", true],
    ]);
    assert.ok(codeOf(await browser.act({ action: "choose_account", id: accounts[0]!.id })));
    await arrive({ login_hint: "somebody else" }, browser);
    assert.equal(on(await browser.openFlow(), "start").loginHint, "somebody else");

    here.now = () => new Date(Date.now() + 120_000);
    await arrive({ max_age: "60" }, browser);
    on(await browser.openFlow(), "accounts");
    await arrive({ max_age: "60", prompt: "none" }, browser);
    const stale = new URL(on(await browser.openFlow(), "done").callbackUrl);
    assert.equal(stale.searchParams.get("error"), "interaction_required");
    here.now = () => new Date();

    const another = await arrive();
    on(await another.openFlow(), "start");
    await arrive({ prompt: "select_account" }, browser);
    await browser.openFlow();
    on(await browser.act({ action: "forget_account", id: accounts[0]!.id }), "start");
    await arrive({ prompt: "none" }, browser);
    const gone = new URL(on(await browser.openFlow(), "done").callbackUrl);
    assert.equal(gone.searchParams.get("error"), "login_required");
  });

  await t.step(
    "a reload goes on where it was; languages are offered as the application asks",
    async () => {
      const rita = await here.person(acme, "rita");
      await here.house.zitadel.setPassword(rita.id, rita.password, { changeRequired: true });
      const browser = await arrive({ ui_locales: "de-AT fr" });
      const opened = await browser.openFlow();
      assert.deepEqual((opened.body.languages as string[]).slice(0, 2), ["de", "fr"]);
      await browser.sendPassword("rita", rita.password);
      on(await browser.openFlow(), "change_password");
      await browser.get(`login?authRequest=${browser.flow}`, { sameSite: true });
      on(await browser.openFlow(), "change_password");
      on(await browser.act({ action: "back" }), "start");
    },
  );

  await singleSignOut(t, here, acme, arrive);
});

async function singleSignOut(
  t: Deno.TestContext,
  here: SignInHouse,
  acme: Tenant,
  arrive: (more?: Record<string, string>, browser?: Browser) => Promise<Browser>,
): Promise<void> {
  /** Where ZITADEL sends whoever signs out at an application. */
  const signOut = async (more: Record<string, string>) => {
    const url = new URL(`${here.house.issuer}/oidc/v1/end_session`);
    url.search = new URLSearchParams(more).toString();
    const response = await fetch(url, { redirect: "manual" });
    await response.body?.cancel();
    return new URL(response.headers.get("location")!);
  };

  await t.step(
    "single sign-out ends the session and goes on only where ZITADEL's token says",
    async () => {
      const lea = await here.person(acme, "lea");
      const browser = await arrive();
      assert.ok(codeOf(await browser.sendPassword("lea", lea.password)));
      const page = await signOut({});
      assert.match(page.pathname, /\/logout$/);
      const token = page.searchParams.get("logout_token")!;
      const html = await browser.get(
        `logout?logout_token=${token}&post_logout_redirect=https://evil.example`,
      );
      assert.equal(html.status, 200);
      const text = await html.text();
      assert.ok(!text.includes("evil.example"), "what stands beside the token is not looked at");
      const bad = await browser.post("open", { mode: "logout", token: `${token.slice(0, -3)}AAA` });
      refusedWith(bad, 401, "logout_refused");
      assert.ok([...browser.cookies.keys()].includes("gatehouse_accounts"));
      const out = on(await browser.post("open", { mode: "logout", token }), "signed_out");
      assert.equal(out.continueUrl, undefined);
      assert.ok(![...browser.cookies.keys()].includes("gatehouse_accounts"));
      await arrive({ prompt: "none" }, browser);
      const gone = new URL(on(await browser.openFlow(), "done").callbackUrl);
      assert.equal(gone.searchParams.get("error"), "login_required");
    },
  );
}

function newBrowser(here: SignInHouse): Browser {
  const browser = new Browser(here);
  browser.origin = origin;
  return browser;
}

Deno.test("attacks on the sign-in page", async (t) => {
  await using here = await SignInHouse.open();
  here.parts = { publicUrl };
  const acme = await here.tenant("acme");
  const vera = await here.person(acme, "vera");
  const eve = await here.person(acme, "eve");
  const arrive = async () =>
    (await here.open(await here.authorize(acme.clientId), newBrowser(here))).browser;

  await t.step(
    "FLOW-01 login CSRF: another site posts eve's password for vera's flow",
    async () => {
      const browser = await arrive();
      const evil = browser.copy();
      evil.origin = "https://evil.example";
      refusedWith(await evil.sendPassword(eve.loginName, eve.password), 403, "browser_mismatch");
      const bare = newBrowser(here);
      bare.flow = browser.flow;
      refusedWith(await bare.sendPassword(eve.loginName, eve.password), 403, "browser_mismatch");
      refusedWith(await bare.openFlow(), 403, "browser_mismatch");
    },
  );

  await t.step(
    "FLOW-02 session fixation: vera opens the address of a flow that eve has begun",
    async () => {
      const begun = await arrive();
      await here.zitadel.getUser(eve.id);
      on(await begun.sendPassword(eve.loginName, eve.password), "setup_factor");
      const { browser } = await here.open(begun.flow, newBrowser(here));
      // Vera's browser begins by itself: nothing of eve's is there.
      on(await browser.openFlow(), "start");
      refusedWith(await browser.act({ action: "skip" }), 409, "action_refused");
      // And eve's own cookie is no use in a flow of vera's.
      const veras = await arrive();
      const planted = begun.copy();
      planted.flow = veras.flow;
      refusedWith(await planted.openFlow(), 403, "browser_mismatch");
    },
  );

  await t.step("FLOW-03 open redirect: nothing in an address of ours leads elsewhere", async () => {
    for (
      const path of [
        "login?authRequest=https://evil.example",
        "login?authRequest=V2_1&redirect_uri=https://evil.example",
        "return?flow=https://evil.example&id=1&token=2",
        "return?flow=V2_1&id=1&token=2&url=https://evil.example",
        "logout?post_logout_redirect=https://evil.example",
      ]
    ) {
      const page = await newBrowser(here).get(path);
      assert.equal(page.headers.get("location"), null, path);
      assert.ok(!(await page.text()).includes("evil.example"), path);
    }
  });

  await t.step(
    "FLOW-04 an old cookie, shown again, gives no code to who has not shown what is asked now",
    async () => {
      const browser = await arrive();
      on(await browser.sendPassword(vera.loginName, vera.password), "setup_factor");
      const old = browser.copy();
      const setup = on(await browser.act({ action: "set_up", method: "totp" }), "setup_totp");
      const totp = URI.parse(setup.uri) as TOTP;
      const done = await browser.act({ action: "code", code: totp.generate() });
      assert.ok(codeOf(done));
      // Whoever copied the cookie before vera set up her factor cannot say "later", nor set up a factor of their own.
      await eventually(
        "vera's factor",
        async () =>
          (await here.zitadel.authenticationMethods(vera.id)).includes("totp") || undefined,
      );
      on(await old.copy().act({ action: "skip" }), "factor");
      on(await old.copy().act({ action: "set_up", method: "totp" }), "factor");
    },
  );

  await t.step(
    "FLOW-05 a provider's answer that another browser was given is not taken",
    async () => {
      const browser = await arrive();
      await browser.openFlow();
      const forged = await browser.act({
        action: "intent",
        id: "1",
        token: "t",
        ticket: "guessed",
      });
      refusedWith(forged, 401, "intent_refused");
    },
  );
});

Deno.test("signing in inline", async (t) => {
  await using here = await SignInHouse.open();
  const acme = await here.tenant("acme");
  const vera = await here.person(acme, "vera");
  const { sql } = here.house.database;
  const shop = new URL(redirectUri).origin;
  const open = {
    ...{ mode: "inline", clientId: acme.clientId, redirectUri },
    ...{ codeChallenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM" },
    ...{ state: "state-1234", nonce: "nonce-1234" },
  };
  const page = (from: string | undefined = shop) => {
    const browser = new Browser(here);
    browser.origin = from;
    return browser;
  };

  await t.step(
    "INL-01 an application that did not opt in is refused; its own pages may read why, and offer ours",
    async () => {
      const refused = await page().post("open", open);
      refusedWith(refused, 403, "origin_refused");
      assert.equal(refused.headers.get("access-control-allow-origin"), shop);
      const stranger = await page("https://evil.example").post("open", open);
      refusedWith(stranger, 403, "origin_refused");
      assert.equal(stranger.headers.get("access-control-allow-origin"), null);
    },
  );
  await sql`update public.apps set inline_enabled = true where tenant_id = ${acme.id}`;

  await t.step("INL-02 registered origins only, exactly", async () => {
    for (
      const from of [
        "https://evil.example",
        "http://shop.example",
        "https://shop.example:8443",
        "https://shop.example.evil.example",
        "null",
      ]
    ) {
      const refused = await page(from).post("open", open);
      refusedWith(refused, 403, "origin_refused");
      assert.equal(refused.headers.get("access-control-allow-origin"), null);
    }
    const preflight = (from: string) =>
      here.app.request("/widget/flows/act", {
        method: "OPTIONS",
        headers: { origin: from, "access-control-request-method": "POST" },
      });
    const allowed = await preflight(shop);
    assert.equal(allowed.headers.get("access-control-allow-origin"), shop);
    assert.equal(allowed.headers.get("access-control-allow-credentials"), null);
    const other = await preflight("https://evil.example");
    assert.equal(other.headers.get("access-control-allow-origin"), null);
  });

  await t.step(
    "INL-03 a password gives the code to the page, and leaves no cookie and no account",
    async () => {
      const browser = page();
      const opened = await browser.post("open", open);
      const start = on(opened, "start");
      assert.equal(start.ways.passkey, false);
      assert.equal(start.ways.reset, false);
      assert.equal(start.redirectInstead, true);
      assert.equal(opened.headers.get("access-control-allow-origin"), shop);
      const done = await browser.signIn(vera.loginName, vera.password);
      const url = new URL(on(done, "done").callbackUrl);
      assert.equal(url.origin + url.pathname, redirectUri);
      assert.equal(url.searchParams.get("state"), open.state);
      assert.equal(browser.cookies.size, 0);
      assert.equal(done.body.flow, "", "nothing to go on with");
    },
  );

  await t.step(
    "INL-04 a flow token counts on the page that has it, and a wrong password is readable there",
    async () => {
      const browser = page();
      await browser.post("open", open);
      const stolen = browser.copy();
      stolen.origin = "https://evil.example";
      refusedWith(
        await stolen.sendPassword(vera.loginName, vera.password),
        403,
        "browser_mismatch",
      );
      const wrong = await browser.sendPassword(vera.loginName, "wrong");
      refusedWith(wrong, 401, "credentials_refused");
      assert.equal(wrong.headers.get("access-control-allow-origin"), shop);
    },
  );

  await t.step("INL-05 whoever administers something is sent to the sign-in page", async () => {
    const ada = await here.person(acme, "ada");
    await sql`
      with u as (insert into public.users (issuer, subject, home_tenant_id)
        values (${here.house.issuer}, ${ada.id}, ${acme.id}) returning id)
      insert into public.assignments (tenant_id, user_id, role_key)
      select ${acme.id}, id, 'tenant_admin' from u`;
    const browser = page();
    await browser.post("open", open);
    // Before anything is set up, whose secret that page could read.
    refusedWith(await browser.sendPassword(ada.loginName, ada.password), 403, "inline_refused");
    const wrong = page();
    await wrong.post("open", open);
    refusedWith(await wrong.sendPassword(ada.loginName, "wrong"), 401, "credentials_refused");
  });

  await t.step("INL-06 a redirect URI that is not registered is ZITADEL's to refuse", async () => {
    const refused = await page().post("open", { ...open, redirectUri: `${shop}/elsewhere` });
    refusedWith(refused, 400, "authorize_refused");
  });
});
