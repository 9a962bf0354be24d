// Signing in at providers by the function's own requests: the real protocols, played on loopback; whose account it is then.
import assert from "node:assert/strict";
import type { LinkingOptions, ProviderInput } from "../../functions/_shared/zitadel/types.ts";
import type { State } from "../../functions/widget/contract.ts";
import type { SignInProvider } from "../../functions/widget/providers.ts";
import { hasSlapd, startDirectory } from "../../scripts/stack/providers/directory.ts";
import { people } from "../../scripts/stack/providers/people.ts";
import { playProviders } from "../../scripts/stack/providers/server.ts";
import { eventually } from "../support/eventually.ts";
import { directorySettings, signInAt } from "../support/providers.ts";
import { type Answer, Browser, SignInHouse, type Tenant } from "./widget_support.ts";

const publicUrl = "https://id.gatehouse.example/some/prefix";
const secret = "a-client-secret";
const clientId = "gatehouse";

type On<S extends State["screen"]> = Extract<State, { screen: S }>;
function on<S extends State["screen"]>(answer: Answer, screen: S): On<S> {
  assert.equal(answer.state?.screen, screen, JSON.stringify(answer.body));
  return answer.state as On<S>;
}
const refusedWith = (answer: Answer, status: number, slug: string) =>
  assert.deepEqual([answer.status, answer.slug], [status, slug], JSON.stringify(answer.body));

const nothing: LinkingOptions = {
  ...{ linkingAllowed: false, creationAllowed: false, autoCreation: false, autoUpdate: false },
  autoLinking: "none",
};

class Site {
  readonly listed: SignInProvider[] = [];

  constructor(readonly here: SignInHouse, readonly tenant: Tenant) {
    here.parts = { publicUrl, providers: { list: () => Promise.resolve(this.listed) } };
  }

  async provide(
    name: string,
    kind: SignInProvider["kind"],
    settings: object,
    options: Partial<LinkingOptions>,
    { trustedDomains = [] as string[], password = secret } = {},
  ): Promise<string> {
    const { organizationId: orgId } = this.tenant;
    const { id } = await this.here.house.zitadel.ensureProvider({
      ...{ orgId, name, kind, settings, options: { ...nothing, ...options } },
      ...(kind === "saml" ? {} : { secret: password }),
    } as ProviderInput);
    await this.here.house.zitadel.ensureProviderActive(orgId, id);
    const postsTo = kind === "saml" ? ["https://saml.example"] : [];
    this.listed.push({ idpId: id, kind, name, trustedDomains, postsTo });
    return id;
  }

  async arrive(): Promise<Browser> {
    const browser = new Browser(this.here);
    browser.origin = new URL(publicUrl).origin;
    await this.here.open(await this.here.authorize(this.tenant.clientId), browser);
    await browser.openFlow();
    return browser;
  }

  /** To the provider and back to our page: the address that the browser ends up at. */
  async goAndComeBack(browser: Browser, providerId: string, key: string): Promise<URLSearchParams> {
    const { url, fields } = on(await browser.act({ action: "provider", providerId }), "external");
    const { password } = people.find((person) => person.key === key)!;
    const way = fields ? { formPost: { url, fields } } : { authUrl: url };
    const back = await signInAt(way, { username: key, password }, publicUrl);
    assert.equal(back.pathname, "/some/prefix/functions/v1/widget/return");
    return back.searchParams;
  }

  async signIn(providerId: string, key: string): Promise<{ browser: Browser; answer: Answer }> {
    const browser = await this.arrive();
    const back = await this.goAndComeBack(browser, providerId, key);
    return { browser, answer: await present(browser, back) };
  }
}

/** What the page at /return does: opens the flow as after a reload, and hands in what the address says. */
async function present(browser: Browser, back: URLSearchParams): Promise<Answer> {
  await browser.get(`return?flow=${back.get("flow")}`);
  await browser.openFlow();
  return await browser.act({
    action: "intent",
    id: back.get("id")!,
    token: back.get("token")!,
    ticket: back.get("ticket")!,
  });
}

async function through(browser: Browser, answer: Answer): Promise<void> {
  const offered = answer.state?.screen === "setup_factor";
  on(offered ? await browser.act({ action: "skip" }) : answer, "done");
}

Deno.test("signing in at providers", async (t) => {
  await using here = await SignInHouse.open();
  const played = await playProviders({
    clients: [{ id: clientId, secret, redirectUris: [`${here.house.issuer}/idps/callback`] }],
  });
  try {
    await here.house.trouble({ played: played.url });
    const site = new Site(here, await here.tenant("acme"));
    const other = await here.tenant("evil");
    const oidc = {
      issuer: played.oidcIssuer,
      clientId,
      scopes: [],
      idTokenMapping: false,
      pkce: true,
    };
    const google = { clientId, scopes: ["openid", "profile", "email"] };
    const findGrace = async () =>
      (await here.zitadel.findUsers({
        ...{ orgId: site.tenant.organizationId, loginName: "grace@acme.example", byEmail: true },
      }))[0];

    await t.step("EXT-01 whom nobody knows is refused where no account may be made", async () => {
      const id = await site.provide("Closed", "google", google, { linkingAllowed: true });
      const { answer } = await site.signIn(id, "grace");
      refusedWith(answer, 403, "external_account_unknown");
    });

    const form = await site.provide("By form", "oidc", oidc, { creationAllowed: true });
    await t.step("EXT-02 by a form, looked over, and from then on at once", async () => {
      const { browser, answer } = await site.signIn(form, "grace");
      const asked = on(answer, "complete_account");
      assert.deepEqual(
        [asked.givenName, asked.familyName, asked.email, asked.provider.name],
        ["Grace", "Hopper", "grace@acme.example", "By form"],
      );
      const made = await browser.act({
        ...{ action: "register", givenName: "Amazing", familyName: asked.familyName },
        email: asked.email,
      });
      await through(browser, made);
      const grace = await eventually("grace", findGrace);
      assert.equal(grace.profile!.givenName, "Amazing");
      assert.equal(grace.profile!.emailVerified, true, "the provider vouches for it");
      const again = await site.signIn(form, "grace");
      await through(again.browser, again.answer);
    });

    await t.step(
      "EXT-03 an address that nobody vouches for links to nobody, whatever it says",
      async () => {
        const linking = {
          linkingAllowed: true,
          creationAllowed: true,
          autoLinking: "email",
        } as const;
        const id = await site.provide("Linking", "google", google, linking);
        const { answer } = await site.signIn(id, "mallory"); // says to be grace@acme.example
        on(answer, "complete_account");
        const vouched = await site.signIn(id, "grace");
        await through(vouched.browser, vouched.answer);
        const links = await here.zitadel.listIdpLinks((await findGrace())!.id);
        assert.equal(links.length, 2);
      },
    );

    await t.step(
      "EXT-04 who registered another's address beforehand is not handed their sign-in",
      async () => {
        await here.person(site.tenant, "alan", { emailVerified: false });
        await here.house.zitadel.ensureHuman({
          ...{ orgId: site.tenant.organizationId, id: "squatter", userName: "squatter" },
          ...{ email: "alan@acme.example", emailVerified: false, password: "Squatter-Horse-1" },
          ...{ givenName: "S", familyName: "Quatter" },
        });
        const id = await site.provide("Corporate", "oidc", oidc, {
          ...{ linkingAllowed: true, creationAllowed: true, autoLinking: "email" },
        });
        const { answer } = await site.signIn(id, "alan");
        on(answer, "complete_account");
        assert.deepEqual(await here.zitadel.listIdpLinks("squatter"), []);
      },
    );

    await t.step("EXT-05 login CSRF: eve's answer of a provider, in vera's browser", async () => {
      const eve = await site.arrive();
      const back = await site.goAndComeBack(eve, form, "grace");
      const vera = await site.arrive();
      await vera.act({ action: "provider", providerId: form });
      refusedWith(await present(vera, back), 401, "intent_refused");
      const without = await site.arrive();
      refusedWith(await present(without, back), 401, "intent_refused");
      // Eve's own browser takes it, once.
      await through(eve, await present(eve, back));
    });

    await t.step(
      "EXT-06 an account that is linked in another organization opens nothing here",
      async () => {
        const id = await site.provide("Elsewhere", "google", google, { creationAllowed: true });
        const eve = await here.person(other, "eve");
        const { answer, browser } = await site.signIn(id, "mallory");
        on(answer, "complete_account");
        const number = people.find(({ key }) => key === "mallory")!.number;
        const link = { idpId: id, externalUserId: number, externalUserName: "mallory" };
        await here.zitadel.addIdpLink(eve.id, link);
        const back = await site.goAndComeBack(await site.arrive(), id, "mallory");
        assert.ok(back.get("user"), "ZITADEL says that somebody has it");
        const again = await site.signIn(id, "mallory");
        refusedWith(again.answer, 401, "credentials_refused");
        assert.ok(browser);
      },
    );

    await t.step(
      "EXT-07 at once where the provider says so; SAML's word counts for the tenant's own domains",
      async () => {
        const saml = {
          ...{ metadataXml: played.samlMetadata, binding: "post", signedRequests: false },
          nameIdFormat: "persistent",
        };
        const wants = { creationAllowed: true, autoCreation: true };
        const plain = await site.provide("SAML", "saml", saml, wants);
        const { answer } = await site.signIn(plain, "alan");
        on(answer, "complete_account"); // nobody vouches for the address
        const trusted = await site.provide("SAML of ours", "saml", saml, wants, {
          trustedDomains: ["acme.example"],
        });
        const made = await site.signIn(trusted, "alan");
        await through(made.browser, made.answer);
      },
    );

    await t.step(
      "EXT-08 a name of a proven domain is sent to its provider; any other learns nothing",
      async () => {
        const browser = await site.arrive();
        on(await browser.act({ action: "discover", loginName: "who@acme.example" }), "external");
        const plain = await site.arrive();
        for (const loginName of ["alan", "alan@mail.example", "nobody@elsewhere.example"]) {
          const state = on(await plain.act({ action: "discover", loginName }), "start");
          assert.equal(state.loginHint, loginName);
        }
      },
    );

    await t.step(
      "EXT-09 who cancels is back at the start, and a forgotten ticket is no use",
      async () => {
        const browser = await site.arrive();
        const back = await site.goAndComeBack(browser, form, "grace");
        on(await browser.act({ action: "intent_failed", error: "access_denied" }), "start");
        refusedWith(await present(browser, back), 401, "intent_refused");
      },
    );

    if (await hasSlapd()) await directorySteps(t, site);
  } finally {
    await played.close();
  }
});

async function directorySteps(t: Deno.TestContext, site: Site): Promise<void> {
  const dir = await Deno.makeTempDir({ prefix: "gatehouse-widget-directory-" });
  const directory = await startDirectory(dir);
  try {
    const id = await site.provide(
      "Directory",
      "ldap",
      directorySettings(directory),
      { creationAllowed: true, autoLinking: "username" },
      { password: directory.bindPassword },
    );

    await t.step(
      "EXT-10 a directory takes the password on the spot, and one name links to the same here",
      async () => {
        const grace = await site.here.person(site.tenant, "grace");
        const browser = await site.arrive();
        const asked = on(await browser.act({ action: "provider", providerId: id }), "ldap");
        assert.equal(asked.provider.name, "Directory");
        const wrong = await browser.act({ action: "ldap", username: "grace", password: "wrong" });
        refusedWith(wrong, 401, "credentials_refused");
        const star = await browser.act({
          action: "ldap",
          username: "*",
          password: "Played-Horse-1",
        });
        refusedWith(star, 401, "credentials_refused");
        const { password } = people.find(({ key }) => key === "grace")!;
        await through(browser, await browser.act({ action: "ldap", username: "grace", password }));
        const [link] = await site.here.zitadel.listIdpLinks(grace.id);
        assert.equal(link?.idpId, id);
      },
    );
  } finally {
    await directory.close();
    await Deno.remove(dir, { recursive: true });
  }
}
