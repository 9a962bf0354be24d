// OpenID, SAML by a form under the page's policy, a directory; accounts made and linked. Every option: test/integration/widget_providers.test.ts.
import assert from "node:assert/strict";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { clientId } from "../../../scripts/stack/providers/main.ts";
import { baseDn, hasSlapd, startDirectory } from "../../../scripts/stack/providers/directory.ts";
import { people } from "../../../scripts/stack/providers/people.ts";
import { en } from "../../../widget/src/texts/en.ts";
import { eventually } from "../../support/eventually.ts";
import { codeInMail, type Here } from "../support/demo.ts";
import { fill, heading, press, steps, toSignIn, welcome } from "../support/people.ts";

const useProvider = (page: Page, name: string) =>
  press(page, en.useProvider.replace("{name}", name));

export async function providers(
  t: Deno.TestContext,
  { facts, dir, demo, browser }: Here,
): Promise<void> {
  const { storefrontUrl, providersUrl, loginUrl } = facts;
  const { password } = facts.demo.providers!;
  const played = JSON.parse(await Deno.readTextFile(join(dir, "credentials/played.json")));
  const step = steps(t, browser);
  const record = await demo.record();

  /** At the played provider's own page. */
  const signInThere = async (page: Page, username: string) => {
    await page.waitForURL(`${providersUrl}/**`);
    await fill(page, "User name", username);
    await fill(page, "Password", password);
    await press(page, "Sign in");
  };
  const provide = async (provider: Record<string, unknown>) => {
    const answer = await demo.functions.ask("provision/providers", {
      ...{ tenantId: demo.tenant.id, enabled: true, ...provider },
    });
    assert.equal(answer.status, 201, JSON.stringify(answer.body));
    const { id } = answer.body as { id: string };
    await eventually(
      `${provider.name} at ZITADEL`,
      async () => (await demo.rest.rows(`providers?id=eq.${id}&state=eq.active`)).length > 0,
    );
  };

  await step(
    "SAML: a form leaves our page for the provider; the account is made as looked over, its address proven",
    async ({ page }) => {
      await toSignIn(page, storefrontUrl);
      const posted = page.waitForRequest((request) =>
        request.method() === "POST" && request.url().startsWith(providersUrl)
      );
      await useProvider(page, "Corporate directory");
      assert.ok((await posted).postData()!.includes("SAMLRequest="));
      await signInThere(page, "grace");
      await heading(page, en.completeTitle).waitFor();
      assert.equal(await page.getByLabel(en.familyName).inputValue(), "Hopper");
      await fill(page, en.givenName, "Amazing");
      await press(page, en.register);
      // What a SAML provider says of an address nobody vouches for.
      await heading(page, en.verifyTitle).waitFor();
      await fill(page, en.code, await demo.mailed("grace@acme.example", codeInMail));
      await press(page, en.confirm);
      await press(page, en.skip);
      await welcome(page, "Amazing Hopper");
      record.oneMore();
    },
  );

  await step("SAML: from then on nothing is asked here", async ({ page }) => {
    await toSignIn(page, storefrontUrl);
    await useProvider(page, "Corporate directory");
    await signInThere(page, "grace");
    await welcome(page, "Amazing Hopper");
    record.oneMore();
  });

  await step("OpenID: an account is made of what the provider vouches for", async ({ page }) => {
    await toSignIn(page, storefrontUrl);
    await useProvider(page, "Corporate sign-in");
    await signInThere(page, "alan");
    await heading(page, en.completeTitle).waitFor();
    await press(page, en.register);
    await press(page, en.skip);
    await welcome(page, "Alan Turing");
    record.oneMore();
  });

  await step("OpenID: who turns back at the provider is at the start again", async ({ page }) => {
    await toSignIn(page, storefrontUrl);
    await useProvider(page, "Corporate sign-in");
    await page.waitForURL(`${providersUrl}/**`);
    await press(page, "Cancel");
    await page.getByLabel(en.loginName).waitFor();
    assert.ok(page.url().startsWith(loginUrl.replace(/login$/, "return?")));
    await useProvider(page, "Corporate sign-in"); // and may try once more
    await signInThere(page, "alan");
    await welcome(page, "Alan Turing");
    record.oneMore();
  });

  for (const name of ["Google", "GitHub", "Microsoft"]) {
    await step(
      `${name}: an account of another address, which its owner proves`,
      async ({ page }) => {
        const email = `${name.toLowerCase()}@people.example`;
        await toSignIn(page, storefrontUrl);
        await useProvider(page, name);
        await signInThere(page, "alan");
        await heading(page, en.completeTitle).waitFor();
        await fill(page, en.givenName, name);
        await fill(page, en.familyName, "Person");
        await fill(page, en.email, email);
        await press(page, en.register);
        await heading(page, en.verifyTitle).waitFor();
        await fill(page, en.code, await demo.mailed(email, codeInMail));
        await press(page, en.confirm);
        await press(page, en.skip);
        await welcome(page, `${name} Person`);
        record.oneMore();
      },
    );
  }

  await provide({
    name: "Partner",
    kind: "oidc",
    settings: { issuer: `${providersUrl}/oidc`, clientId },
    secret: played.clientSecret,
    options: { linkingAllowed: true, creationAllowed: false, autoLinking: "email" },
  });

  await step(
    "another provider's account is linked by the address that both have proven",
    async ({ page }) => {
      await toSignIn(page, storefrontUrl);
      await useProvider(page, "Partner");
      await signInThere(page, "grace");
      await welcome(page, "Amazing Hopper"); // as she is called here, not there
      record.oneMore();
    },
  );

  await step("who merely says to have that address is let in as nobody", async ({ page }) => {
    await toSignIn(page, storefrontUrl);
    await useProvider(page, "Partner");
    await signInThere(page, "mallory");
    await page.getByRole("alert").filter({ hasText: /./ }).waitFor();
    await page.getByLabel(en.loginName).waitFor();
  });

  if (await hasSlapd()) {
    const directory = await startDirectory(join(dir, "directory"));
    try {
      await provide({
        name: "Directory",
        kind: "ldap",
        settings: {
          ...{ servers: [directory.ldapsUrl], ca: directory.ca, baseDn, bindDn: directory.bindDn },
          ...{ userObjectClasses: ["inetOrgPerson"], userFilters: ["uid"] },
          attributes: { id: "employeeNumber", userName: "uid", displayName: "cn" },
        },
        secret: directory.bindPassword,
        options: { linkingAllowed: true, creationAllowed: false, autoLinking: "username" },
      });
      await step("LDAP: the directory's password is typed on our page", async ({ page }) => {
        await demo.person("alan"); // the directory's name, and nobody's address there
        const there = people.find(({ key }) => key === "alan")!.password;
        await toSignIn(page, storefrontUrl);
        await useProvider(page, "Directory");
        await page.getByText(en.ldapLead.replace("{name}", "Directory")).waitFor();
        await fill(page, en.loginName, "alan");
        await fill(page, en.password, "not the password");
        await press(page, en.signIn);
        await page.getByRole("alert").filter({ hasText: /./ }).waitFor();
        await fill(page, en.password, there);
        await press(page, en.signIn);
        await press(page, en.skip);
        await welcome(page, "Alan Person");
        record.oneMore();
      });
    } finally {
      await directory.close();
    }
  }
  await t.step("each of these is one sign-in on record", record.isRight);
}
