// Codes as second factors: of an authenticator application, over e-mail, written down; and the lock that wrong ones make.
import assert from "node:assert/strict";
import { Secret, TOTP } from "otpauth";
import { codeRefusal, signInRefusal } from "../../functions/_shared/zitadel/refusals.ts";
import type { OtherFactor } from "../../functions/_shared/zitadel/types.ts";
import { refusedAs, type Suite, suite } from "./support.ts";

const open = suite();
const stepMs = 30_000;

/** The code of now, or of so many steps later. */
const codeOf = (secret: string, steps = 0) =>
  new TOTP({ secret: Secret.fromBase32(secret) })
    .generate({ timestamp: Date.now() + steps * stepMs });

async function withTotp(s: Suite, userId: string): Promise<string> {
  const { secret } = await s.login.startTotp(userId);
  await s.login.verifyTotp(userId, codeOf(secret));
  return secret;
}

const kinds = (factors: OtherFactor[]) => factors.map(({ kind }) => kind);

Deno.test("TOTP: set up by a first code, then a factor beside the password", async () => {
  const s = open();
  const { userId, orgId } = await s.tenant("totp");
  const { uri } = await s.login.startTotp(userId);
  assert.match(uri, /^otpauth:\/\/totp\//);
  const { secret, uri: newer } = await s.login.startTotp(userId); // an unfinished one is begun anew
  assert.notEqual(uri, newer);
  assert.equal(new URL(newer).searchParams.get("secret"), secret);
  const session = await s.session(userId);
  const check = (totp: string) => s.login.setSession({ sessionId: session.sessionId, totp });
  await assert.rejects(check(codeOf(secret)), (error) => codeRefusal(error) === "none");
  await assert.rejects(
    s.login.verifyTotp(userId, wrongCode(secret)),
    (error) => codeRefusal(error) === "wrong",
  );
  await s.login.verifyTotp(userId, codeOf(secret));
  await assert.rejects(
    s.login.startTotp(userId),
    refusedAs("already_exists", "COMMAND-do9se"),
  );
  await s.settle();
  assert.ok((await s.login.authenticationMethods(userId)).includes("totp"));

  const { sessionId, sessionToken } = await check(codeOf(secret));
  await s.settle();
  const checked = await s.login.getSession({ sessionId, sessionToken });
  assert.deepEqual(kinds(checked.otherFactors), ["totp"]);
  assert.ok(checked.passwordVerifiedAt);
  const counts = await s.countEvents(orgId);
  assert.deepEqual(
    ["added", "verified", "check.succeeded"].map((type) => counts[`user.human.mfa.otp.${type}`]),
    [2, 1, 1],
  );
});

function wrongCode(secret: string): string {
  const near = [-2, -1, 0, 1, 2].map((steps) => codeOf(secret, steps));
  return ["000000", "111111", "222222", "333333", "444444", "555555"]
    .find((code) => !near.includes(code))!;
}

Deno.test("a TOTP code of one step before or after is taken, of three is not, and none twice", async () => {
  const s = open();
  const { userId } = await s.tenant("steps");
  const secret = await withTotp(s, userId);
  const { sessionId } = await s.session(userId);
  const check = (totp: string) => s.login.setSession({ sessionId, totp });
  for (const steps of [-3, 3]) {
    const code = codeOf(secret, steps);
    await assert.rejects(check(code), (error) => codeRefusal(error) === "wrong", `${steps}`);
  }
  const code = codeOf(secret);
  await check(code);
  await assert.rejects(check(code), (error) => codeRefusal(error) === "used");
  await check(codeOf(secret, 1));
});

Deno.test("a removed TOTP is gone, and may be set up anew", async () => {
  const s = open();
  const { userId, orgId } = await s.tenant("totpgone");
  const secret = await withTotp(s, userId);
  await s.login.removeTotp(userId);
  await assert.rejects(s.login.removeTotp(userId), refusedAs("not_found", "COMMAND-Hd9sd"));
  const { sessionId } = await s.session(userId);
  await assert.rejects(
    s.login.setSession({ sessionId, totp: codeOf(secret) }),
    (error) => codeRefusal(error) === "none",
  );
  await s.settle();
  assert.deepEqual(await s.login.authenticationMethods(userId), ["password"]);
  await withTotp(s, userId);
  assert.equal((await s.countEvents(orgId))["user.human.mfa.otp.removed"], 1);
});

Deno.test("codes over e-mail: for a verified address, of the newest challenge, once", async () => {
  const s = open();
  const { userId, orgId } = await s.tenant("otpemail");
  const { sessionId } = await s.session(userId);
  const challenge = async () =>
    (await s.login.setSession({ sessionId, challenges: { otpEmail: true } })).challenges
      .otpEmailCode!;
  const check = (otpEmail: string) => s.login.setSession({ sessionId, otpEmail });
  await assert.rejects(challenge(), refusedAs("failed_precondition", "COMMAND-JKLJ3"));
  await s.login.addOtpEmail(userId);
  await assert.rejects(
    s.login.addOtpEmail(userId),
    refusedAs("already_exists", "COMMAND-MKL2s"),
  );
  await assert.rejects(check("12345678"), (error) => codeRefusal(error) === "none");
  const [old, code] = [await challenge(), await challenge()];
  assert.match(code, /^\d{8}$/);
  await assert.rejects(check(old), (error) => codeRefusal(error) === "wrong");
  const set = await check(code);
  await assert.rejects(check(code), (error) => codeRefusal(error) === "none");
  await s.settle();
  assert.deepEqual(kinds((await s.login.getSession(set)).otherFactors), ["otp_email"]);
  assert.ok((await s.login.authenticationMethods(userId)).includes("otp_email"));
  await s.login.removeOtpEmail(userId);
  await assert.rejects(
    s.login.removeOtpEmail(userId),
    refusedAs("not_found", "COMMAND-b312D"),
  );
  const counts = await s.countEvents(orgId);
  assert.deepEqual(
    ["added", "check.failed", "check.succeeded", "removed"].map((type) =>
      counts[`user.human.mfa.otp.email.${type}`]
    ),
    [1, 1, 1, 1],
  );
});

Deno.test("an address that is not verified gets no codes as a factor", async () => {
  const s = open();
  const { orgId } = await s.tenant("otpunverified");
  const { userId } = await s.login.createUser({
    orgId,
    givenName: "Una",
    familyName: "Test",
    email: "una@example.test",
  });
  await assert.rejects(
    s.login.addOtpEmail(userId),
    refusedAs("failed_precondition", "COMMAND-KLJ2d"),
  );
});

Deno.test("recovery codes: each once, more may be made, all are removed together", async () => {
  const s = open();
  const { userId, orgId } = await s.tenant("recovery");
  const { sessionId } = await s.session(userId);
  const check = (recoveryCode: string) => s.login.setSession({ sessionId, recoveryCode });
  await assert.rejects(check("none-yet"), (error) => codeRefusal(error) === "none");
  const codes = await s.login.makeRecoveryCodes(userId, 3);
  assert.equal(new Set(codes).size, 3);
  await assert.rejects(check("not-one-of"), (error) => codeRefusal(error) === "wrong");
  const set = await check(codes[1]!);
  await assert.rejects(check(codes[1]!), (error) => codeRefusal(error) === "wrong");
  await check(codes[0]!);
  await s.settle();
  assert.deepEqual(kinds((await s.login.getSession({ sessionId })).otherFactors), [
    "recovery_code",
  ]);
  await assert.rejects(s.login.getSession(set)); // its token was replaced by the next
  assert.ok((await s.login.authenticationMethods(userId)).includes("recovery_code"));
  await s.login.makeRecoveryCodes(userId, 2);
  await check(codes[2]!);
  await assert.rejects(
    s.login.makeRecoveryCodes(userId, 100),
    refusedAs("failed_precondition", "COMMAND-8f2k9"),
  );
  await s.login.removeRecoveryCodes(userId);
  await assert.rejects(
    s.login.removeRecoveryCodes(userId),
    refusedAs("failed_precondition", "COMMAND-84rgg"),
  );
  const counts = await s.countEvents(orgId);
  assert.deepEqual(
    ["added", "removed"].map((type) => counts[`user.human.mfa.recoverycode.${type}`]),
    [2, 1],
  );
});

Deno.test("a check that fails leaves the session as it was, the others of its call too", async () => {
  const s = open();
  const { userId, orgId } = await s.tenant("together");
  const secret = await withTotp(s, userId);
  const codes = await s.login.makeRecoveryCodes(userId, 1);
  const session = await s.session(userId);
  const { sessionId } = session;
  await assert.rejects(
    s.login.setSession({ sessionId, totp: codeOf(secret), recoveryCode: "not-one-of" }),
    (error) => codeRefusal(error) === "wrong",
  );
  assert.deepEqual((await s.login.getSession(session)).otherFactors, []);
  await s.login.setSession({ sessionId, totp: codeOf(secret), recoveryCode: codes[0]! });
  const counts = await s.countEvents(orgId);
  assert.equal(counts["user.human.mfa.otp.check.succeeded"], 1);
});

Deno.test("too many wrong codes lock the user, whose other factors are refused too", async () => {
  const s = open();
  const { userId, orgId } = await s.tenant("otplock");
  await s.setPolicy(orgId, "lockout", { maxPasswordAttempts: 0, maxOtpAttempts: 2 });
  assert.equal((await s.login.lockoutSettings(orgId)).maxOtpAttempts, 2);
  const secret = await withTotp(s, userId);
  const codes = await s.login.makeRecoveryCodes(userId, 1);
  const { sessionId } = await s.session(userId);
  for (let attempt = 0; attempt < 2; attempt++) {
    await assert.rejects(
      s.login.setSession({ sessionId, totp: wrongCode(secret) }),
      (error) => codeRefusal(error) === "wrong",
    );
  }
  await assert.rejects(
    s.login.setSession({ sessionId, totp: codeOf(secret) }),
    (error) => codeRefusal(error) === "locked",
  );
  await assert.rejects(
    s.login.setSession({ sessionId, recoveryCode: codes[0]! }),
    (error) => codeRefusal(error) === "locked",
  );
  await assert.rejects(s.session(userId), (error) => signInRefusal(error) === "inactive");
  assert.equal((await s.countEvents(orgId))["user.locked"], 1);
});
