// The account page's API against the double of ZITADEL: what a person may change, by which proof, and what a stranger may not.
import assert from "node:assert/strict";
import { Secret, TOTP } from "otpauth";
import { Account, AccountAnswer } from "../../functions/widget/account_contract.ts";
import type {
  WebAuthnCreationOptions,
  WebAuthnRequestOptions,
} from "../../functions/_shared/zitadel/types.ts";
import { Authenticator } from "../support/authenticator.ts";
import { AccountBrowser, publicUrl } from "./widget_account_support.ts";
import { SignInHouse } from "./widget_support.ts";

const stepMs = 30_000;
const codeOf = (secret: string, steps = 0) =>
  new TOTP({ secret: Secret.fromBase32(secret) }).generate({
    timestamp: Date.now() + steps * stepMs,
  });
const origin = publicUrl;

Deno.test("the account page", async (t) => {
  await using here = await SignInHouse.open();
  here.parts = { publicUrl };
  const acme = await here.tenant("acme");
  const evil = await here.tenant("evil");
  const eve = await here.person(evil, "eve");
  const signedIn = async (name: string) => {
    const person = await here.person(acme, name);
    const browser = new AccountBrowser(here);
    const state = await browser.signIn("acme", person.loginName, person.password);
    assert.deepEqual(state, { screen: "finished", what: "signed_in" });
    return { person, browser };
  };
  /** As if time had passed since the person showed who they are; sessions live on. */
  const later = async <T>(seconds: number, fn: () => Promise<T>): Promise<T> => {
    here.now = () => new Date(Date.now() + seconds * 1000);
    try {
      return await fn();
    } finally {
      here.now = () => new Date();
    }
  };

  await t.step("nobody is signed in: 401, whatever is asked", async () => {
    const nobody = new AccountBrowser(here);
    for (const reply of [await nobody.show(), await nobody.act({ action: "sign_out" })]) {
      assert.deepEqual([reply.status, reply.slug], [401, "account_signed_out"]);
    }
    nobody.flows.cookies.set("gatehouse_accounts", "k1.forged");
    assert.equal((await nobody.show()).slug, "account_signed_out");
  });

  await t.step("who signed in sees the own account, and only the own", async () => {
    const { person, browser } = await signedIn("vera");
    const { status, account } = await browser.show();
    assert.equal(status, 200);
    assert.deepEqual(Account.parse(account), account);
    assert.equal(account.tenantName, "Tenant acme");
    assert.deepEqual(account.profile, {
      displayName: "vera Example",
      givenName: "vera",
      familyName: "Example",
      loginName: person.loginName,
      email: person.email,
      emailVerified: true,
      language: "en",
    });
    assert.equal(account.password?.set, true);
    assert.deepEqual(account.sessions.map(({ current }) => current), [true]);
    assert.equal(account.sessions[0]!.userAgent, "Test browser");
    assert.equal(account.sessions[0]!.address, "192.0.2.7");
  });

  await t.step("another site's request is refused, with the cookies or without", async () => {
    const { browser } = await signedIn("olga");
    const foreign: Record<string, string>[] = [
      { origin: "https://eve.example" },
      { "sec-fetch-site": "cross-site" },
      { origin: "null" },
    ];
    for (const headers of foreign) {
      assert.equal((await browser.show(headers)).slug, "browser_mismatch");
      assert.equal((await browser.act({ action: "sign_out" }, headers)).slug, "browser_mismatch");
    }
    assert.equal((await browser.show()).status, 200);
  });

  await t.step("name and language change without a further proof", async () => {
    const { browser } = await signedIn("nora");
    const named = await later(
      400,
      () => browser.act({ action: "set_profile", givenName: "Nora", familyName: "Novak" }),
    );
    assert.deepEqual(AccountAnswer.parse(named.body), named.body);
    assert.equal(named.account.profile.displayName, "Nora Novak");
    const spoken = await browser.act({ action: "set_language", language: "ar" });
    assert.equal(spoken.account.profile.language, "ar");
    const unknown = await browser.act({ action: "set_language", language: "tlh" });
    assert.equal(unknown.slug, "invalid_request");
  });

  await t.step("what changes how one signs in takes a proof of the last five minutes", async () => {
    const { person, browser } = await signedIn("petra");
    const acts = [
      { action: "change_email", email: "new@mail.example" },
      { action: "set_up", method: "totp" },
      { action: "remove", method: "totp" },
      { action: "new_recovery_codes" },
      { action: "add_key", kind: "passkey" },
      { action: "remove_key", id: "1" },
      { action: "link", providerId: "1" },
      { action: "unlink", providerId: "1", externalId: "1" },
    ] as const;
    await later(400, async () => {
      for (const act of acts) {
        const reply = await browser.act(act);
        assert.deepEqual([reply.status, reply.slug], [403, "proof_required"], act.action);
      }
      const begun = await browser.act({ action: "begin_proof" });
      assert.deepEqual(begun.pending, { step: "proof", method: "password", others: [] });
      const wrong = await browser.act({
        action: "prove",
        proof: { method: "password", password: "wrong" },
      });
      assert.deepEqual([wrong.status, wrong.slug], [401, "credentials_refused"]);
      assert.equal((await browser.act(acts[1])).slug, "proof_required");
      const other = await browser.act({ action: "prove", proof: { method: "totp", code: "1" } });
      assert.equal(other.slug, "action_refused", "not the proof that was asked for");
      const proven = await browser.act({
        action: "prove",
        proof: { method: "password", password: person.password },
      });
      assert.deepEqual([proven.status, proven.pending], [200, null]);
      assert.equal((await browser.act(acts[1])).pending?.step, "setup_totp");
    });
    await later(800, async () => {
      assert.equal((await browser.act(acts[1])).slug, "proof_required", "it does not last");
    });
  });

  await t.step(
    "a password is changed with the present one; other sessions end, this one stays",
    async () => {
      const { person, browser } = await signedIn("wanda");
      const other = new AccountBrowser(here);
      await other.signIn("acme", person.loginName, person.password);
      const change = (currentPassword: string | undefined, newPassword: string) =>
        browser.act({
          action: "change_password",
          newPassword,
          ...(currentPassword === undefined ? {} : { currentPassword }),
        });
      assert.equal((await change("wrong", `${person.password}x`)).slug, "credentials_refused");
      assert.equal((await change(undefined, `${person.password}x`)).slug, "invalid_request");
      assert.equal((await change(person.password, "short")).slug, "password_too_weak");
      assert.equal((await change(person.password, person.password)).slug, "password_unchanged");
      assert.equal((await other.show()).status, 200);
      const changed = await later(400, () => change(person.password, `${person.password}x`));
      assert.equal(changed.status, 200);
      assert.equal(changed.account.sessions.length, 1);
      assert.equal((await other.show()).slug, "account_signed_out");
      assert.equal((await browser.show()).status, 200);
      const again = new AccountBrowser(here);
      await again.signIn("acme", person.loginName, person.password);
      assert.equal((await again.show()).slug, "account_signed_out", "the old one is dead");
    },
  );

  await t.step("an address changes when its code came back; the former one is told", async () => {
    const { person, browser } = await signedIn("emma");
    const asked = await browser.act({ action: "change_email", email: "emma@new.example" });
    assert.deepEqual(asked.pending, {
      step: "verify_email",
      email: "emma@new.example",
      resendAfterSeconds: 30,
    });
    assert.equal(asked.account.profile.email, person.email, "not before");
    const mail = here.mails.at(-1)!;
    assert.deepEqual([mail.kind, mail.to], ["verification", "emma@new.example"]);
    const { code } = mail as { code: string };
    assert.equal(
      (await browser.act({ action: "verify_email", code: "AAAAAAAA" })).slug,
      "code_refused",
    );
    const verified = await browser.act({ action: "verify_email", code: code.toLowerCase() });
    assert.deepEqual(
      [verified.account.profile.email, verified.account.profile.emailVerified],
      ["emma@new.example", true],
    );
    const told = here.mails.at(-1)!;
    assert.deepEqual([told.kind, told.to], ["address_changed", person.email]);
    const replayed = await browser.act({ action: "verify_email", code });
    assert.equal(replayed.slug, "action_refused");
  });

  await t.step(
    "an address that somebody has is refused to who can read its mails only",
    async () => {
      const taken = await here.person(acme, "tara");
      const { browser } = await signedIn("ulla");
      const asked = await browser.act({ action: "change_email", email: taken.email.toUpperCase() });
      assert.equal(asked.pending?.step, "verify_email", "nobody learns of the account");
      const { code } = here.mails.at(-1) as { code: string };
      const refused = await browser.act({ action: "verify_email", code });
      assert.deepEqual([refused.status, refused.slug], [409, "email_taken"]);
    },
  );

  await t.step("a code runs out, and is not sent again at once", async () => {
    const { browser } = await signedIn("ines");
    await browser.act({ action: "change_email", email: "ines@new.example" });
    const sent = here.mails.length;
    const soon = await browser.act({ action: "resend" });
    assert.equal(here.mails.length, sent);
    assert.equal(soon.pending?.step, "verify_email");
    await later(60, async () => {
      await browser.act({ action: "resend" });
      assert.equal(here.mails.length, sent + 1);
    });
    const { code } = here.mails.at(-1) as { code: string };
    const late = await later(20 * 60, () => browser.act({ action: "verify_email", code }));
    assert.equal(late.slug, "code_refused");
  });

  await t.step(
    "TOTP: set up by a code, with recovery codes; shown again as proof; removed",
    async () => {
      await useFactors(here, acme.organizationId);
      const { browser } = await signedIn("tom");
      const begun = await browser.act({ action: "set_up", method: "totp" });
      assert.equal(begun.pending?.step, "setup_totp");
      const { secret, qr } = begun.pending as { secret: string; qr: { path: string } };
      assert.match(qr.path, /^M/);
      const wrong = await browser.act({ action: "confirm_totp", code: "000000" });
      assert.equal(wrong.slug, "code_refused");
      const done = await browser.act({ action: "confirm_totp", code: codeOf(secret) });
      assert.equal(done.pending?.step, "recovery_codes");
      assert.equal((done.pending as { codes: string[] }).codes.length, 10);
      assert.deepEqual(
        [done.account.secondFactors.totp, done.account.secondFactors.recoveryCodes],
        [true, true],
      );
      assert.equal(
        (await browser.show()).status,
        200,
        "it is not asked of the session that set it up",
      );
      assert.equal((await browser.act({ action: "set_up", method: "totp" })).slug, "factor_exists");

      await later(400, async () => {
        const asked = await browser.act({ action: "begin_proof", method: "totp" });
        assert.deepEqual(asked.pending, { step: "proof", method: "totp", others: ["password"] });
        const proof = { method: "totp", code: codeOf(secret, 1) } as const;
        assert.equal((await browser.act({ action: "prove", proof })).status, 200);
        const removed = await browser.act({ action: "remove", method: "totp" });
        assert.equal(removed.account.secondFactors.totp, false);
        assert.equal(removed.account.secondFactors.recoveryCodes, null, "they went with it");
      });
    },
  );

  await t.step("another browser of the same person is asked for the new factor first", async () => {
    const { person, browser } = await signedIn("zoe");
    const other = new AccountBrowser(here);
    await other.signIn("acme", person.loginName, person.password);
    assert.equal((await other.show()).status, 200);
    await browser.act({ action: "set_up", method: "email_code" });
    assert.equal((await browser.show()).account.secondFactors.emailCode, true);
    assert.equal((await other.show()).slug, "account_signed_out");
  });

  await t.step("the last factor stays where the organization demands one", async () => {
    const { browser } = await signedIn("fred");
    const begun = await browser.act({ action: "set_up", method: "totp" });
    const { secret } = begun.pending as { secret: string };
    await browser.act({ action: "confirm_totp", code: codeOf(secret) });
    await useFactors(here, acme.organizationId, { forceMfa: true });
    try {
      const refused = await browser.act({ action: "remove", method: "totp" });
      assert.deepEqual([refused.status, refused.slug], [409, "last_factor"]);
      assert.equal((await browser.show()).account.secondFactors.required, true);
    } finally {
      await useFactors(here, acme.organizationId);
    }
  });

  await t.step(
    "a passkey is added, proves, and is removed; nothing made elsewhere is taken",
    async () => {
      const { browser } = await signedIn("kim");
      const key = await Authenticator.create();
      const begin = async () =>
        (await browser.act({ action: "add_key", kind: "passkey" })).pending as {
          options: Record<string, unknown>;
        };
      const options = (await begin()).options as unknown as WebAuthnCreationOptions;
      const phished = await key.register(options, { origin: "https://eve.example" });
      const refused = await browser.act({
        action: "credential",
        credential: phished as never,
        name: "Phone",
      });
      assert.equal(refused.slug, "credential_refused");
      const credential = await key.register(options, { origin });
      const added = await browser.act({
        action: "credential",
        credential: credential as never,
        name: "Phone",
      });
      assert.deepEqual(added.account.keys.map(({ kind, name }) => [kind, name]), [[
        "passkey",
        "Phone",
      ]]);
      assert.equal((await browser.show()).status, 200);

      await later(400, async () => {
        const asked = await browser.act({ action: "begin_proof", method: "passkey" });
        const request = (asked.pending as { options: unknown }).options as WebAuthnRequestOptions;
        const prove = async (verified: boolean) =>
          await browser.act({
            action: "prove",
            proof: {
              method: "passkey",
              credential: await key.sign(request, { origin, verified }) as never,
            },
          });
        assert.equal((await prove(false)).slug, "credential_refused", "somebody touched it: who?");
        assert.equal((await prove(true)).status, 200);
        const [{ id }] = added.account.keys as unknown as [{ id: string }];
        const removed = await browser.act({ action: "remove_key", id });
        assert.deepEqual(removed.account.keys, []);
      });
    },
  );

  await t.step("a key that was begun and given up is not left behind", async () => {
    const { person, browser } = await signedIn("gina");
    await browser.act({ action: "add_key", kind: "passkey" });
    assert.equal((await browser.act({ action: "cancel" })).pending, null);
    assert.deepEqual((await browser.show()).account.keys, []);
    assert.deepEqual(await here.zitadel.listPasskeys(person.id), []);
  });

  await t.step("sessions: others are seen and ended; a stranger's never", async () => {
    const { person, browser } = await signedIn("sara");
    const phone = new AccountBrowser(here);
    await phone.signIn("acme", person.loginName, person.password);
    const { account } = await browser.show();
    assert.equal(account.sessions.length, 2);
    const evilBrowser = new AccountBrowser(here);
    await evilBrowser.signIn("evil", eve.loginName, eve.password);
    for (const { id } of account.sessions) {
      const reply = await evilBrowser.act({ action: "end_session", id });
      assert.deepEqual([reply.status, reply.slug], [404, "session_not_found"]);
    }
    const other = account.sessions.find(({ current }) => !current)!;
    const ended = await browser.act({ action: "end_session", id: other.id });
    assert.equal(ended.account.sessions.length, 1);
    assert.equal((await phone.show()).slug, "account_signed_out");

    await phone.signIn("acme", person.loginName, person.password);
    await browser.act({ action: "end_other_sessions" });
    assert.equal((await phone.show()).slug, "account_signed_out");
    assert.equal((await browser.act({ action: "sign_out" })).status, 200);
    assert.equal((await browser.show()).slug, "account_signed_out");
  });

  await t.step("other people's keys and links are not there to be removed", async () => {
    const { browser } = await signedIn("ada");
    const { browser: owner } = await signedIn("bert");
    const key = await Authenticator.create();
    const begun = await owner.act({ action: "add_key", kind: "passkey" });
    const options = (begun.pending as { options: unknown }).options as WebAuthnCreationOptions;
    const added = await owner.act({
      action: "credential",
      credential: await key.register(options, { origin }) as never,
      name: "Mine",
    });
    const [{ id }] = added.account.keys as unknown as [{ id: string }];
    assert.equal((await browser.act({ action: "remove_key", id })).slug, "key_not_found");
    const unlinked = await browser.act({ action: "unlink", providerId: "1", externalId: "1" });
    assert.equal(unlinked.slug, "link_not_found");
    const stolen = await browser.act({
      action: "intent",
      id: "1",
      token: "t",
      ticket: "somebody-else's",
    });
    assert.equal(stolen.slug, "action_refused");
    assert.equal((await owner.show()).account.keys.length, 1);
  });

  await t.step("guesses at a proof are limited", async () => {
    const { browser } = await signedIn("gus");
    await browser.act({ action: "begin_proof" });
    const slugs = [];
    for (let index = 0; index < 12; index++) {
      const proof = { method: "password", password: `wrong ${index}` } as const;
      slugs.push((await browser.act({ action: "prove", proof })).slug);
    }
    assert.equal(slugs.at(-1), "rate_limited");
  });

  await t.step(
    "who signs in as another in the same browser is not shown the first one's page",
    async () => {
      const { browser } = await signedIn("ruth");
      await browser.show();
      const second = await here.person(acme, "rita");
      await here.open(await here.authorize(acme.clientId, { prompt: "login" }), browser.flows);
      await browser.flows.openFlow();
      const { state } = await browser.flows.signIn(second.loginName, second.password);
      assert.equal(state?.screen, "done");
      const still = await browser.show();
      assert.equal(still.account.profile.givenName, "ruth", "an open page stays whose it was");
      const page = await browser.page("me?tenant=acme");
      assert.equal(page.status, 200);
      assert.match(page.headers.get("content-security-policy")!, /^default-src 'none'; /);
      assert.match(await page.text(), /<gatehouse-account\s+tenant="acme"/);
      assert.equal((await browser.show()).account.profile.givenName, "rita");
    },
  );

  await t.step("a person who was disabled is signed out at once", async () => {
    const { person, browser } = await signedIn("dina");
    assert.equal((await browser.show()).status, 200);
    await here.house.zitadel.ensureUserState(person.id, "inactive");
    assert.equal((await browser.show()).slug, "account_signed_out");
  });

  await t.step(
    "platform staff sees its account; its credentials are changed in ZITADEL itself",
    async () => {
      const { person, browser } = await signedIn("paul");
      here.parts = {
        publicUrl,
        zitadel: (await import("../../functions/_shared/zitadel/login_client.ts")).loginClient({
          profile: "embedded",
          issuer: here.house.issuer,
          tokenFile: `${here.house.dir}/login-client.pat`,
          platformOrganizationId: () => Promise.resolve(acme.organizationId),
        }),
      };
      assert.equal((await browser.show()).status, 200);
      const refused = [
        await browser.act({
          action: "change_password",
          currentPassword: person.password,
          newPassword: `${person.password}x`,
        }),
        await browser.act({ action: "set_up", method: "totp" }),
        await browser.act({ action: "add_key", kind: "passkey" }),
        await browser.act({ action: "set_profile", givenName: "P", familyName: "Q" }),
      ];
      assert.deepEqual(
        refused.map(({ status, slug }) => [status, slug]),
        refused.map(() => [403, "platform_user_refused"]),
      );
      here.parts = { publicUrl };
    },
  );
});

/** The organization's own login policy: what it names is taken. */
async function useFactors(here: SignInHouse, orgId: string, more: object = {}): Promise<void> {
  const policy = {
    allowUsernamePassword: true,
    allowExternalIdp: true,
    passwordlessType: "PASSWORDLESS_TYPE_ALLOWED",
    passwordCheckLifetime: "864000s",
    mfaInitSkipLifetime: "2592000s",
    secondFactorCheckLifetime: "64800s",
    multiFactorCheckLifetime: "43200s",
    externalLoginCheckLifetime: "864000s",
    secondFactors: [
      "SECOND_FACTOR_TYPE_OTP",
      "SECOND_FACTOR_TYPE_OTP_EMAIL",
      "SECOND_FACTOR_TYPE_U2F",
      "SECOND_FACTOR_TYPE_RECOVERY_CODES",
    ],
    multiFactors: ["MULTI_FACTOR_TYPE_U2F_WITH_VERIFICATION"],
    ...more,
  };
  const path = "/management/v1/policies/login";
  await here.manage("DELETE", path, {}, orgId).catch(() => {});
  await here.manage("POST", path, policy, orgId);
}
