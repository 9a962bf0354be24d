// What a tenant's settings make of a sign-in: a code by e-mail alone, a lockout, a domain that leads to a provider; and a link handed over.
import assert from "node:assert/strict";
import { en } from "../../../widget/src/texts/en.ts";
import { eventually } from "../../support/eventually.ts";
import { codeInMail, type Here } from "../support/demo.ts";
import {
  fill,
  heading,
  namePassword,
  newPassword,
  press,
  steps,
  toSignIn,
  welcome,
} from "../support/people.ts";

export async function settings(
  t: Deno.TestContext,
  { facts: { storefrontUrl, functionsUrl, providersUrl }, demo, browser }: Here,
): Promise<void> {
  const step = steps(t, browser);
  const record = await demo.record();
  const [first, second] = [newPassword(), newPassword()];

  await step(
    "a link that an administrator hands over sets a password, and stops after that",
    async ({ page }) => {
      const hanna = await demo.person("hanna", { password: first });
      const link = (await demo.linkFor(hanna.id, { kind: "reset", by: "link" }))!;
      assert.ok(link.startsWith(`${functionsUrl}/widget/link#kind=reset&`), link);
      await page.goto(link);
      await fill(page, en.newPassword, second);
      await press(page, en.savePassword);
      await heading(page, en.doneReset).waitFor();
      await page.goto(link);
      await page.reload(); // the same address but for the fragment is no navigation
      await fill(page, en.newPassword, first);
      await press(page, en.savePassword);
      await page.getByRole("alert").filter({ hasText: /./ }).waitFor();
      await toSignIn(page, storefrontUrl);
      await namePassword(page, hanna.loginName, second);
      await press(page, en.skip);
      await welcome(page, "Hanna");
      record.oneMore();
    },
  );

  await step(
    "after two wrong passwords the right one is refused like them; others are not locked",
    async ({ page }) => {
      await demo.manage("POST", "policies/lockout", { maxPasswordAttempts: 2 });
      const luke = await demo.person("luke", { password: first });
      await toSignIn(page, storefrontUrl);
      for (const password of ["Wrong-Horse-1", "Wrong-Horse-2", first]) {
        await namePassword(page, luke.loginName, password);
        await page.getByRole("alert").getByText(en.x_credentials_refused).waitFor();
        const field = page.getByLabel(en.password, { exact: true });
        await eventually("the answer, which empties it", async () => !await field.inputValue());
      }
      const nora = await demo.person("nora", { password: first });
      await namePassword(page, nora.loginName, first);
      await press(page, en.skip);
      await welcome(page, "Nora");
      record.oneMore();
    },
  );

  await step(
    "a code by e-mail is a whole sign-in where the tenant has published that",
    async ({ page }) => {
      const made = await demo.rest.ask("widget_configs", {
        tenant_id: demo.tenant.id,
        flows: { email_code: true },
      });
      assert.equal(made.status, 201, JSON.stringify(made.body));
      const [config] = await demo.rest.rows(
        `widget_configs?tenant_id=eq.${demo.tenant.id}&select=id`,
      );
      const published = await demo.rest.ask("rpc/publish_widget_config", {
        ...{ tenant_id: demo.tenant.id, config_id: config!.id },
      });
      assert.equal(published.status, 200, JSON.stringify(published.body));
      const mila = await demo.person("mila");
      await toSignIn(page, storefrontUrl);
      await fill(page, en.loginName, mila.loginName);
      await press(page, en.useEmailCode);
      await heading(page, en.emailTitle).waitFor();
      await fill(page, en.code, await demo.mailed(mila.email, codeInMail));
      await press(page, en.confirm);
      await press(page, en.skip);
      await welcome(page, "Mila");
      record.oneMore();
    },
  );

  await step("a name of a proven domain leads to the provider of that domain", async ({ page }) => {
    await demo.sql`insert into public.tenant_domains (tenant_id, name, verified_at)
      values (${demo.tenant.id}, 'corp.example', now())`;
    await demo.sql`update public.providers set domains = '{corp.example}'
      where tenant_id = ${demo.tenant.id} and name = 'Corporate sign-in'`;
    await toSignIn(page, storefrontUrl);
    await fill(page, en.loginName, "who@corp.example");
    await press(page, en.next);
    await page.waitForURL(`${providersUrl}/oidc/**`);
  });
  await t.step("each of these is one sign-in on record", record.isRight);
}
