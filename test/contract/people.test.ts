// People: registered, described, their address proved, their password reset, invited. Codes expire and are good once.
import assert from "node:assert/strict";
import { isZitadelError } from "../../functions/_shared/zitadel/errors.ts";
import {
  codeRefusal,
  passwordRefusal,
  signInRefusal,
} from "../../functions/_shared/zitadel/refusals.ts";
import { password, refusedAs, type Suite, suite } from "./support.ts";

const open = suite();
const lifetimeSeconds = 600;

const register = (s: Suite, orgId: string, more: { password?: string; userName?: string } = {}) =>
  s.login.createUser({
    orgId,
    givenName: "Rita",
    familyName: "Registered",
    preferredLanguage: "de",
    email: "rita@example.test",
    ...more,
  });

Deno.test("somebody registers: unverified, with a code that proves the address once", async () => {
  const s = open();
  const { orgId } = await s.tenant("register");
  const { userId, emailCode } = await register(s, orgId, { password });
  await s.login.createSession({ userId, password, lifetimeSeconds }); // though projections lag
  const user = (await s.login.getUser(userId))!;
  assert.deepEqual([user.orgId, user.kind, user.userName], [orgId, "human", "rita@example.test"]);
  const { displayName, preferredLanguage, emailVerified, passwordChangedAt } = user.profile!;
  assert.deepEqual([displayName, preferredLanguage, emailVerified], [
    "Rita Registered",
    "de",
    false,
  ]);
  assert.ok(passwordChangedAt);

  const wrong = (error: unknown) => codeRefusal(error) === "wrong";
  await assert.rejects(s.login.verifyEmail(userId, "XXXXXX"), wrong);
  await s.login.verifyEmail(userId, emailCode!);
  await assert.rejects(s.login.verifyEmail(userId, emailCode!), wrong);
  await s.settle();
  assert.equal((await s.login.getUser(userId))?.profile?.emailVerified, true);
  const counts = await s.countEvents(orgId);
  assert.deepEqual(
    ["code.added", "verification.failed"].map((type) => counts[`user.human.email.${type}`]),
    [1, 2],
  );
});

Deno.test("a name that is taken in the organization is refused; a weak password by its rule", async () => {
  const s = open();
  const { orgId, userName } = await s.tenant("taken");
  await assert.rejects(
    register(s, orgId, { userName }),
    refusedAs("already_exists", "V3-DKcYh"),
  );
  const rules = [
    ["Sh0rt-x", "length"],
    ["no-upper-1", "uppercase"],
    ["NO-LOWER-1", "lowercase"],
    ["No-Number", "number"],
    ["NoSymbol1", "symbol"],
  ] as const;
  for (const [weak, rule] of rules) {
    await assert.rejects(
      register(s, orgId, { password: weak }),
      (error) => passwordRefusal(error) === rule,
      weak,
    );
  }
  assert.deepEqual(await s.login.findUsers({ orgId, loginName: "rita@example.test" }), []);
});

Deno.test("a profile changes by what is given, and only that", async () => {
  const s = open();
  const { userId, orgId } = await s.tenant("profile");
  await s.login.updateProfile(userId, { familyName: "Changed", preferredLanguage: "ar" });
  await s.settle();
  const { profile } = (await s.login.getUser(userId))!;
  assert.deepEqual(
    [profile?.givenName, profile?.familyName, profile?.displayName, profile?.preferredLanguage],
    ["profile", "Changed", "profile Changed", "ar"],
  );
  assert.equal((await s.countEvents(orgId))["user.human.profile.changed"], 1);
  await s.login.updateProfile(userId, {});
});

Deno.test("a changed address is unverified until its newest code is shown", async () => {
  const s = open();
  const { userId, orgId } = await s.tenant("address");
  const first = await s.login.changeEmail(userId, "new@example.test");
  await s.settle();
  const { profile } = (await s.login.getUser(userId))!;
  assert.deepEqual([profile?.email, profile?.emailVerified], ["new@example.test", false]);
  const second = await s.login.newEmailCode(userId);
  await assert.rejects(
    s.login.verifyEmail(userId, first),
    (error) => codeRefusal(error) === "wrong",
  );
  await s.login.verifyEmail(userId, second);
  await assert.rejects(
    s.login.changeEmail(userId, "new@example.test"),
    (error) => isZitadelError(error, "failed_precondition"),
  );
  const counts = await s.countEvents(orgId);
  assert.equal(counts["user.human.email.changed"], 1);
});

Deno.test("a forgotten password is set by a code, once, and by the organization's rules", async () => {
  const s = open();
  const { userId, orgId } = await s.tenant("forgot");
  const set = (verificationCode: string, newPassword = "Other-Horse-8") =>
    s.login.setPassword({ userId, newPassword, verificationCode });
  await assert.rejects(set("XXXXXX"), (error) => codeRefusal(error) === "none");
  const [old, code] = [
    await s.login.requestPasswordReset(userId),
    await s.login.requestPasswordReset(userId),
  ];
  await assert.rejects(set(old), (error) => codeRefusal(error) === "wrong");
  await assert.rejects(set(code, "weak"), (error) => passwordRefusal(error) === "length");
  await set(code); // a refusal of the new password spends no code
  await assert.rejects(set(code), (error) => codeRefusal(error) === "none");
  await s.login.createSession({ userId, password: "Other-Horse-8", lifetimeSeconds });
  await assert.rejects(s.session(userId), (error) => signInRefusal(error) === "wrong_password");
  const counts = await s.countEvents(orgId);
  assert.deepEqual(
    ["code.added", "changed"].map((type) => counts[`user.human.password.${type}`]),
    [2, 1],
  );
});

Deno.test("a password changes by the old one: wrong, unchanged and missing are told apart", async () => {
  const s = open();
  const { userId, orgId } = await s.tenant("old");
  const set = (currentPassword: string, newPassword: string, who = userId) =>
    s.login.setPassword({ userId: who, currentPassword, newPassword });
  await assert.rejects(
    set("Wrong-Horse-7", "Other-Horse-8"),
    (error) => signInRefusal(error) === "wrong_password",
  );
  await assert.rejects(set(password, password), (error) => passwordRefusal(error) === "unchanged");
  const { userId: without } = await register(s, orgId);
  await assert.rejects(
    set(password, "Other-Horse-8", without),
    (error) => signInRefusal(error) === "no_password",
  );
  await s.provisioner.setPassword(userId, "Forced-Horse-9", { changeRequired: true });
  await s.settle();
  assert.equal((await s.login.getUser(userId))?.profile?.passwordChangeRequired, true);
  await set("Forced-Horse-9", "Other-Horse-8");
  await s.settle();
  assert.equal((await s.login.getUser(userId))?.profile?.passwordChangeRequired, false);
  await assert.rejects(
    set("", "Other-Horse-8"),
    TypeError,
    "nobody's word is taken instead of a proof",
  );
});

Deno.test("an invitation is for somebody without credentials, proves the address, and leads to a first password", async () => {
  const s = open();
  const { orgId, userId: equipped } = await s.tenant("invite");
  await assert.rejects(
    s.login.createInvite(equipped),
    refusedAs("failed_precondition", "COMMAND-EF34g"),
  );
  const { userId } = await register(s, orgId);
  const [old, code] = [await s.login.createInvite(userId), await s.login.createInvite(userId)];
  const wrong = (error: unknown) => codeRefusal(error) === "wrong";
  await assert.rejects(s.login.verifyInvite(userId, old), wrong);
  await s.login.verifyInvite(userId, code);
  await assert.rejects(s.login.verifyInvite(userId, code), wrong);
  await s.settle();
  assert.equal((await s.login.getUser(userId))?.profile?.emailVerified, true);
  const verificationCode = await s.login.requestPasswordReset(userId);
  await s.login.setPassword({ userId, newPassword: password, verificationCode });
  await s.session(userId);
  const counts = await s.countEvents(orgId);
  assert.deepEqual(
    ["code.added", "check.failed", "check.succeeded"].map((type) =>
      counts[`user.human.invite.${type}`]
    ),
    [2, 2, 1],
  );
});

Deno.test("codes end after their generator's time", async () => {
  const s = open();
  const { userId } = await s.tenant("expiry");
  const types = ["VERIFY_EMAIL_CODE", "PASSWORD_RESET_CODE", "OTP_EMAIL"];
  const path = (type: string) => `/admin/v1/secretgenerators/SECRET_GENERATOR_TYPE_${type}`;
  const read = async (type: string) =>
    (await s.asProvisioner.rest<{ secretGenerator: { expiry: string } }>("GET", path(type)))
      .secretGenerator;
  const before = await Promise.all(types.map(read));
  const write = async (type: string, values: object) => {
    const { generatorType: _path, details: _read, ...rest } = values as Record<string, unknown>;
    await s.asProvisioner.rest("PUT", path(type), rest);
  };
  await s.login.addOtpEmail(userId);
  const { sessionId } = await s.session(userId);
  try {
    for (const [at, type] of types.entries()) {
      await write(type, { ...before[at], expiry: "0.001s" });
    }
    const reset = await s.login.requestPasswordReset(userId);
    const email = await s.login.newEmailCode(userId);
    const { challenges } = await s.login.setSession({
      sessionId,
      challenges: { otpEmail: true },
    });
    await assert.rejects(
      s.login.setPassword({ userId, newPassword: "Other-Horse-8", verificationCode: reset }),
      (error) => codeRefusal(error) === "expired",
    );
    await assert.rejects(
      s.login.verifyEmail(userId, email),
      (error) => codeRefusal(error) === "wrong",
    );
    await assert.rejects(
      s.login.setSession({ sessionId, otpEmail: challenges.otpEmailCode! }),
      (error) => codeRefusal(error) === "expired",
    );
  } finally {
    for (const [at, type] of types.entries()) await write(type, before[at]!);
  }
});

Deno.test("who said later to a second factor is remembered", async () => {
  const s = open();
  const { userId } = await s.tenant("later");
  assert.equal((await s.login.getUser(userId))?.profile?.mfaInitSkippedAt, undefined);
  await s.login.skipMfaInit(userId);
  await s.settle();
  assert.ok((await s.login.getUser(userId))?.profile?.mfaInitSkippedAt);
});
