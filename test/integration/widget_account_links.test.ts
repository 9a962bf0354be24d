// Accounts at providers on the account page: linked by going there, to nobody else's, unlinked while something else is left.
import assert from "node:assert/strict";
import type { LinkingOptions, ProviderInput } from "../../functions/_shared/zitadel/types.ts";
import type { SignInProvider } from "../../functions/widget/providers.ts";
import { hasSlapd, startDirectory } from "../../scripts/stack/providers/directory.ts";
import { people } from "../../scripts/stack/providers/people.ts";
import { playProviders } from "../../scripts/stack/providers/server.ts";
import { directorySettings, signInAt } from "../support/providers.ts";
import { AccountBrowser, publicUrl } from "./widget_account_support.ts";
import { SignInHouse } from "./widget_support.ts";

const client = { id: "gatehouse", secret: "a-client-secret" };
const options: LinkingOptions = {
  ...{ linkingAllowed: true, creationAllowed: false, autoCreation: false, autoUpdate: false },
  autoLinking: "none",
};

Deno.test("linking accounts at providers", async (t) => {
  await using here = await SignInHouse.open();
  const played = await playProviders({
    clients: [{ ...client, redirectUris: [`${here.house.issuer}/idps/callback`] }],
  });
  try {
    await here.house.trouble({ played: played.url });
    const acme = await here.tenant("acme");
    const listed: SignInProvider[] = [];
    here.parts = { publicUrl, providers: { list: () => Promise.resolve(listed) } };
    const { organizationId: orgId } = acme;
    const provide = async (name: string, more: Partial<LinkingOptions> = {}) => {
      const settings = {
        issuer: played.oidcIssuer,
        clientId: client.id,
        scopes: [],
        idTokenMapping: false,
        pkce: true,
      };
      const { id } = await here.house.zitadel.ensureProvider({
        ...{ orgId, name, kind: "oidc", settings, secret: client.secret },
        options: { ...options, ...more },
      } as ProviderInput);
      await here.house.zitadel.ensureProviderActive(orgId, id);
      listed.push({ idpId: id, kind: "oidc", name, trustedDomains: [], postsTo: [] });
      return id;
    };
    const corp = await provide("Corp");
    const closed = await provide("Closed", { linkingAllowed: false });
    const [one, another] = people;

    const signedIn = async (name: string) => {
      const person = await here.person(acme, name);
      const browser = new AccountBrowser(here);
      await browser.signIn("acme", person.loginName, person.password);
      return { person, browser };
    };
    /** To the provider and back: what the address says then. */
    const goThere = async (browser: AccountBrowser, idpId: string, key: string) => {
      const { pending } = await browser.act({ action: "link", providerId: idpId });
      const { url } = pending as { url: string };
      const { password } = people.find((person) => person.key === key)!;
      const back = await signInAt({ authUrl: url }, { username: key, password }, publicUrl);
      assert.equal(back.pathname, "/functions/v1/widget/me");
      assert.equal(back.searchParams.get("tenant"), acme.id);
      return {
        action: "intent" as const,
        id: back.searchParams.get("id")!,
        token: back.searchParams.get("token")!,
        ticket: back.searchParams.get("ticket")!,
      };
    };

    await t.step("who goes there is linked; the page shows it; it is unlinked again", async () => {
      const { person, browser } = await signedIn("vera");
      const before = (await browser.show()).account.providers;
      assert.deepEqual(before.map(({ id, linked, offered }) => ({ id, linked, offered })), [
        { id: corp, linked: null, offered: true },
      ], "one that may not be linked to is not offered");
      const intent = await goThere(browser, corp, one!.key);
      const { status, account } = await browser.act(intent);
      assert.equal(status, 200);
      const linked = account.providers.find(({ id }) => id === corp)!.linked!;
      assert.ok(linked.externalId);
      assert.deepEqual(
        (await here.zitadel.listIdpLinks(person.id)).map(({ externalUserId }) => externalUserId),
        [linked.externalId],
      );
      const again = await browser.act(intent);
      assert.equal(again.slug, "action_refused", "an answer is good once");
      const unlinked = await browser.act({
        action: "unlink",
        providerId: corp,
        externalId: linked.externalId,
      });
      assert.equal(unlinked.account.providers.find(({ id }) => id === corp)!.linked, null);
    });

    await t.step(
      "an answer counts in the browser that asked, for the ticket that it asked with",
      async () => {
        const { browser } = await signedIn("nora");
        const { browser: stranger } = await signedIn("mallory");
        const intent = await goThere(browser, corp, another!.key);
        assert.equal((await stranger.act(intent)).slug, "action_refused");
        await stranger.act({ action: "link", providerId: corp });
        assert.equal((await stranger.act(intent)).slug, "intent_refused", "of another ticket");
        const forged = await browser.act({ ...intent, ticket: crypto.randomUUID() });
        assert.equal(forged.slug, "intent_refused");
        const made = await browser.act({ ...intent, token: "made-up" });
        assert.equal(made.slug, "intent_refused");
        assert.equal((await browser.act(intent)).status, 200);
      },
    );

    await t.step("an account at the provider is one person's", async () => {
      const { browser } = await signedIn("tara");
      const intent = await goThere(browser, corp, another!.key); // nora's
      const refused = await browser.act(intent);
      assert.deepEqual([refused.status, refused.slug], [409, "external_account_taken"]);
    });

    const directoryPassword = people.find(({ key }) => key === "grace")!.password;
    const linksByDirectory = async (id: string) => {
      const { person, browser } = await signedIn("dora");
      const link = (password?: string, username = "grace") =>
        browser.act({
          action: "link",
          providerId: id,
          ...(password === undefined ? {} : { directory: { username, password } }),
        });
      assert.deepEqual([(await link()).status, (await link()).slug], [422, "invalid_request"]);
      for (const username of ["grace", "*", "nobody"]) {
        const { status, slug } = await link("wrong", username);
        assert.deepEqual([status, slug], [401, "credentials_refused"], username);
      }
      assert.deepEqual(await here.zitadel.listIdpLinks(person.id), []);
      const { account, status } = await link(directoryPassword);
      assert.equal(status, 200);
      assert.equal(account.providers.find((one) => one.id === id)!.linked!.userName, "grace");
      assert.deepEqual((await here.zitadel.listIdpLinks(person.id)).map(({ idpId }) => idpId), [
        id,
      ]);
      const { browser: other } = await signedIn("ella");
      const taken = await other.act({
        ...{ action: "link", providerId: id },
        directory: { username: "grace", password: directoryPassword },
      });
      assert.deepEqual([taken.status, taken.slug], [409, "external_account_taken"]);
    };
    await t.step({
      name: "a directory is linked by its name and password, asked on the page; to one person",
      ignore: !await hasSlapd(),
      fn: async () => {
        const dir = await Deno.makeTempDir({ prefix: "gatehouse-links-directory-" });
        const directory = await startDirectory(dir);
        try {
          const { id } = await here.house.zitadel.ensureProvider({
            ...{ orgId, name: "Directory", kind: "ldap", options },
            ...{ settings: directorySettings(directory), secret: directory.bindPassword },
          } as ProviderInput);
          await here.house.zitadel.ensureProviderActive(orgId, id);
          listed.push({
            ...{ idpId: id, kind: "ldap", name: "Directory", trustedDomains: [], postsTo: [] },
          });
          await linksByDirectory(id);
        } finally {
          listed.pop();
          await directory.close();
          await Deno.remove(dir, { recursive: true });
        }
      },
    });

    await t.step("a provider that may not be linked to, or is not there, is refused", async () => {
      const { browser } = await signedIn("olga");
      for (const providerId of [closed, "1"]) {
        const { status, slug } = await browser.act({ action: "link", providerId });
        assert.deepEqual([status, slug], [403, "way_not_allowed"]);
      }
    });
  } finally {
    await played.close();
  }
});
