/**
 * Every other way in, in Chromium before the whole stack: the real function, the double of ZITADEL, played providers, the mailbox. One stack
 * for all subjects, since its start takes as long as one of them. It is reached by name: an address is no relying party.
 * One person's way from registering to signing out: widget_flows.test.ts. What each screen is like: widget_screens.test.ts.
 */
import { startStack } from "../support/stack.ts";
import { launch } from "./support/browser.ts";
import { openDemo } from "./support/demo.ts";
import { customerPage } from "./whole/customer_page.ts";
import { people } from "./whole/people.ts";
import { providers } from "./whole/providers.ts";

Deno.test("the widget before the whole stack", async (t) => {
  await using stack = await startStack(["--host", "localhost"]);
  await using demo = await openDemo(stack);
  await using browser = await launch();
  const here = { ...stack, demo, browser };
  await t.step("on a customer's page", (t) => customerPage(t, here));
  await t.step("at providers", (t) => providers(t, here));
  // Last: it changes the policy that all of them sign in under.
  await t.step("with passkeys, by invitation, under a strict policy", (t) => people(t, here));
});
