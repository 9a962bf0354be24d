// Signing in at providers: the real protocols, over HTTP, from the first redirect to a session.
import assert from "node:assert/strict";
import { isZitadelError } from "../../functions/_shared/zitadel/errors.ts";
import type { LoginClient, SuggestedUser } from "../../functions/_shared/zitadel/types.ts";
import type { PlayedProviders } from "../../scripts/stack/providers/server.ts";
import type { RunningDouble } from "./double.ts";
import { suite } from "./support.ts";
import { home, play, Providers, settingsOf, urls } from "./providers_support.ts";

const open = suite();
const ignore = Deno.env.get("ZITADEL_URL") !== undefined; // it cannot reach what is played here
let played: PlayedProviders | undefined;
let providers: Providers;
Deno.test.beforeAll(async () => {
  if (ignore) return;
  played = await play(open());
  providers = new Providers(open());
});
Deno.test.afterAll(() => played?.close());

const denied = (error: unknown) => isZitadelError(error, "permission_denied");
const usedUp = (error: unknown) => isZitadelError(error, "failed_precondition");

const expected: Record<string, Partial<SuggestedUser>> = {
  google: { userName: "grace@acme.example", givenName: "Grace", emailVerified: true },
  github: { userName: "grace", givenName: "Grace", familyName: "Hopper", emailVerified: true },
  "github enterprise": { userName: "grace", emailVerified: true },
  microsoft: { userName: "grace@acme.onmicrosoft.example", emailVerified: false },
  oidc: { userName: "grace", emailVerified: true, preferredLanguage: "en" },
  "oidc with pkce": { userName: "grace", emailVerified: true },
  "saml by post": { userName: "grace@acme.corp", givenName: "Grace", emailVerified: false },
  "saml by redirect": { userName: "grace@acme.corp", familyName: "Hopper", emailVerified: false },
};

for (const [label, suggested] of Object.entries(expected)) {
  Deno.test({
    name: `${label}: from the button to a person, and to a session once the account is linked`,
    ignore,
    async fn() {
      const s = open();
      const tenant = await s.tenant("intent");
      const idpId = await providers.make(tenant.orgId, label, settingsOf(played!)[label]!);
      const intent = await providers.succeed(idpId, "grace");
      assert.equal(intent.user, null);
      const found = await providers.intents.retrieveIntent(intent);
      assert.equal(found.idpId, idpId);
      assert.equal(found.linkedUserId, undefined);
      assert.partialDeepStrictEqual(found.suggested, { email: "grace@acme.example", ...suggested });
      assert.equal(found.options.linkingAllowed, true);

      // Not linked yet: the session's user is not the one who came back.
      const session = { userId: tenant.userId, idpIntent: intent, lifetimeSeconds: 600 };
      await assert.rejects(createSession(session), usedUp);
      await link(tenant.userId, idpId, found.external);
      const { sessionId } = await createSession(session);
      const { otherFactors } = await s.login.getSession({ sessionId });
      assert.deepEqual(otherFactors.map(({ kind }) => kind), ["intent"]);
      await assert.rejects(createSession(session), usedUp, "an intent is good once");

      const again = await providers.succeed(idpId, "grace");
      assert.equal(again.user, tenant.userId);
      const known = await providers.intents.retrieveIntent(again);
      assert.equal(known.linkedUserId, tenant.userId);
    },
  });
}

const createSession = (input: Parameters<LoginClient["createSession"]>[0]) =>
  open().login.createSession(input);

const link = (userId: string, idpId: string, external: { userId: string; userName: string }) =>
  open().login.addIdpLink(userId, {
    idpId,
    externalUserId: external.userId,
    externalUserName: external.userName,
  });

Deno.test({
  name: "GitHub keeps alan's address private, Microsoft has no mailbox for him",
  ignore,
  async fn() {
    const { orgId } = await open().tenant("private");
    const settings = settingsOf(played!);
    const github = await providers.make(orgId, "GitHub", settings.github!);
    const atGithub = await providers.intents.retrieveIntent(
      await providers.succeed(github, "alan"),
    );
    assert.equal(atGithub.suggested.email, "");
    assert.equal(atGithub.suggested.emailVerified, false);
    const microsoft = await providers.make(orgId, "Microsoft", settings.microsoft!);
    const atMicrosoft = await providers.intents.retrieveIntent(
      await providers.succeed(microsoft, "alan"),
    );
    assert.equal(atMicrosoft.suggested.email, "alan@acme.onmicrosoft.example");
  },
});

Deno.test({
  name: "an address that nobody verified is not vouched for",
  ignore,
  async fn() {
    const { orgId } = await open().tenant("mallory");
    const settings = settingsOf(played!);
    for (const label of ["google", "oidc", "microsoft"]) {
      const idpId = await providers.make(orgId, label, settings[label]!);
      const { suggested } = await providers.intents.retrieveIntent(
        await providers.succeed(idpId, "mallory"),
      );
      assert.equal(suggested.email, "grace@acme.example");
      assert.equal(suggested.emailVerified, false, label);
    }
  },
});

Deno.test({
  name: "who cancels comes back to the failure page, and the intent is spent",
  ignore,
  async fn() {
    const { orgId } = await open().tenant("cancel");
    const idpId = await providers.make(orgId, "Google", settingsOf(played!).google!);
    const back = await providers.comeBack(idpId, "cancel");
    assert.equal(back.pathname, "/back/failed");
    assert.equal(back.searchParams.get("error"), "access_denied");
    const state = back.searchParams.get("id")!;
    const replay = await fetch(
      `${open().instance.url}/idps/callback?state=${state}&code=stolen`,
      { redirect: "manual" },
    );
    await replay.body?.cancel();
    assert.match(replay.headers.get("location") ?? "", /error=IDP-Sfrgs/);
  },
});

Deno.test({
  name: "a wrong client secret fails the sign-in, and tells the browser no more than that",
  ignore,
  async fn() {
    const { orgId } = await open().tenant("secret");
    const idpId = await providers.make(orgId, "Google", settingsOf(played!).google!, {
      secret: "another",
    });
    const back = await providers.comeBack(idpId, { username: "grace", password: "Played-Horse-1" });
    assert.equal(back.pathname, "/back/failed");
    assert.ok(!back.href.includes("another"));
  },
});

Deno.test({
  name: "another intent's token, none, and a made-up intent open nothing",
  ignore,
  async fn() {
    const tenant = await open().tenant("token");
    const idpId = await providers.make(tenant.orgId, "Google", settingsOf(played!).google!);
    const [mine, theirs] = [
      await providers.succeed(idpId, "grace"),
      await providers.succeed(idpId, "alan"),
    ];
    const retrieve = (id: string, token: string) => providers.intents.retrieveIntent({ id, token });
    await assert.rejects(retrieve(mine.id, theirs.token), denied);
    await assert.rejects(retrieve("123", theirs.token), denied);
    const session = { userId: tenant.userId, lifetimeSeconds: 600 };
    await assert.rejects(
      createSession({ ...session, idpIntent: { id: mine.id, token: theirs.token } }),
      denied,
    );
  },
});

Deno.test({
  name: "an intent is over when its time is",
  ignore,
  async fn() {
    const tenant = await open().tenant("late");
    const double = open().instance as RunningDouble;
    const idpId = await providers.make(tenant.orgId, "Google", settingsOf(played!).google!);
    await double.turn({ intentMs: -1 });
    const intent = await providers.succeed(idpId, "grace");
    await double.turn({ intentMs: 3_600_000 });
    await assert.rejects(
      providers.intents.retrieveIntent(intent),
      (error) => isZitadelError(error, "failed_precondition", "IDP-SAf42"),
    );
    await assert.rejects(
      createSession({ userId: tenant.userId, idpIntent: intent, lifetimeSeconds: 600 }),
      (error) => isZitadelError(error, "failed_precondition", "COMMAND-SAf42"),
    );
  },
});

Deno.test({
  name:
    "an external account is one user's: a second link is refused, and a stranger's session with it too",
  ignore,
  async fn() {
    const s = open();
    const [ours, other] = [await s.tenant("first"), await s.tenant("second")];
    const idpId = await providers.make(ours.orgId, "Google", settingsOf(played!).google!);
    const intent = await providers.succeed(idpId, "grace");
    const { external } = await providers.intents.retrieveIntent(intent);
    await link(ours.userId, idpId, external);
    await assert.rejects(
      link(other.userId, idpId, external),
      (error) => isZitadelError(error, "already_exists", "V3-DKcYh"),
    );
    await assert.rejects(
      createSession({ userId: other.userId, idpIntent: intent, lifetimeSeconds: 600 }),
      (error) => isZitadelError(error, "failed_precondition", "COMMAND-O8xk3w"),
    );
  },
});

Deno.test({
  name: "a SAML response answers one request, at one provider",
  ignore,
  async fn() {
    const s = open();
    const { orgId } = await s.tenant("saml");
    const settings = settingsOf(played!)["saml by post"]!;
    const first = await providers.make(orgId, "ADFS", settings);
    const second = await providers.make(orgId, "Other ADFS", settings);
    const way = await providers.intents.startIntent({ idpId: first, urls });
    assert.ok("formPost" in way);
    const response = await capturedResponse(way.formPost.url, way.formPost.fields);
    const replayAt = async (idpId: string, RelayState: string, SAMLResponse: string) => {
      const answer = await fetch(`${s.instance.url}/idps/${idpId}/saml/acs`, {
        method: "POST",
        body: new URLSearchParams({ SAMLResponse, RelayState }),
        redirect: "manual",
      });
      await answer.body?.cancel();
      return answer.headers.get("location") ?? "";
    };
    // Another provider's door, another request's state, and an assertion that was changed.
    const elsewhere = await providers.intents.startIntent({ idpId: second, urls });
    assert.ok("formPost" in elsewhere);
    const other = elsewhere.formPost.fields.RelayState!;
    assert.match(await replayAt(second, other, response.SAMLResponse!), /failed/);
    const forged = btoa(atob(response.SAMLResponse!).replace("grace@acme.corp", "alan@acme.corp"));
    const third = await providers.intents.startIntent({ idpId: first, urls });
    assert.ok("formPost" in third);
    assert.match(
      await replayAt(first, third.formPost.fields.RelayState!, forged),
      /error=SAML-ajl3irfs/,
    );
    assert.match(await replayAt(first, response.RelayState!, response.SAMLResponse!), /\/ok\?/);
    assert.match(
      await replayAt(first, response.RelayState!, response.SAMLResponse!),
      /error=IDP-Sfrgs/,
      "and once",
    );
  },
});

/** Signs in at the SAML provider, and keeps what the browser would post back. */
async function capturedResponse(url: string, fields: Record<string, string>) {
  const page = await (await fetch(url, { method: "POST", body: new URLSearchParams(fields) }))
    .text();
  const ticket = /name="ticket" value="([^"]+)"/.exec(page)![1]!;
  const posting = await (await fetch(url.replace(/sso$/, "signin"), {
    method: "POST",
    body: new URLSearchParams({ ticket, username: "grace", password: "Played-Horse-1" }),
  })).text();
  return Object.fromEntries(
    [...posting.matchAll(/name="(SAMLResponse|RelayState)" value="([^"]+)"/g)].map((
      [, name, value],
    ) => [name!, value!]),
  );
}

Deno.test({
  name: "the login client starts and retrieves, the event reader does neither",
  ignore,
  async fn() {
    const s = open();
    const { orgId } = await s.tenant("who");
    const idpId = await providers.make(orgId, "Google", settingsOf(played!).google!);
    const { wire } = await import("../../functions/_shared/zitadel/call.ts");
    const reader = wire(s.instance.config("event-reader"));
    await assert.rejects(
      reader.connect("zitadel.user.v2.UserService", "StartIdentityProviderIntent", { idpId, urls }),
      denied,
    );
    assert.ok(home);
  },
});
