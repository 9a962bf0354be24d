// Tokens as ZITADEL makes them: their exact claims, verified against the published keys.
import assert from "node:assert/strict";
import { createLocalJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify, SignJWT } from "jose";
import { generateKeyPairSync } from "node:crypto";
import { fetchJwks } from "../../functions/_shared/zitadel/keys.ts";
import { postLogoutUri, redirectUri, type Suite, suite } from "./support.ts";

const open = suite();
const sorted = (claims: object) => Object.keys(claims).sort();

async function verified(s: Suite, token: string, audience: string) {
  const keys = createLocalJWKSet({ keys: await fetchJwks(s.instance.config("provisioner")) });
  return await jwtVerify(token, keys, {
    issuer: s.instance.issuer,
    audience,
    algorithms: ["RS256"],
  });
}

Deno.test("an access token names who, for which project's clients, until when; and no e-mail, session or scope", async () => {
  const s = open();
  const tenant = await s.tenant("access");
  const { access_token, expires_in } = await s.signIn(tenant, tenant.userId);
  const { payload, protectedHeader } = await verified(s, access_token, tenant.projectId);
  assert.deepEqual([protectedHeader.typ, protectedHeader.alg], ["JWT", "RS256"]);
  assert.deepEqual(sorted(payload), ["aud", "client_id", "exp", "iat", "iss", "jti", "nbf", "sub"]);
  assert.deepEqual([payload.sub, payload.client_id], [tenant.userId, tenant.clientId]);
  assert.deepEqual([...payload.aud as string[]].sort(), [tenant.clientId, tenant.projectId].sort());
  assert.equal(payload.exp! - payload.iat!, expires_in);
});

Deno.test("another project stands in the audience only when it was asked for", async () => {
  const s = open();
  const [a, b] = [await s.tenant("one"), await s.tenant("two")];
  const scope = `openid urn:zitadel:iam:org:project:id:${b.projectId}:aud`;
  const { access_token } = await s.signIn(a, a.userId, { scope });
  assert.ok((decodeJwt(access_token).aud as string[]).includes(b.projectId));
});

Deno.test("an ID token names session, methods and application, and is bound to its access token", async () => {
  const s = open();
  const tenant = await s.tenant("identity");
  const { id_token } = await s.signIn(tenant, tenant.userId);
  const { payload } = await verified(s, id_token, tenant.clientId);
  for (const claim of ["sid", "amr", "auth_time", "azp", "nonce", "at_hash", "iat", "exp"]) {
    assert.ok(claim in payload, claim);
  }
  assert.deepEqual([payload.azp, payload.nonce, payload.amr], [tenant.clientId, "a-nonce", [
    "pwd",
  ]]);
  assert.equal("email" in payload, false);
});

Deno.test("scopes and roles become ZITADEL's own claims", async () => {
  const s = open();
  const { orgId, projectId, userId, clientId } = await s.tenant("roles");
  await s.provisioner.ensureProject({
    orgId,
    id: projectId,
    name: "roles",
    projectRoleAssertion: true,
    projectAccessRequired: true,
  });
  await s.provisioner.ensureRoles(projectId, [{ key: "admin", displayName: "Admin" }]);
  await s.provisioner.ensureAuthorization({ userId, projectId, orgId, roleKeys: ["admin"] });
  await s.settle();
  const { access_token } = await s.signIn({ clientId }, userId, {
    scope: `openid urn:zitadel:iam:org:id:${orgId} urn:zitadel:iam:user:resourceowner`,
  });
  const claims = decodeJwt(access_token);
  const { primaryDomain, name } = (await s.provisioner.getOrganization(orgId))!;
  assert.deepEqual(claims["urn:zitadel:iam:org:project:roles"], {
    admin: { [orgId]: primaryDomain },
  });
  assert.deepEqual(
    claims[`urn:zitadel:iam:org:project:${projectId}:roles`],
    claims["urn:zitadel:iam:org:project:roles"],
  );
  assert.equal(claims["urn:zitadel:iam:org:id"], orgId);
  assert.equal(claims["urn:zitadel:iam:user:resourceowner:name"], name);
});

Deno.test("a refresh token works once; its successor goes on working", async () => {
  const s = open();
  const tenant = await s.tenant("refresh");
  const first = await s.signIn(tenant, tenant.userId);
  const refresh = (token: string) =>
    s.exchange({ grant_type: "refresh_token", client_id: tenant.clientId, refresh_token: token });
  const second = await (await refresh(first.refresh_token!)).json();
  assert.notEqual(second.refresh_token, first.refresh_token);
  assert.equal(decodeJwt(second.access_token).sub, tenant.userId);
  assert.equal(decodeJwt(second.id_token).sid, decodeJwt(first.id_token).sid);
  const reused = await refresh(first.refresh_token!);
  assert.deepEqual([reused.status, (await reused.json()).error], [400, "invalid_grant"]);
  const third = await refresh(second.refresh_token);
  assert.equal(third.status, 200);
  await third.body?.cancel();
});

Deno.test("without offline_access there is no refresh token; a user switched off cannot refresh", async () => {
  const s = open();
  const tenant = await s.tenant("offline");
  assert.equal(
    (await s.signIn(tenant, tenant.userId, { scope: "openid" })).refresh_token,
    undefined,
  );
  const { refresh_token } = await s.signIn(tenant, tenant.userId);
  await s.provisioner.ensureUserState(tenant.userId, "inactive");
  const response = await s.exchange({
    grant_type: "refresh_token",
    client_id: tenant.clientId,
    refresh_token: refresh_token!,
  });
  assert.equal(response.status, 400);
  await response.body?.cancel();
});

Deno.test("a code needs its verifier, its address and its application, and works once", async () => {
  const s = open();
  const tenant = await s.tenant("code");
  const attempt = async (changes: Record<string, string>, times = 1) => {
    const { authRequestId, verifier } = await s.authorize(tenant);
    const { callbackUrl } = await s.login.createCallback(
      authRequestId,
      await s.session(tenant.userId),
    );
    let status = 0;
    for (let time = 0; time < times; time++) {
      const response = await s.exchange({
        grant_type: "authorization_code",
        client_id: tenant.clientId,
        code: new URL(callbackUrl).searchParams.get("code")!,
        redirect_uri: redirectUri,
        code_verifier: verifier,
        ...changes,
      });
      status = response.status;
      await response.body?.cancel();
    }
    return status;
  };
  assert.equal(await attempt({}), 200);
  assert.equal(await attempt({}, 2), 400);
  assert.equal(await attempt({ code_verifier: "w".repeat(43) }), 400);
  assert.equal(await attempt({ redirect_uri: "http://127.0.0.1:3999/other" }), 400);
  const other = await s.tenant("thief");
  assert.equal(await attempt({ client_id: other.clientId }), 400);
});

Deno.test("a public application must use PKCE, and only its own redirect addresses", async () => {
  const s = open();
  const tenant = await s.tenant("pkce");
  const unregistered = await s.authorize(tenant, { redirect_uri: "http://127.0.0.1:3999/evil" });
  assert.deepEqual([unregistered.status, unregistered.location], [400, ""]);
  const query = new URLSearchParams({
    client_id: tenant.clientId,
    redirect_uri: redirectUri,
    response_type: "code",
    scope: "openid",
    state: "x",
  });
  const response = await fetch(`${s.instance.url}/oauth/v2/authorize?${query}`, {
    redirect: "manual",
  });
  await response.body?.cancel();
  assert.equal(
    new URL(response.headers.get("location")!).searchParams.get("error"),
    "invalid_request",
  );
});

Deno.test("userinfo answers an access token; ending the session by an ID token ends that too", async () => {
  const s = open();
  const tenant = await s.tenant("userinfo");
  const tokens = await s.signIn(tenant, tenant.userId, { scope: "openid profile email" });
  const userinfo = async (token: string) => {
    const response = await fetch(`${s.instance.url}/oidc/v1/userinfo`, {
      headers: { authorization: `Bearer ${token}` },
    });
    return { status: response.status, body: await response.json() };
  };
  const { body } = await userinfo(tokens.access_token);
  assert.deepEqual(
    [body.sub, body.email, body.email_verified, body.given_name],
    [tenant.userId, "userinfo@example.test", true, "userinfo"],
  );
  assert.equal((await userinfo(tokens.id_token)).status, 401, "an ID token is no access token");
  const end = (post: string) =>
    fetch(
      `${s.instance.url}/oidc/v1/end_session?${new URLSearchParams({
        id_token_hint: tokens.id_token,
        post_logout_redirect_uri: post,
        state: "bye",
      })}`,
      { redirect: "manual" },
    );
  const elsewhere = await end("https://evil.example/");
  assert.equal(elsewhere.status, 400);
  await elsewhere.body?.cancel();
  const response = await end(postLogoutUri);
  await response.body?.cancel();
  assert.equal(response.headers.get("location"), `${postLogoutUri}?state=bye`);
  assert.equal((await userinfo(tokens.access_token)).status, 401);
  const sid = decodeJwt(tokens.id_token).sid;
  const { events } = await s.events.listEvents({ limit: 1000, eventTypes: ["session.terminated"] });
  assert.ok(events.some((event) => event.aggregateId === sid));
});

Deno.test("a machine user gets tokens by key and by secret, for the audience it asks for", async () => {
  const s = open();
  const { orgId, projectId } = await s.tenant("machine");
  const userName = `robot-${crypto.randomUUID()}`;
  const { id } = await s.provisioner.ensureMachine({ orgId, userName, name: "Robot" });
  const users = "zitadel.user.v2.UserService";
  const { clientSecret } = await s.asProvisioner.connect<{ clientSecret: string }>(
    users,
    "AddSecret",
    {
      userId: id,
    },
  );
  const scope = `openid urn:zitadel:iam:org:project:id:${projectId}:aud`;
  const bySecret = await (await s.exchange({ grant_type: "client_credentials", scope }, {
    authorization: `Basic ${btoa(`${userName}:${clientSecret}`)}`,
  })).json();
  const { payload } = await verified(s, bySecret.access_token, projectId);
  assert.deepEqual(sorted(payload), ["aud", "client_id", "exp", "iat", "iss", "jti", "nbf", "sub"]);
  assert.deepEqual([payload.sub, payload.client_id, payload.aud], [id, userName, [projectId]]);

  const pair = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const pem = pair.publicKey.export({ type: "spki", format: "pem" }) as string;
  const { keyId } = await s.asProvisioner.connect<{ keyId: string }>(users, "AddKey", {
    userId: id,
    expirationDate: new Date(Date.now() + 3_600_000).toISOString(),
    publicKey: btoa(pem),
  });
  const assertion = await new SignJWT({}).setProtectedHeader({ alg: "RS256", kid: keyId })
    .setIssuer(id)
    .setSubject(id).setAudience(s.instance.issuer).setIssuedAt().setExpirationTime("5m").sign(
      pair.privateKey,
    );
  const grant_type = "urn:ietf:params:oauth:grant-type:jwt-bearer";
  const byKey = await (await s.exchange({ grant_type, scope, assertion })).json();
  assert.equal(decodeJwt(byKey.access_token).sub, id);
  for (
    const bad of [{ grant_type, scope, assertion: `${assertion.slice(0, -4)}AAAA` }, {
      grant_type,
      scope,
    }]
  ) {
    const response = await s.exchange(bad as Record<string, string>);
    assert.equal(response.status, 400);
    await response.body?.cancel();
  }
});

Deno.test("a new signing key is published first, then signs; the old one's tokens go on verifying until it is removed", async () => {
  const s = open();
  if (!s.instance.ours) return; // it would change the keys of a ZITADEL that people use
  const tenant = await s.tenant("rotation");
  const old = await s.signIn(tenant, tenant.userId, { scope: "openid" });
  const id = await s.provisioner.createWebKey();
  const kids = async () =>
    (await fetchJwks(s.instance.config("provisioner"))).map((key) => key.kid);
  assert.ok((await kids()).includes(id));
  const same = await s.signIn(tenant, tenant.userId, { scope: "openid" });
  assert.equal(
    decodeProtectedHeader(same.access_token).kid,
    decodeProtectedHeader(old.access_token).kid,
  );
  await s.provisioner.activateWebKey(id);
  const fresh = await s.signIn(tenant, tenant.userId, { scope: "openid" });
  assert.equal(decodeProtectedHeader(fresh.access_token).kid, id);
  await verified(s, old.access_token, tenant.projectId);
  await assert.rejects(s.provisioner.removeWebKey(id), "the active one stays");
  await s.provisioner.removeWebKey(decodeProtectedHeader(old.access_token).kid!);
  await assert.rejects(verified(s, old.access_token, tenant.projectId));
  await s.settle();
  assert.equal((await s.provisioner.listWebKeys()).find((key) => key.id === id)?.state, "active");
});
