// Passkeys and security keys, with an authenticator of our own: registered, shown to sessions, refused, removed.
import assert from "node:assert/strict";
import { codeRefusal, webAuthnRefused } from "../../functions/_shared/zitadel/refusals.ts";
import { isZitadelError, ZitadelError } from "../../functions/_shared/zitadel/errors.ts";
import type { OtherFactor } from "../../functions/_shared/zitadel/types.ts";
import { Authenticator } from "../support/authenticator.ts";
import { type Suite, suite } from "./support.ts";

const open = suite();
const lifetimeSeconds = 600;
const domain = "login.example.test";
const origin = `https://${domain}`;
const challenges = { webAuthn: { domain, userVerification: "required" as const } };

async function passkeyOf(s: Suite, userId: string, name = "a phone") {
  const authenticator = await Authenticator.create();
  const { passkeyId, options } = await s.login.startPasskey(userId, { domain });
  const credential = await authenticator.register(options, { origin });
  await s.login.finishPasskey(userId, { passkeyId, name, credential });
  await s.settle();
  return { authenticator, passkeyId, options };
}

const webAuthnOf = (factors: OtherFactor[]) =>
  factors.find((factor) => factor.kind === "web_authn");

Deno.test("a passkey is registered in two steps and signs in alone, with the person verified", async () => {
  const s = open();
  const { userId, orgId } = await s.tenant("passkey");
  const { authenticator, passkeyId, options } = await passkeyOf(s, userId);
  assert.equal(options.rp.id, domain);
  assert.equal(options.authenticatorSelection?.userVerification, "required");
  assert.deepEqual(await s.login.listPasskeys(userId), [
    { id: passkeyId, name: "a phone", ready: true },
  ]);
  assert.deepEqual((await s.login.authenticationMethods(userId)).toSorted(), [
    "passkey",
    "password",
  ]);

  const started = await s.login.createSession({ userId, challenges, lifetimeSeconds });
  const asked = started.challenges.webAuthn!;
  assert.deepEqual([asked.rpId, asked.userVerification], [domain, "required"]);
  const webAuthn = await authenticator.sign(asked, { origin });
  const { sessionId, sessionToken } = await s.login.setSession({
    sessionId: started.sessionId,
    webAuthn,
  });
  assert.notEqual(sessionToken, started.sessionToken);
  await s.settle();
  const session = await s.login.getSession({ sessionId, sessionToken });
  assert.equal(webAuthnOf(session.otherFactors)?.userVerified, true);
  assert.equal(session.passwordVerifiedAt, undefined);

  const types = (await s.eventsOf(orgId)).map((event) => event.type);
  assert.ok(types.includes("user.human.passwordless.token.verified"));
});

Deno.test("an answer is good once, and only to the newest challenge of its own session", async () => {
  const s = open();
  const { userId } = await s.tenant("replay");
  const { authenticator } = await passkeyOf(s, userId);
  const start = () => s.login.createSession({ userId, challenges, lifetimeSeconds });
  const [one, other] = [await start(), await start()];
  const answer = await authenticator.sign(one.challenges.webAuthn!, { origin });
  await assert.rejects(
    s.login.setSession({ sessionId: other.sessionId, webAuthn: answer }),
    webAuthnRefused,
  );
  const again = await s.login.setSession({ sessionId: one.sessionId, challenges });
  await assert.rejects(
    s.login.setSession({ sessionId: one.sessionId, webAuthn: answer }),
    webAuthnRefused,
  );
  const newer = await authenticator.sign(again.challenges.webAuthn!, { origin });
  await s.login.setSession({ sessionId: one.sessionId, webAuthn: newer });
  await assert.rejects(
    s.login.setSession({ sessionId: one.sessionId, webAuthn: newer }),
    (error) => isZitadelError(error, "failed_precondition", "COMMAND-Ioqu5"),
  );
});

Deno.test("another relying party, an unverified person, a stranger's key: refused, and the session stays as it was", async () => {
  const s = open();
  const { userId } = await s.tenant("wrong");
  const { authenticator } = await passkeyOf(s, userId);
  const stranger = await Authenticator.create();
  const started = await s.login.createSession({ userId, challenges, lifetimeSeconds });
  const asked = started.challenges.webAuthn!;
  const bad = [
    await authenticator.sign(asked, { origin, rpId: "evil.example.test" }),
    await authenticator.sign(asked, { origin, verified: false }),
    await stranger.sign(asked, { origin }),
    { ...await stranger.sign(asked, { origin }), id: await idOf(authenticator) },
  ];
  for (const webAuthn of bad) {
    await assert.rejects(
      s.login.setSession({ sessionId: started.sessionId, webAuthn }),
      (error) => webAuthnRefused(error) && error instanceof ZitadelError && !error.retryable,
    );
  }
  const session = await s.login.getSession(started); // its token lives: nothing was changed
  assert.deepEqual(session.otherFactors, []);
});

const idOf = async (authenticator: Authenticator) =>
  (await authenticator.sign({ challenge: "AAAA" }, { origin })).id;

Deno.test("the origin is not ZITADEL's to judge: callers must look at it themselves", async () => {
  const s = open();
  const { userId } = await s.tenant("origin");
  const { authenticator } = await passkeyOf(s, userId);
  const started = await s.login.createSession({ userId, challenges, lifetimeSeconds });
  const webAuthn = await authenticator.sign(started.challenges.webAuthn!, {
    origin: "https://evil.example.test",
  });
  await s.login.setSession({ sessionId: started.sessionId, webAuthn });
});

Deno.test("a passkey needs a person who is verified already when it is registered", async () => {
  const s = open();
  const { userId } = await s.tenant("unverified");
  const authenticator = await Authenticator.create();
  const { passkeyId, options } = await s.login.startPasskey(userId, { domain });
  const credential = await authenticator.register(options, { origin, verified: false });
  await assert.rejects(
    s.login.finishPasskey(userId, { passkeyId, name: "x", credential }),
    webAuthnRefused,
  );
  await s.settle();
  assert.deepEqual(await s.login.authenticationMethods(userId), ["password"]);
});

Deno.test("a registration that is begun anew replaces the one before; a finished one is not asked for again", async () => {
  const s = open();
  const { userId } = await s.tenant("anew");
  const first = await Authenticator.create();
  const begun = await s.login.startPasskey(userId, { domain });
  const { authenticator } = await passkeyOf(s, userId);
  const late = await first.register(begun.options, { origin });
  await assert.rejects(
    s.login.finishPasskey(userId, { passkeyId: begun.passkeyId, name: "late", credential: late }),
    webAuthnRefused,
  );
  const { options } = await s.login.startPasskey(userId, { domain });
  assert.deepEqual(options.excludeCredentials?.map(({ id }) => id), [await idOf(authenticator)]);
});

Deno.test("a code for registering a passkey is good once and for nobody else", async () => {
  const s = open();
  const [a, e] = [await s.tenant("codea"), await s.tenant("codee")];
  const users = "zitadel.user.v2.UserService";
  const link = (userId: string) =>
    s.asLoginClient.connect<{ code: object }>(users, "CreatePasskeyRegistrationLink", {
      userId,
      returnCode: {},
    });
  const register = (userId: string, code: object) =>
    s.asLoginClient.connect(users, "RegisterPasskey", { userId, code, domain });
  const { code } = await link(a.userId);
  await assert.rejects(register(e.userId, code), (error) => codeRefusal(error) === "wrong");
  await register(a.userId, code);
  await assert.rejects(register(a.userId, code), (error) => codeRefusal(error) === "wrong");
});

Deno.test("a removed passkey signs nobody in; removing it again is not_found", async () => {
  const s = open();
  const { userId, orgId } = await s.tenant("removed");
  const { authenticator, passkeyId } = await passkeyOf(s, userId);
  const started = await s.login.createSession({ userId, challenges, lifetimeSeconds });
  await s.login.removePasskey(userId, passkeyId);
  const webAuthn = await authenticator.sign(started.challenges.webAuthn!, { origin });
  await assert.rejects(
    s.login.setSession({ sessionId: started.sessionId, webAuthn }),
    webAuthnRefused,
  );
  await assert.rejects(
    s.login.createSession({ userId, challenges, lifetimeSeconds }),
    webAuthnRefused,
  );
  await assert.rejects(
    s.login.removePasskey(userId, passkeyId),
    (error) => isZitadelError(error, "not_found", "COMMAND-DAfb2"),
  );
  await s.settle();
  assert.deepEqual(await s.login.listPasskeys(userId), []);
  const types = (await s.eventsOf(orgId)).map((event) => event.type);
  assert.ok(types.includes("user.human.passwordless.token.removed"));
});

Deno.test("a security key is a second factor: no verification, never a passkey, and the other way round", async () => {
  const s = open();
  const { userId, orgId } = await s.tenant("u2f");
  const key = await Authenticator.create();
  const { u2fId, options } = await s.login.startU2f(userId, { domain });
  assert.equal(options.authenticatorSelection?.userVerification, "discouraged");
  await s.settle();
  assert.deepEqual(await s.login.listU2f(userId), [{ id: u2fId, name: "", ready: false }]);
  const credential = await key.register(options, { origin, verified: false });
  await s.login.finishU2f(userId, { u2fId, name: "a key", credential });
  await s.settle();
  assert.deepEqual(await s.login.listU2f(userId), [{ id: u2fId, name: "a key", ready: true }]);
  assert.deepEqual(await s.login.listPasskeys(userId), []);

  const session = await s.session(userId);
  await assert.rejects(
    s.login.setSession({ sessionId: session.sessionId, challenges }),
    webAuthnRefused,
  );
  const asked = await s.login.setSession({
    sessionId: session.sessionId,
    challenges: { webAuthn: { domain, userVerification: "discouraged" } },
  });
  const webAuthn = await key.sign(asked.challenges.webAuthn!, { origin, verified: false });
  const done = await s.login.setSession({ sessionId: session.sessionId, webAuthn });
  await s.settle();
  const { otherFactors, passwordVerifiedAt } = await s.login.getSession(done);
  assert.ok(passwordVerifiedAt);
  assert.equal(webAuthnOf(otherFactors)?.userVerified, false);

  await s.login.removeU2f(userId, u2fId);
  await s.settle();
  assert.deepEqual(await s.login.listU2f(userId), []);
  const types = (await s.eventsOf(orgId)).map((event) => event.type);
  for (const type of ["verified", "removed"]) {
    assert.ok(types.includes(`user.human.mfa.u2f.token.${type}`), type);
  }
});
