// Ends of sessions, and the two ways in and out that a sign-in page of its own needs.
import assert from "node:assert/strict";
import { createLocalJWKSet, decodeJwt, jwtVerify } from "jose";
import { isZitadelError } from "../../functions/_shared/zitadel/errors.ts";
import { fetchJwks } from "../../functions/_shared/zitadel/keys.ts";
import { postLogoutUri, suite, type Tenant } from "./support.ts";

const open = suite();
const features = "zitadel.feature.v2.FeatureService";

const refresh = async ({ clientId }: Tenant, token: string) => {
  const response = await open().exchange({
    grant_type: "refresh_token",
    client_id: clientId,
    refresh_token: token,
  });
  const { error } = await response.json();
  return [response.status, error];
};

Deno.test("whoever's session was ended refreshes nothing; another session of theirs goes on", async () => {
  const s = open();
  const tenant = await s.tenant("ended");
  const [one, other] = [
    await s.signIn(tenant, tenant.userId),
    await s.signIn(tenant, tenant.userId),
  ];
  await s.login.deleteSession({ sessionId: String(decodeJwt(one.id_token).sid) });
  assert.deepEqual(await refresh(tenant, one.refresh_token!), [400, "invalid_grant"]);
  assert.deepEqual(await refresh(tenant, other.refresh_token!), [200, undefined]);
});

Deno.test("nobody refreshes beyond the lifetime of the session", async () => {
  const s = open();
  const tenant = await s.tenant("lifetime");
  const tokens = await s.signIn(tenant, tenant.userId);
  const sessionId = String(decodeJwt(tokens.id_token).sid);
  await s.asLoginClient.connect("zitadel.session.v2.SessionService", "SetSession", {
    sessionId,
    lifetime: "0.001s",
  });
  assert.deepEqual(await refresh(tenant, tokens.refresh_token!), [400, "invalid_grant"]);
});

Deno.test("sessions are found by user and by id, live ones only, newest first", async () => {
  const s = open();
  const [a, e] = [await s.tenant("searcha"), await s.tenant("searche")];
  const userAgent = { fingerprintId: "f", ip: "203.0.113.7", description: "a browser" };
  const first = await s.login.createSession({ userId: a.userId, lifetimeSeconds: 600, userAgent });
  const second = await s.session(a.userId);
  const strange = await s.session(e.userId);
  await s.settle();
  const ids = async (by: Parameters<typeof s.login.searchSessions>[0]) =>
    (await s.login.searchSessions(by)).map(({ id }) => id);
  assert.deepEqual(await ids({ userId: a.userId }), [second.sessionId, first.sessionId]);
  assert.deepEqual(
    (await ids({ ids: [first.sessionId, strange.sessionId, "no-session"] })).toSorted(),
    [first.sessionId, strange.sessionId].toSorted(),
  );
  assert.deepEqual(await ids({ ids: [] }), []);
  const found = (await s.login.searchSessions({ ids: [first.sessionId] }))[0]!;
  assert.deepEqual([found.userAgent, found.user?.orgId], [userAgent, a.orgId]);
  await s.login.deleteSession({ sessionId: second.sessionId });
  await s.asLoginClient.connect("zitadel.session.v2.SessionService", "CreateSession", {
    checks: { user: { userId: a.userId } },
    lifetime: "0.001s", // over before anybody looks
  });
  await s.settle();
  assert.deepEqual(await ids({ userId: a.userId }), [first.sessionId]);
  await assert.rejects(
    s.login.setSession({ sessionId: second.sessionId, password: "any" }),
    (error) => isZitadelError(error, "failed_precondition"),
  );
});

Deno.test("a sign-out that names nobody goes to the sign-in page, with a token that says what was asked", async () => {
  const s = open();
  const tenant = await s.tenant("nobody");
  const baseUri = "https://login.example.test/prefix";
  await withLoginV2({ required: true, baseUri }, async () => {
    const query = new URLSearchParams({
      client_id: tenant.clientId,
      post_logout_redirect_uri: postLogoutUri,
      state: "bye",
      logout_hint: "alice",
      ui_locales: "de en",
    });
    const response = await fetch(`${s.instance.url}/oidc/v1/end_session?${query}`, {
      redirect: "manual",
    });
    await response.body?.cancel();
    const page = new URL(response.headers.get("location")!);
    assert.equal(page.origin + page.pathname, `${baseUri}/logout`);
    assert.equal(page.searchParams.get("post_logout_redirect"), `${postLogoutUri}?state=bye`);
    const keys = createLocalJWKSet({ keys: await fetchJwks(s.instance.config("provisioner")) });
    const { payload } = await jwtVerify(page.searchParams.get("logout_token")!, keys, {
      issuer: s.instance.issuer,
      algorithms: ["RS256"],
    });
    assert.equal(payload.post_logout_redirect_uri, `${postLogoutUri}?state=bye`);
    assert.deepEqual([payload.logout_hint, payload.ui_locales], ["alice", ["de", "en"]]);

    query.set("post_logout_redirect_uri", "https://evil.example/");
    const evil = await fetch(`${s.instance.url}/oidc/v1/end_session?${query}`, {
      redirect: "manual",
    });
    await evil.body?.cancel();
    assert.equal(evil.status, 400);
  });
});

Deno.test("who names a login client gets an auth request for it, whatever the application's login version", async () => {
  const s = open();
  const tenant = await s.tenant("version");
  const { applicationId, projectId } = tenant;
  await s.asProvisioner.connect("zitadel.application.v2.ApplicationService", "UpdateApplication", {
    applicationId,
    projectId,
    oidcConfiguration: {
      responseTypes: ["OIDC_RESPONSE_TYPE_CODE"],
      grantTypes: ["OIDC_GRANT_TYPE_AUTHORIZATION_CODE", "OIDC_GRANT_TYPE_REFRESH_TOKEN"],
      loginVersion: { loginV1: {} },
    },
  });
  await withLoginV2({ required: false }, async () => {
    assert.equal((await s.authorize(tenant)).authRequestId, "", "ZITADEL's own old page");
    const headers = { "x-zitadel-login-client": "a-login-client" };
    const { authRequestId, status } = await s.authorize(tenant, {}, headers);
    assert.equal(status, 302);
    assert.match(authRequestId, /^V2_/);
    assert.equal((await s.login.getAuthRequest(authRequestId)).clientId, tenant.clientId);
    const { events } = await s.events.listEvents({
      limit: 1000,
      eventTypes: ["auth_request.added"],
    });
    const added = events.find((event) => event.aggregateId === authRequestId)!;
    assert.equal(added.payload.login_client, "a-login-client");
    const session = await s.session(tenant.userId);
    const { callbackUrl } = await s.login.createCallback(authRequestId, session);
    assert.ok(new URL(callbackUrl).searchParams.get("code"));
  });
});

async function withLoginV2(
  loginV2: { required: boolean; baseUri?: string },
  run: () => Promise<void>,
): Promise<void> {
  const { asProvisioner } = open();
  const before = await asProvisioner.connect<{ loginV2: { required?: boolean; baseUri?: string } }>(
    features,
    "GetInstanceFeatures",
    { inheritance: true },
  );
  const { required = false, baseUri } = before.loginV2;
  await asProvisioner.connect(features, "SetInstanceFeatures", { loginV2 });
  try {
    await run();
  } finally {
    await asProvisioner.connect(features, "SetInstanceFeatures", {
      loginV2: { required, ...(baseUri ? { baseUri } : {}) },
    });
  }
}
