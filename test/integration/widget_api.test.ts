// Signing in from a program: tokens by name and password, what is asked beside, refresh tokens that are good once, strangers.
import assert from "node:assert/strict";
import { createLocalJWKSet, decodeJwt, jwtVerify } from "jose";
import { Secret, TOTP } from "otpauth";
import { fetchJwks } from "../../functions/_shared/zitadel/keys.ts";
import { Outcome, Tokens } from "../../functions/widget/api/contract.ts";
import { redirectUri, SignInHouse } from "./widget_support.ts";

interface Reply {
  status: number;
  slug: string | undefined;
  // deno-lint-ignore no-explicit-any
  body: any;
}

const strong = "Correct-Horse-7";

Deno.test("signing in from a program", async (t) => {
  await using here = await SignInHouse.open();
  const acme = await here.tenant("acme");
  const evil = await here.tenant("evil");
  const { sql } = here.house.database;
  await sql`update public.apps set inline_enabled = true`;
  const vera = await here.person(acme, "vera");
  const eve = await here.person(evil, "eve");

  async function post(path: string, content: unknown, headers = {}): Promise<Reply> {
    const response = await here.app.request(`/widget/api/${path}`, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        "user-agent": "Program/1.0",
        "x-forwarded-for": "192.0.2.9",
        ...headers,
      },
      body: JSON.stringify(content),
    });
    assert.equal(response.headers.get("access-control-allow-origin"), null);
    assert.deepEqual(response.headers.getSetCookie(), [], "no session is left in a browser");
    const text = await response.text();
    const body = text === "" ? null : JSON.parse(text);
    return { status: response.status, slug: body?.type?.split(":").pop(), body };
  }
  const application = { clientId: acme.clientId, redirectUri };
  /** "Later", where a second factor is offered. */
  const later = (reply: Reply) =>
    reply.body.state?.screen === "setup_factor"
      ? post("act", { ticket: reply.body.ticket, action: { action: "skip" } })
      : Promise.resolve(reply);
  const signIn = async (person: { loginName: string; password: string }, more = {}) =>
    await later(
      await post("sign-in", {
        ...application,
        loginName: person.loginName,
        password: person.password,
        ...more,
      }),
    );
  const refresh = (refreshToken: string, more = {}) =>
    post("refresh", { clientId: acme.clientId, refreshToken, ...more });

  await t.step("name and password give tokens of the issuer to this application", async () => {
    const { status, body } = await signIn(vera);
    assert.equal(status, 200);
    assert.deepEqual(Outcome.parse(body), body);
    const { accessToken, idToken, refreshToken } = body.tokens;
    const keys = createLocalJWKSet({
      keys: await fetchJwks({ profile: "embedded", issuer: here.house.issuer }),
    });
    const checks = { issuer: here.house.issuer, audience: acme.clientId };
    const { payload } = await jwtVerify(idToken, keys, checks);
    assert.equal(payload.sub, vera.id);
    assert.match(accessToken, /./);
    assert.match(refreshToken, /./);
    const userinfo = await fetch(`${here.house.issuer}/oidc/v1/userinfo`, {
      headers: { authorization: `Bearer ${accessToken}` },
    });
    assert.equal((await userinfo.json()).sub, vera.id);
  });

  await t.step("wrong, unknown and of another tenant: one answer", async () => {
    const answers = await Promise.all([
      signIn({ ...vera, password: "wrong" }),
      signIn({ loginName: "nobody", password: "wrong" }),
      signIn(eve),
    ]);
    for (const { status, slug } of answers) {
      assert.deepEqual([status, slug], [401, "credentials_refused"]);
    }
    const [first, ...others] = answers.map(({ body: { request_id: _, ...rest } }) => rest);
    for (const other of others) assert.deepEqual(other, first);
  });

  await t.step(
    "an application that did not opt in, one that is not there, a foreign address",
    async () => {
      await sql`update public.apps set inline_enabled = false where client_id = ${evil.clientId}`;
      const shut = await signIn(eve, { clientId: evil.clientId });
      assert.deepEqual([shut.status, shut.slug], [403, "origin_refused"]);
      assert.equal((await signIn(vera, { clientId: "399" })).slug, "origin_refused");
      const astray = await signIn(vera, { redirectUri: "https://eve.example/" });
      assert.deepEqual([astray.status, astray.slug], [400, "authorize_refused"]);
    },
  );

  await t.step("a page is refused, whatever its origin", async () => {
    for (const origin of [new URL(redirectUri).origin, "https://eve.example", "null"]) {
      const { status, slug } = await post("refresh", { clientId: "1", refreshToken: "x" }, {
        origin,
      });
      assert.deepEqual([status, slug], [403, "origin_refused"]);
    }
  });

  await t.step("a refresh token is good once; the one that came for it goes on", async () => {
    const { body: { tokens } } = await signIn(vera);
    const first = await refresh(tokens.refreshToken);
    assert.equal(first.status, 200);
    assert.deepEqual(Tokens.parse(first.body), first.body);
    assert.notEqual(first.body.refreshToken, tokens.refreshToken);
    const again = await refresh(tokens.refreshToken);
    assert.deepEqual([again.status, again.slug], [401, "refresh_refused"]);
    assert.equal((await refresh(first.body.refreshToken)).status, 200);
  });

  await t.step("two who refresh at once: one gets tokens", async () => {
    const { body: { tokens } } = await signIn(vera);
    const both = await Promise.all([refresh(tokens.refreshToken), refresh(tokens.refreshToken)]);
    assert.deepEqual(both.map(({ status }) => status).toSorted(), [200, 401]);
  });

  await t.step("another application's refresh token is refused, and what is none", async () => {
    await sql`update public.apps set inline_enabled = true`;
    const { body: { tokens } } = await signIn(vera);
    const stolen = await refresh(tokens.refreshToken, { clientId: evil.clientId });
    assert.equal(stolen.slug, "refresh_refused");
    assert.equal((await refresh("nonsense")).slug, "refresh_refused");
    assert.equal(
      (await refresh(tokens.refreshToken)).status,
      200,
      "and is still good where it belongs",
    );
  });

  await t.step("signing out revokes the refresh token and ends the session", async () => {
    const { body: { tokens } } = await signIn(vera);
    const { sid } = decodeJwt(tokens.idToken) as { sid: string };
    assert.equal((await here.zitadel.searchSessions({ ids: [sid] })).length, 1);
    const { refreshToken, idToken } = tokens;
    const out = await post("sign-out", { clientId: acme.clientId, refreshToken, idToken });
    assert.equal(out.status, 204);
    assert.equal((await refresh(refreshToken)).slug, "refresh_refused");
    await assert.rejects(here.zitadel.getSession({ sessionId: sid }));
  });

  await t.step(
    "nobody is signed out by another application, or by a token that was made up",
    async () => {
      const { body: { tokens } } = await signIn(vera);
      const { sid } = decodeJwt(tokens.idToken) as { sid: string };
      const cases = [
        { clientId: evil.clientId, idToken: tokens.idToken },
        { clientId: acme.clientId, idToken: `${tokens.idToken.slice(0, -8)}AAAAAAAA` },
        { clientId: acme.clientId, idToken: tokens.accessToken },
      ];
      for (const one of cases) {
        const { status, slug } = await post("sign-out", one);
        assert.deepEqual([status, slug], [401, "logout_refused"]);
      }
      assert.equal((await post("sign-out", { clientId: acme.clientId })).slug, "invalid_request");
      assert.equal((await here.zitadel.getSession({ sessionId: sid })).id, sid);
    },
  );

  await t.step("a second factor is asked for, and no code comes before it", async () => {
    const tom = await here.person(acme, "tom");
    const { secret } = await here.zitadel.startTotp(tom.id);
    const code = () => new TOTP({ secret: Secret.fromBase32(secret) }).generate();
    await here.zitadel.verifyTotp(tom.id, code());
    const asked = await signIn(tom);
    assert.deepEqual([asked.body.status, asked.body.state.screen], ["next", "factor"]);
    const { ticket } = asked.body;
    const wrong = await post("act", { ticket, action: { action: "code", code: "000000" } });
    assert.deepEqual([wrong.status, wrong.slug], [401, "code_refused"]);
    const skipped = await post("act", { ticket, action: { action: "skip" } });
    assert.equal(skipped.slug, "action_refused");
    const done = await post("act", { ticket, action: { action: "code", code: code() } });
    assert.equal(done.body.status, "signed_in", JSON.stringify(done.body));
    const late = await post("act", { ticket, action: { action: "code", code: code() } });
    assert.notEqual(late.status, 200, "nor twice");
  });

  await t.step("a ticket is ours, of an hour, and a flow's own token is none", async () => {
    const forged = await post("act", { ticket: "k1.AAAA", action: { action: "skip" } });
    assert.deepEqual([forged.status, forged.slug], [403, "ticket_refused"]);
    const asked = await post("forgot", { ...application, loginName: "nobody" });
    here.now = () => new Date(Date.now() + 3_700_000);
    const late = await post("reset", {
      ticket: asked.body.ticket,
      code: "123456",
      newPassword: strong,
    });
    here.now = () => new Date();
    assert.equal(late.slug, "ticket_refused");
  });

  await t.step("forgotten: a code by mail, then a new password, then tokens", async () => {
    const nora = await here.person(acme, "nora");
    const forgot = (loginName: string) => post("forgot", { ...application, loginName });
    const known = await forgot(nora.email);
    const unknown = await forgot("nobody@mail.example");
    assert.equal(known.status, 200);
    assert.deepEqual(known.body.state, unknown.body.state, "nobody learns who has an account");
    const mail = here.mails.findLast(({ kind }) => kind === "password_reset")!;
    assert.equal(mail.to, nora.email);
    const { code } = mail as { code: string };
    const { ticket } = known.body;
    const wrong = await post("reset", { ticket, code: "WRONG1", newPassword: strong });
    assert.deepEqual([wrong.status, wrong.slug], [401, "code_refused"]);
    const theirs = await post("reset", { ticket: unknown.body.ticket, code, newPassword: strong });
    assert.equal(theirs.slug, "code_refused", "a code is good for whom it was asked for");
    const done = await later(await post("reset", { ticket, code, newPassword: strong }));
    assert.equal(done.body.status, "signed_in", JSON.stringify(done.body));
    assert.equal((await signIn({ ...nora, password: strong })).body.status, "signed_in");
    assert.equal((await signIn(nora)).slug, "credentials_refused");
  });

  await t.step(
    "signing up: an account, whose address is proven before there are tokens",
    async () => {
      await allowRegister(here, acme.organizationId);
      const person = {
        givenName: "Ida",
        familyName: "Example",
        email: "ida@mail.example",
        password: strong,
      };
      const weak = await post("sign-up", { ...application, ...person, password: "weak" });
      assert.deepEqual([weak.status, weak.slug], [422, "password_too_weak"]);
      const made = await post("sign-up", { ...application, ...person });
      assert.equal(made.body.state?.screen, "verify_email", JSON.stringify(made.body));
      const { code } = here.mails.findLast(({ to }) => to === person.email) as { code: string };
      const { ticket } = made.body;
      const done = await later(await post("act", { ticket, action: { action: "code", code } }));
      assert.equal(done.body.status, "signed_in", JSON.stringify(done.body));
    },
  );

  await t.step("a confidential application shows its secret, at every exchange", async () => {
    const id = await here.house.createTenant({
      slug: "web",
      apps: [{ name: "Backend", kind: "web", redirectUri }],
    });
    await here.house.reconcile(id);
    await sql`update public.apps set inline_enabled = true`;
    const [app] = await sql`
      select a.client_id, a.application_id, t.project_id, t.organization_id
        from public.apps a join public.tenants t on t.id = a.tenant_id where t.id = ${id}`;
    const secret = await here.house.zitadel.generateClientSecret(
      app!.project_id,
      app!.application_id,
    );
    const wilma = await here.person({ organizationId: app!.organization_id }, "wilma");
    const basic = (value: string) => ({
      authorization: `Basic ${btoa(`${app!.client_id}:${value}`)}`,
    });
    const ask = async (headers: Record<string, string>) => {
      const first = await post("sign-in", {
        ...{ clientId: app!.client_id, redirectUri },
        ...{ loginName: wilma.loginName, password: wilma.password },
      }, headers);
      if (first.body.state?.screen !== "setup_factor") return first;
      const { ticket } = first.body;
      return await post("act", { ticket, action: { action: "skip" } }, headers);
    };
    for (const headers of [{}, basic("wrong")]) {
      const { status, slug } = await ask(headers as Record<string, string>);
      assert.deepEqual([status, slug], [401, "client_credentials_refused"]);
    }
    const { body } = await ask(basic(secret));
    assert.equal(body.status, "signed_in", JSON.stringify(body));
    const renew = (headers: Record<string, string>) =>
      post("refresh", {
        clientId: app!.client_id,
        refreshToken: body.tokens.refreshToken,
      }, headers);
    assert.equal((await renew(basic("wrong"))).slug, "client_credentials_refused");
    assert.equal((await renew(basic(secret))).status, 200);
  });

  await t.step("who administers something signs in on the sign-in page", async () => {
    const ada = await here.person(acme, "ada");
    await sql`
      insert into public.users (issuer, subject, home_tenant_id, login_name, display_name)
      values (${here.house.issuer}, ${ada.id}, ${acme.id}, ${ada.loginName}, 'Ada')
      on conflict do nothing`;
    await sql`
      insert into public.assignments (tenant_id, user_id, role_key)
      select ${acme.id}, id, 'tenant_admin' from public.users where subject = ${ada.id}`;
    const refused = await signIn(ada);
    assert.deepEqual([refused.status, refused.slug], [403, "inline_refused"]);
    const sent = here.mails.length;
    const forgot = await post("forgot", { ...application, loginName: ada.email });
    assert.equal(forgot.body.state?.screen, "reset_code", "the same answer as for everybody");
    assert.equal(here.mails.length, sent, "no program gets to see an administrator's new password");
  });

  await t.step("a malformed request is told where", async () => {
    const { status, slug, body } = await post("sign-in", { ...application, loginName: "" });
    assert.deepEqual([status, slug], [422, "invalid_request"]);
    assert.deepEqual(
      body.errors.map(({ pointer }: { pointer: string }) => pointer).toSorted(),
      ["#/loginName", "#/password"],
    );
  });
});

async function allowRegister(here: SignInHouse, orgId: string): Promise<void> {
  await here.manage("POST", "/management/v1/policies/login", {
    allowUsernamePassword: true,
    allowRegister: true,
    passwordCheckLifetime: "864000s",
    mfaInitSkipLifetime: "2592000s",
    secondFactors: ["SECOND_FACTOR_TYPE_OTP"],
  }, orgId);
}
