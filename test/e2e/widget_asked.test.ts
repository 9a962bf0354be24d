/**
 * What applications and tenants ask of a sign-in, in Chromium before the whole stack. The other ways in: widget_whole.test.ts; one person's
 * way from registering to signing out: widget_flows.test.ts.
 */
import { startStack } from "../support/stack.ts";
import { launch } from "./support/browser.ts";
import { openDemo } from "./support/demo.ts";
import { asked } from "./whole/asked.ts";
import { settings } from "./whole/settings.ts";

Deno.test("the widget as it is asked", async (t) => {
  await using stack = await startStack([]);
  await using demo = await openDemo(stack);
  await using browser = await launch();
  const here = { ...stack, demo, browser };
  await t.step("by an application", (t) => asked(t, here));
  // Last: they change what all sign in under.
  await t.step("by a tenant's settings", (t) => settings(t, here));
});
