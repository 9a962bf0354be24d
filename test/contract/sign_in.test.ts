// Sessions, the once-only callback, who gets a code at all.
import assert from "node:assert/strict";
import { isZitadelError, ZitadelError } from "../../functions/_shared/zitadel/errors.ts";
import { signInRefusal } from "../../functions/_shared/zitadel/refusals.ts";
import { password, suite } from "./support.ts";

const open = suite();
const lifetimeSeconds = 600;

Deno.test("a user is found by login name, by user name and by e-mail, in one organization only", async () => {
  const s = open();
  const [a, e] = [await s.tenant("finda"), await s.tenant("finde")];
  const { primaryDomain } = (await s.provisioner.getOrganization(a.orgId))!;
  for (const loginName of ["finda", "FINDA", `finda@${primaryDomain}`]) {
    const found = await s.login.findUsers({ orgId: a.orgId, loginName });
    assert.deepEqual(found.map((user) => user.id), [a.userId], loginName);
    assert.deepEqual(found[0]?.loginNames, [`finda@${primaryDomain}`]);
  }
  const byEmail = { orgId: a.orgId, loginName: "finda@example.test" };
  assert.equal((await s.login.findUsers(byEmail)).length, 0);
  assert.equal((await s.login.findUsers({ ...byEmail, byEmail: true })).length, 1);
  assert.equal((await s.login.findUsers({ orgId: e.orgId, loginName: "finda" })).length, 0);
  assert.deepEqual(await s.login.authenticationMethods(a.userId), ["password"]);
});

Deno.test("the same user name lives in two organizations", async () => {
  const s = open();
  const [a, e] = [await s.tenant("alice"), await s.tenant("alice")];
  assert.notEqual(a.userId, e.userId);
  for (const { orgId, userId } of [a, e]) {
    const [user, ...more] = await s.login.findUsers({ orgId, loginName: "alice" });
    assert.deepEqual([user?.id, more.length], [userId, 0]);
  }
});

Deno.test("a wrong password says how many there were; the right one starts a session that knows it", async () => {
  const s = open();
  const { userId, orgId } = await s.tenant("password");
  for (const failedAttempts of [1, 2]) {
    await assert.rejects(
      s.login.createSession({ userId, password: "Wrong-Horse-7", lifetimeSeconds }),
      (error) =>
        isZitadelError(error, "invalid_argument", "COMMAND-3M0fs") &&
        error.failedAttempts === failedAttempts && signInRefusal(error) === "wrong_password",
    );
  }
  const session = await s.session(userId);
  const { user, passwordVerifiedAt, expiresAt } = await s.login.getSession(session);
  assert.deepEqual([user?.id, user?.orgId], [userId, orgId]);
  assert.ok(passwordVerifiedAt && expiresAt);
  const types = (await s.eventsOf(orgId)).map((event) => event.type);
  assert.equal(types.filter((type) => type === "user.human.password.check.failed").length, 2);
});

Deno.test("a session that only knows its user is no proof of a password", async () => {
  const s = open();
  const { userId } = await s.tenant("bare");
  const session = await s.login.createSession({ userId, lifetimeSeconds });
  assert.equal((await s.login.getSession(session)).passwordVerifiedAt, undefined);
  const checked = await s.login.setSession({ sessionId: session.sessionId, password });
  await s.settle();
  assert.ok((await s.login.getSession(checked)).passwordVerifiedAt);
});

Deno.test("each change of a session makes a new token and ends the old", async () => {
  const s = open();
  const { userId } = await s.tenant("rotate");
  const first = await s.session(userId);
  const second = await s.login.setSession({ sessionId: first.sessionId, lifetimeSeconds: 1200 });
  assert.notEqual(first.sessionToken, second.sessionToken);
  await s.login.getSession(second);
  await assert.rejects(
    s.login.getSession(first),
    (error) => isZitadelError(error, "permission_denied"),
  );
  await assert.rejects(
    s.login.deleteSession(first),
    (error) => isZitadelError(error, "permission_denied"),
  );
  await s.login.deleteSession(second);
});

Deno.test("too many wrong passwords lock the user until somebody unlocks", async () => {
  const s = open();
  const { userId, orgId } = await s.tenant("lockout");
  await s.asProvisioner.rest(
    "POST",
    "/management/v1/policies/lockout",
    { maxPasswordAttempts: 2 },
    { orgId },
  );
  await s.settle();
  assert.equal((await s.login.lockoutSettings(orgId)).maxPasswordAttempts, 2);
  const bare = await s.login.createSession({ userId, lifetimeSeconds });
  const wrong = () => s.login.createSession({ userId, password: "Wrong-Horse-7", lifetimeSeconds });
  await assert.rejects(wrong());
  await assert.rejects(wrong());
  await s.settle();
  await assert.rejects(s.session(userId), (error) => signInRefusal(error) === "inactive");
  await assert.rejects(
    s.login.setSession({ sessionId: bare.sessionId, password }),
    (error) => signInRefusal(error) === "locked",
  );
  assert.equal((await s.login.getUser(userId))?.state, "locked");
  await s.asProvisioner.connect("zitadel.user.v2.UserService", "UnlockUser", { userId });
  await s.settle();
  await s.session(userId);
});

Deno.test("a user who was switched off gets no session", async () => {
  const s = open();
  const { userId } = await s.tenant("off");
  await s.provisioner.ensureUserState(userId, "inactive");
  await s.settle();
  await assert.rejects(
    s.session(userId),
    (error) => isZitadelError(error, "failed_precondition", "SESSION-Gj4ko"),
  );
});

Deno.test("an unknown user is not_found", async () => {
  await assert.rejects(open().session("nobody"), (error) => isZitadelError(error, "not_found"));
  assert.equal(await open().login.getUser("nobody"), null);
});

Deno.test("an auth request carries what the application asked for", async () => {
  const s = open();
  const tenant = await s.tenant("request");
  const { authRequestId, status } = await s.authorize(tenant, {
    scope: `openid urn:zitadel:iam:org:id:${tenant.orgId}`,
    prompt: "select_account create",
    login_hint: "request",
    max_age: "60",
    ui_locales: "de en",
  });
  assert.equal(status, 302);
  assert.match(authRequestId, /^V2_\d+$/);
  const request = await s.login.getAuthRequest(authRequestId);
  assert.deepEqual(
    [
      request.clientId,
      request.orgId,
      request.prompts,
      request.loginHint,
      request.maxAgeSeconds,
      request.uiLocales,
    ],
    [tenant.clientId, tenant.orgId, ["select_account", "create"], "request", 60, ["de", "en"]],
  );
  const fresh = await s.authorize(tenant, { prompt: "login", max_age: "60" });
  const { prompts, maxAgeSeconds } = await s.login.getAuthRequest(fresh.authRequestId);
  assert.deepEqual([prompts, maxAgeSeconds], [["login"], 0]);
  const silent = await s.authorize(tenant, { prompt: "none" });
  assert.deepEqual((await s.login.getAuthRequest(silent.authRequestId)).prompts, ["none"]);
  const both = await s.authorize(tenant, { prompt: "none login" });
  assert.equal(new URL(both.location).searchParams.get("error"), "invalid_request");
});

Deno.test("a callback is given once", async () => {
  const s = open();
  const tenant = await s.tenant("once");
  const { authRequestId } = await s.authorize(tenant);
  const session = await s.session(tenant.userId);
  const { callbackUrl } = await s.login.createCallback(authRequestId, session);
  const url = new URL(callbackUrl);
  assert.ok(url.searchParams.get("code"));
  assert.equal(url.searchParams.get("state"), "a-state");
  await assert.rejects(
    s.login.createCallback(authRequestId, session),
    (error) => isZitadelError(error, "failed_precondition", "COMMAND-Sx208nt"),
  );
});

Deno.test("a refusal goes back to the application as OAuth words it", async () => {
  const s = open();
  const { authRequestId } = await s.authorize(await s.tenant("refusal"));
  const { callbackUrl } = await s.login.createCallback(authRequestId, {
    error: "access_denied",
    description: "not today",
  });
  const { searchParams } = new URL(callbackUrl);
  assert.deepEqual(
    [searchParams.get("error"), searchParams.get("error_description"), searchParams.get("state")],
    ["access_denied", "not today", "a-state"],
  );
});

Deno.test("an auth request nobody made is not_found, for the login client", async () => {
  const s = open();
  const { sessionId, sessionToken } = await s.session((await s.tenant("unknown")).userId);
  await assert.rejects(
    s.login.getAuthRequest("V2_1"),
    (error) => isZitadelError(error, "not_found"),
  );
  await assert.rejects(
    s.login.createCallback("V2_1", { sessionId, sessionToken }),
    (error) => isZitadelError(error, "not_found", "COMMAND-jae5P"),
  );
});

Deno.test("eve of another organization gets no code for this one's application", async () => {
  const s = open();
  const [acme, evil] = [await s.tenant("acme"), await s.tenant("evil")];
  const { authRequestId } = await s.authorize(acme);
  await assert.rejects(
    s.login.createCallback(authRequestId, await s.session(evil.userId)),
    (error) => isZitadelError(error, "permission_denied", "OIDC-foSyH49RvL"),
  );
  const scoped = await s.authorize(acme, { scope: `openid urn:zitadel:iam:org:id:${acme.orgId}` });
  await assert.rejects(
    s.login.createCallback(scoped.authRequestId, await s.session(evil.userId)),
    (error) => error instanceof ZitadelError && error.id === "COMMAND-59ljd",
  );
});

Deno.test("where an authorization is required, only who has one gets a code", async () => {
  const s = open();
  const { clientId, orgId, projectId, userId } = await s.tenant("grants", {
    authorizationRequired: true,
  });
  const { authRequestId } = await s.authorize({ clientId });
  await assert.rejects(
    s.login.createCallback(authRequestId, await s.session(userId)),
    (error) => isZitadelError(error, "permission_denied", "OIDC-foSyH49RvL"),
  );
  await s.provisioner.ensureRoles(projectId, [{ key: "member", displayName: "Member" }]);
  await s.provisioner.ensureAuthorization({ userId, projectId, orgId, roleKeys: ["member"] });
  await s.settle();
  const { callbackUrl } = await s.login.createCallback(authRequestId, await s.session(userId));
  assert.ok(new URL(callbackUrl).searchParams.get("code"));
});

Deno.test("a dead session token links nothing", async () => {
  const s = open();
  const tenant = await s.tenant("dead");
  const { authRequestId } = await s.authorize(tenant);
  const old = await s.session(tenant.userId);
  await s.login.setSession({ sessionId: old.sessionId, lifetimeSeconds });
  await assert.rejects(
    s.login.createCallback(authRequestId, old),
    (error) => isZitadelError(error, "permission_denied"),
  );
});

Deno.test("the login client sets a password with the old one, by the organization's rules", async () => {
  const s = open();
  const { userId } = await s.tenant("change");
  await assert.rejects(
    s.login.setPassword({ userId, newPassword: "Other-Horse-8", currentPassword: "Wrong-1-x" }),
  );
  await s.login.setPassword({ userId, newPassword: "Other-Horse-8", currentPassword: password });
  await s.login.createSession({ userId, password: "Other-Horse-8", lifetimeSeconds });
  await assert.rejects(
    s.login.setPassword({ userId, newPassword: "short", currentPassword: "Other-Horse-8" }),
    (error) => isZitadelError(error, "invalid_argument"),
  );
});
