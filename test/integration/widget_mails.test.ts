// The flows that go with mails, from the widget's requests to the code in the mailbox and back.
import assert from "node:assert/strict";
import type { State } from "../../functions/widget/contract.ts";
import type { Published } from "../../functions/widget/look.ts";
import { Authenticator } from "../support/authenticator.ts";
import { PostOffice } from "./post_office.ts";
import { type Answer, Browser, SignInHouse, type Tenant } from "./widget_support.ts";

type Shown<S extends State["screen"]> = Extract<State, { screen: S }>;

function shows<S extends State["screen"]>(answer: Answer, screen: S): Shown<S> {
  assert.equal(answer.state?.screen, screen, JSON.stringify(answer.body));
  return answer.state as Shown<S>;
}

function refuses(answer: Answer, slug: string, status: number): void {
  assert.deepEqual([answer.slug, answer.status], [slug, status], JSON.stringify(answer.body));
}

const strong = "Correct-Horse-7";

/** Everything a stranger could compare; what differs by its nature (ids of the request, the flow) is out. */
const told = ({ status, slug, state, body }: Answer) => ({
  status,
  slug,
  state,
  detail: body.detail,
});

interface Setting extends AsyncDisposable {
  here: SignInHouse;
  post: PostOffice;
  acme: Tenant;
  start(more?: Record<string, string>): Promise<Browser>;
}

async function arrange(): Promise<Setting> {
  const here = await SignInHouse.open();
  const post = await PostOffice.open(here.house.database);
  here.parts = { mailer: post.mailer };
  const acme = await here.tenant("acme");
  return {
    here,
    post,
    acme,
    async start(more = {}) {
      const { browser } = await here.open(await here.authorize(acme.clientId, more));
      shows(await browser.openFlow(), "start");
      return browser;
    },
    async [Symbol.asyncDispose]() {
      await post[Symbol.asyncDispose]();
      await here[Symbol.asyncDispose]();
    },
  };
}

/** "Later", where a second factor is offered. */
async function onward(browser: Browser, answer: Answer): Promise<Answer> {
  const { state } = answer;
  const offered = state?.screen === "setup_factor" && state.skippable;
  return offered ? await browser.act({ action: "skip" }) : answer;
}

const person = (name: string) => ({
  givenName: name,
  familyName: "Example",
  email: `${name.toLowerCase()}@mail.example`,
});

Deno.test("registration", async (t) => {
  await using setting = await arrange();
  const { here, post, start } = setting;

  await t.step("a form with the rules, a code by mail, and the account signs in", async () => {
    const browser = await start();
    const form = shows(await browser.act({ action: "show_register" }), "register");
    assert.deepEqual(form.complexity, {
      minLength: 8,
      uppercase: true,
      lowercase: true,
      number: true,
      symbol: true,
    });
    const asked = await browser.act({ action: "register", ...person("Nora"), password: strong });
    const waiting = shows(asked, "verify_email");
    assert.deepEqual([waiting.to, waiting.codeNeeded], ["n…@mail.example", true]);
    const letter = await post.one("nora@mail.example");
    assert.match(letter.code, /^[A-Z0-9]{6}$/);
    refuses(await browser.act({ action: "code", code: "WRONG1" }), "code_refused", 401);
    const done = await onward(browser, await browser.act({ action: "code", code: letter.code }));
    assert.match(shows(done, "done").callbackUrl, /code=/);
  });

  await t.step("a weak password names its rule, and makes nobody", async () => {
    const browser = await start();
    await browser.act({ action: "show_register" });
    for (
      const [password, rule] of [
        ["Ab1-", "length"],
        ["ABCDEFG1-", "lowercase"],
        ["abcdefg1-", "uppercase"],
        ["Abcdefgh-", "number"],
        ["Abcdefgh1", "symbol"],
      ] as const
    ) {
      const answer = await browser.act({ action: "register", ...person("Weak"), password });
      refuses(answer, "password_too_weak", 422);
      const expected = [{ pointer: "#/password", detail: rule }];
      assert.deepEqual(answer.body.errors, expected, rule);
    }
    assert.deepEqual(await post.collect(), []);
  });

  await t.step(
    "an address that has an account: the same answers, and a mail that says so",
    async () => {
      const vera = await here.person(setting.acme, "vera");
      const [fresh, taken] = [await start(), await start()];
      const answers: unknown[][] = [];
      for (const [browser, who] of [[fresh, person("Olga")], [taken, person("Vera")]] as const) {
        await browser.act({ action: "show_register" });
        const asked = await browser.act({ action: "register", ...who, password: strong });
        const wrong = await browser.act({ action: "code", code: "WRONG1" });
        const again = await browser.act({ action: "resend" });
        const reloaded = await browser.openFlow();
        answers.push([asked, wrong, again, reloaded].map(told));
      }
      assert.deepEqual(withoutWait(answers[0]), withoutWait(answers[1]));
      const letters = await post.collect();
      const toVera = letters.find(({ to }) => to[0] === vera.email)!;
      assert.deepEqual([toVera.code, toVera.link], ["", {}]);
      assert.equal(letters.length, 2);
      // Not even the right code of somebody else's leads in.
      const olga = letters.find(({ to }) => to[0] === "olga@mail.example")!;
      refuses(await taken.act({ action: "code", code: olga.code }), "code_refused", 401);
    },
  );

  await t.step("terms must be accepted where the tenant has some", async () => {
    here.parts = { ...here.parts, looks: published({ termsUrl: "https://acme.example/terms" }) };
    const browser = await start();
    const form = shows(await browser.act({ action: "show_register" }), "register");
    assert.equal(form.termsUrl, "https://acme.example/terms");
    const who = { action: "register", ...person("Terry"), password: strong } as const;
    refuses(await browser.act(who), "terms_not_accepted", 422);
    shows(await browser.act({ ...who, acceptTerms: true }), "verify_email");
    await post.one("terry@mail.example");
    here.parts = { mailer: post.mailer };
  });

  await t.step(
    "the mail's link goes on with the sign-in, by a press, in the browser that began it",
    async () => {
      const browser = await start();
      await browser.act({ action: "show_register" });
      await browser.act({ action: "register", ...person("Lena"), password: strong });
      const { link } = await post.one("lena@mail.example");
      const { kind, userId, code, authRequest } = link;
      const open = { mode: "link", kind, userId, code } as const;

      const stranger = new Browser(here);
      const shown = shows(await stranger.post("open", { ...open, authRequest }), "verify_email");
      assert.equal(shown.codeNeeded, false);
      const opened = shows(await browser.post("open", { ...open, authRequest }), "verify_email");
      assert.equal(opened.codeNeeded, false);
      const done = await onward(browser, await browser.act({ action: "continue" }));
      shows(done, "done");
      refuses(await stranger.act({ action: "continue" }), "code_refused", 401);
    },
  );

  await t.step("in another browser the link proves the address and signs nobody in", async () => {
    const browser = await start();
    await browser.act({ action: "show_register" });
    await browser.act({ action: "register", ...person("Mona"), password: strong });
    const { link } = await post.one("mona@mail.example");
    const elsewhere = new Browser(here);
    shows(await elsewhere.post("open", { mode: "link", ...link }), "verify_email");
    const end = shows(await elsewhere.act({ action: "continue" }), "finished");
    assert.equal(end.what, "verified");
    // The first browser goes on without a code.
    shows(await onward(browser, await browser.act({ action: "code", code: "ANY123" })), "done");
  });

  await t.step("with a passkey instead of a password", async () => {
    const origin = "http://localhost:8000";
    here.parts = { mailer: post.mailer, publicUrl: origin };
    const browser = new Browser(here);
    browser.origin = origin;
    await here.open(await here.authorize(setting.acme.clientId), browser);
    await browser.openFlow();
    assert.equal(shows(await browser.act({ action: "show_register" }), "register").passkey, true);
    shows(await browser.act({ action: "register", ...person("Pia") }), "verify_email");
    const { code } = await post.one("pia@mail.example");
    const setup = shows(await browser.act({ action: "code", code }), "setup_passkey");
    const key = await Authenticator.create();
    const made = await key.register(setup.options as never, { origin });
    const asked = shows(
      await browser.act({ action: "credential", credential: made as never, name: "Telephone" }),
      "passkey",
    );
    const shown = await key.sign(asked.options as never, { origin });
    shows(await browser.act({ action: "credential", credential: shown as never }), "done");
    here.parts = { mailer: post.mailer };
  });

  await t.step("where registration or mail is off it is not offered, and refused", async () => {
    for (
      const parts of [
        { looks: published({}, { register: false }) },
        { mailer: { available: false, send: () => Promise.resolve() } },
      ]
    ) {
      here.parts = { mailer: post.mailer, ...parts };
      const { browser } = await here.open(await here.authorize(setting.acme.clientId));
      const first = shows(await browser.openFlow(), "start");
      assert.equal(first.ways.register, false);
      refuses(await browser.act({ action: "show_register" }), "way_not_allowed", 403);
    }
    here.parts = { mailer: post.mailer };
  });
});

Deno.test("password reset", async (t) => {
  await using setting = await arrange();
  const { here, post, acme, start } = setting;
  const vera = await here.person(acme, "vera");

  async function asks(name: string): Promise<[Browser, Answer]> {
    const browser = await start();
    shows(await browser.act({ action: "show_reset", loginName: name }), "reset");
    return [browser, await browser.act({ action: "reset", loginName: name })];
  }

  await t.step(
    "a code by mail sets a new password and signs in; the old one and its sessions are over",
    async () => {
      shows(await here.signIn(acme.clientId, vera.loginName, vera.password), "done");
      const [browser, asked] = await asks(vera.loginName);
      assert.equal(shows(asked, "reset_code").codeNeeded, true);
      const { code } = await post.one(vera.email);
      const weak = await browser.act({ action: "new_password", newPassword: "weak", code });
      refuses(weak, "password_too_weak", 422);
      const wrong = { action: "new_password", newPassword: strong, code: "WRONG1" } as const;
      refuses(await browser.act(wrong), "code_refused", 401);
      const done = await browser.act({ action: "new_password", newPassword: strong, code });
      shows(await onward(browser, done), "done");
      const old = await here.signIn(acme.clientId, vera.loginName, vera.password);
      refuses(old, "credentials_refused", 401);
      const live = await here.zitadel.searchSessions({ userId: vera.id });
      assert.equal(live.length, 1, "only the one that was made now");
      const again = await here.zitadel.setPassword({
        ...{ userId: vera.id, newPassword: "Other-Horse-8", verificationCode: code },
      }).catch((error) => error);
      assert(again instanceof Error, "a code is good once");
    },
  );

  await t.step(
    "unknown, disabled, of another organization: the same answers; nobody gets a mail",
    async () => {
      const other = await here.tenant("other");
      const eve = await here.person(other, "eve");
      const dora = await here.person(acme, "dora");
      await here.house.zitadel.ensureUserState(dora.id, "inactive");
      const answers: unknown[] = [];
      for (const name of [vera.email, "nobody@mail.example", eve.email, dora.email]) {
        const [browser, asked] = await asks(name);
        const wrong = { action: "new_password", newPassword: strong, code: "WRONG1" } as const;
        const weak = { action: "new_password", newPassword: "weak", code: "WRONG1" } as const;
        answers.push([
          asked,
          await browser.act(weak),
          await browser.act(wrong),
          await browser.act({ action: "resend" }),
          await browser.openFlow(),
          await browser.act({ action: "back" }),
        ].map(told));
      }
      for (const answer of answers) {
        assert.deepEqual(withoutWait(answer), withoutWait(answers[0]));
      }
      assert.deepEqual((await post.collect()).map(({ to }) => to[0]), [vera.email]);
    },
  );

  await t.step("who signs in by other means gets no password by mail alone", async () => {
    const only = await here.zitadel.createUser({
      ...{ orgId: acme.organizationId, givenName: "Key", familyName: "Only" },
      ...{ email: "key@mail.example", emailVerified: true },
    });
    const { options, passkeyId } = await here.zitadel.startPasskey(only.userId, {
      domain: "localhost",
    });
    const key = await Authenticator.create();
    const credential = await key.register(options, { origin: "http://localhost:8000" });
    await here.zitadel.finishPasskey(only.userId, { passkeyId, name: "Key", credential });
    const [, asked] = await asks("key@mail.example");
    shows(asked, "reset_code");
    assert.deepEqual(await post.collect(), []);
  });

  await t.step("whoever holds a second factor still shows it", async () => {
    const tom = await here.person(acme, "tom");
    const { secret } = await here.zitadel.startTotp(tom.id);
    const { TOTP } = await import("otpauth");
    await here.zitadel.verifyTotp(tom.id, new TOTP({ secret }).generate());
    const [browser, asked] = await asks(tom.email);
    shows(asked, "reset_code");
    const { code } = await post.one(tom.email);
    const after = await browser.act({ action: "new_password", newPassword: strong, code });
    assert.equal(shows(after, "factor").method, "totp");
  });

  await t.step(
    "by the mail's link: on with the sign-in, or, elsewhere, no further than the new password",
    async () => {
      const [browser] = await asks(vera.email);
      const { link } = await post.one(vera.email);
      const elsewhere = new Browser(here);
      const opened = await elsewhere.post("open", { mode: "link", ...link });
      assert.equal(shows(opened, "reset_code").codeNeeded, false);
      assert.equal(
        shows(await browser.post("open", { mode: "link", ...link }), "reset_code").codeNeeded,
        false,
      );
      const done = await browser.act({ action: "new_password", newPassword: "Third-Horse-9" });
      shows(await onward(browser, done), "done");
      const late = await elsewhere.act({ action: "new_password", newPassword: strong });
      refuses(late, "code_refused", 401);

      await asks(vera.email);
      const next = await post.one(vera.email);
      await elsewhere.post("open", { mode: "link", ...next.link });
      const end = await elsewhere.act({ action: "new_password", newPassword: strong });
      assert.equal(shows(end, "finished").what, "reset");
      const live = await here.zitadel.searchSessions({ userId: vera.id });
      assert.deepEqual(live, [], "nobody is signed in by a link alone");
    },
  );

  await t.step("links to nobody, to staff and with a wrong code lead nowhere", async () => {
    const browser = new Browser(here);
    const open = { mode: "link", kind: "reset", code: "A1B2C3" } as const;
    refuses(
      await browser.post("open", { ...open, userId: "399999999999999999" }),
      "flow_not_found",
      404,
    );
    const staff = "300000000000000042"; // the first administrator, of the platform's organization
    const shown = await browser.post("open", { ...open, userId: staff });
    if (shown.status === 200) {
      const answer = await browser.act({ action: "new_password", newPassword: strong });
      assert.notEqual(answer.status, 200, JSON.stringify(answer.body));
    } else refuses(shown, "flow_not_found", 404);
    await browser.post("open", { ...open, userId: vera.id });
    refuses(
      await browser.act({ action: "new_password", newPassword: strong }),
      "code_refused",
      401,
    );
    browser.origin = "https://evil.example";
    refuses(await browser.post("open", { ...open, userId: vera.id }), "browser_mismatch", 403);
  });

  await t.step("too many mails to one name are refused, known or not, alike", async () => {
    for (const name of [vera.email, "ghost@mail.example"]) {
      let refusals = 0;
      for (let n = 0; n < 8; n++) {
        const [, asked] = await asks(name);
        if (asked.slug === "rate_limited") refusals++;
      }
      assert(refusals > 0, name);
    }
  });
});

Deno.test("a code by e-mail", async (t) => {
  await using setting = await arrange();
  const { here, post, acme, start } = setting;
  const vera = await here.person(acme, "vera");
  const on = () => here.parts = { mailer: post.mailer, looks: published({}, { email_code: true }) };

  await t.step("is not taken where the tenant did not switch it on", async () => {
    const browser = await start();
    const asked = await browser.act({ action: "email_code", loginName: vera.loginName });
    refuses(asked, "way_not_allowed", 403);
  });

  await t.step("signs in where it did", async () => {
    on();
    const browser = await start();
    const asked = await browser.act({ action: "email_code", loginName: vera.email });
    const shown = shows(asked, "email_code");
    assert.deepEqual([shown.purpose, shown.to], ["sign_in", "v…@mail.example"]);
    const letter = await post.one(vera.email);
    assert.match(letter.code, /^\d{8}$/);
    assert.deepEqual(letter.link, {});
    assert.match(letter.text, /Shop/);
    refuses(await browser.act({ action: "code", code: "00000000" }), "code_refused", 401);
    const done = await browser.act({ action: "code", code: letter.code });
    shows(await onward(browser, done), "done");
    const [session] = await here.zitadel.searchSessions({ userId: vera.id });
    assert.deepEqual(session!.otherFactors.map(({ kind }) => kind), ["otp_email"]);
  });

  await t.step("tells nothing of who is known", async () => {
    const una = await here.person(acme, "una", { emailVerified: false });
    const answers: unknown[] = [];
    for (const name of [vera.email, "xerxes@mail.example", una.email]) {
      const browser = await start();
      answers.push([
        await browser.act({ action: "email_code", loginName: name }),
        await browser.act({ action: "code", code: "00000000" }),
        await browser.act({ action: "resend" }),
        await browser.openFlow(),
      ].map(told));
    }
    for (const answer of answers) assert.deepEqual(withoutWait(answer), withoutWait(answers[0]));
    assert.deepEqual((await post.collect()).map(({ to }) => to[0]), [vera.email]);
  });

  await t.step("a stranger's question makes it nobody's second factor", async () => {
    const tim = await here.person(acme, "tim");
    await here.manage("POST", "/management/v1/policies/login", {
      ...{ allowUsernamePassword: true, allowRegister: true, allowExternalIdp: true },
      ...{ passwordlessType: "PASSWORDLESS_TYPE_ALLOWED", passwordCheckLifetime: "864000s" },
      ...{ externalLoginCheckLifetime: "864000s", mfaInitSkipLifetime: "2592000s" },
      ...{ secondFactorCheckLifetime: "64800s", multiFactorCheckLifetime: "43200s" },
      secondFactors: ["SECOND_FACTOR_TYPE_OTP_EMAIL"],
    }, acme.organizationId);
    const browser = await start();
    shows(await browser.act({ action: "email_code", loginName: tim.email }), "email_code");
    assert.deepEqual(await post.collect(), []);
    assert(!(await here.zitadel.authenticationMethods(tim.id)).includes("otp_email"));
  });
});

Deno.test("invitation", async (t) => {
  await using setting = await arrange();
  const { here, acme } = setting;

  async function invite(name: string) {
    const { userId } = await here.zitadel.createUser({
      orgId: acme.organizationId,
      ...person(name),
    });
    return { userId, code: await here.zitadel.createInvite(userId) };
  }

  await t.step(
    "its link sets the first password and proves the address; opening it spends nothing",
    async () => {
      const invited = await invite("Ines");
      const open = { mode: "link", kind: "invitation", ...invited } as const;
      const scanner = new Browser(here);
      await scanner.post("open", open);
      const browser = new Browser(here);
      const shown = shows(await browser.post("open", open), "invitation");
      assert.deepEqual([shown.displayName, shown.tenantName, shown.passkey], [
        "Ines Example",
        "Tenant acme",
        false,
      ]);
      const weak = await browser.act({ action: "new_password", newPassword: "weak" });
      refuses(weak, "password_too_weak", 422);
      const end = await browser.act({ action: "new_password", newPassword: strong });
      assert.equal(shows(end, "finished").what, "invited");
      const late = await scanner.act({ action: "new_password", newPassword: "Other-Horse-8" });
      refuses(late, "code_refused", 401);
      refuses(await new Browser(here).post("open", open), "code_refused", 401);
      const answer = await here.signIn(acme.clientId, "ines@mail.example", strong);
      shows(answer, "done");
    },
  );

  await t.step("or a passkey", async () => {
    const origin = "http://localhost:8000";
    here.parts = { ...here.parts, publicUrl: origin };
    const browser = new Browser(here);
    browser.origin = origin;
    const open = { mode: "link", kind: "invitation", ...await invite("Ida") } as const;
    assert.equal(shows(await browser.post("open", open), "invitation").passkey, true);
    const setup = shows(
      await browser.act({ action: "set_up", method: "passkey" }),
      "setup_passkey",
    );
    const key = await Authenticator.create();
    const credential = await key.register(setup.options as never, { origin });
    const end = await browser.act({ action: "credential", credential: credential as never });
    assert.equal(shows(end, "finished").what, "invited");
    // What the browser kept adds no second one.
    const copy = browser.copy();
    const other = await Authenticator.create();
    const more = await other.register(setup.options as never, { origin });
    const again = await copy.act({ action: "credential", credential: more as never });
    assert.notEqual(again.status, 200);
    assert.deepEqual(await here.zitadel.authenticationMethods(open.userId), ["passkey"]);
  });

  await t.step("a wrong code takes nothing", async () => {
    here.parts = {};
    const { userId } = await invite("Iris");
    const browser = new Browser(here);
    await browser.post("open", { mode: "link", kind: "invitation", userId, code: "WRONG1" });
    const answer = await browser.act({ action: "new_password", newPassword: strong });
    refuses(answer, "code_refused", 401);
    assert.deepEqual(await here.zitadel.authenticationMethods(userId), []);
  });
});

function published(
  more: Partial<Published>,
  flows: Partial<Published["flows"]> = {},
): { find(): Promise<Published> } {
  const all = { password: true, passkey: true, email_code: false, register: true, reset: true };
  return {
    find: () =>
      Promise.resolve({
        hash: "0".repeat(64),
        look: { tokens: {}, layout: "card", texts: {} },
        languages: ["en"],
        flows: { ...all, ...flows },
        ...more,
      }),
  };
}

/** Seconds to wait go by while we ask. */
function withoutWait(answers: unknown): unknown {
  return JSON.parse(
    JSON.stringify(
      answers,
      (key, value) =>
        key === "resendAfterSeconds" || key === "loginHint"
          ? undefined
          : key === "to"
          ? String(value).slice(1)
          : value,
    ),
  );
}
