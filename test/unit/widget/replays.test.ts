// What random sequences seldom come to: the moments in which a memory says more, or of somebody else, than counts now.
import assert from "node:assert/strict";
import type { State } from "../../../functions/widget/contract.ts";
import { assertionOf, type World } from "./world.ts";
import { type Answered, appOf, makeWorld, ownOrigin, Visitor } from "./world_support.ts";

function given(): { world: World; visitor: Visitor } {
  const world = makeWorld();
  world.settings.get("acme")!.mfaInitSkipLifetimeSeconds = 0;
  return { world, visitor: new Visitor(appOf(world)) };
}

type On<S extends State["screen"]> = Extract<State, { screen: S }>;
function on<S extends State["screen"]>({ state, slug }: Answered, screen: S): On<S> {
  assert.equal(state?.screen, screen, slug ?? "");
  return state as On<S>;
}
const signIn = (loginName: string) =>
  ({ action: "password", loginName, password: `password of ${loginName}` }) as const;

Deno.test("widget flows: a challenge alone proves nothing, reload or not", async () => {
  const { world, visitor } = given();
  const { moment } = await visitor.arrive(world.request({}));
  const asked = await visitor.act(moment, { action: "passkey", loginName: "carol" });
  on(asked, "passkey");
  on(await visitor.open(asked.moment), "start");
  assert.equal(world.handedOver, 0);
});

Deno.test("widget flows: a passkey that was only touched is not a passkey", async () => {
  const { world, visitor } = given();
  const { moment } = await visitor.arrive(world.request({}));
  const asked = await visitor.act(moment, { action: "passkey", loginName: "carol" });
  const challenge = String(on(asked, "passkey").options.challenge);
  const show = (verified: boolean, origin = ownOrigin) =>
    visitor.act(asked.moment, {
      action: "credential",
      credential: assertionOf("carolskey", challenge, { verified, origin }) as never,
    });
  assert.equal((await show(false)).slug, "credential_refused");
  assert.equal((await show(true, "https://evil.example")).slug, "credential_refused");
  on(await show(true), "done");
});

Deno.test("widget flows: what one person has shown is not another's", async () => {
  const { world, visitor } = given();
  const first = await visitor.arrive(world.request({}));
  const factor = await visitor.act(first.moment, signIn("bob"));
  const done = await visitor.act(factor.moment, { action: "code", code: "totpofbob" });
  on(done, "done");
  world.now += 8000; // the password is too old, the code is not
  world.people.get("alice")!.totp = "totpofalice";
  const second = await visitor.arrive(world.request({}), done.moment.cookies);
  const { accounts } = on(second, "accounts");
  assert.equal(accounts[0]!.fresh, false);
  const stale = await visitor.act(second.moment, {
    action: "choose_account",
    id: accounts[0]!.id,
  });
  assert.equal(on(stale, "start").loginHint, "bob");
  on(await visitor.act(stale.moment, signIn("alice")), "factor");
  on(await visitor.act(stale.moment, signIn("bob")), "factor"); // a new session has shown nothing else
  assert.deepEqual(world.violations, []);
});

Deno.test("widget flows: an old sign-in is let through as long as it counts, and not a second longer", async () => {
  const { world, visitor } = given();
  const first = await visitor.arrive(world.request({}));
  const done = await visitor.act(first.moment, signIn("alice"));
  world.now += 7199;
  on(await visitor.arrive(world.request({}), done.moment.cookies), "done");
  world.now += 1;
  on(await visitor.arrive(world.request({}), done.moment.cookies), "accounts");
});

Deno.test("widget flows: a password that is to be changed again, after it was changed, is changed again", async () => {
  const { world, visitor } = given();
  world.settings.get("acme")!.forceMfa = true;
  const alice = world.people.get("alice")!;
  alice.user.profile!.passwordChangeRequired = true;
  const first = await visitor.arrive(world.request({}));
  const asked = await visitor.act(first.moment, signIn("alice"));
  on(asked, "change_password");
  // Loaded anew, which brings no cookie to the page itself, it goes on where it was.
  on(await visitor.arrive(asked.moment.flow, asked.moment.cookies), "change_password");
  const changed = await visitor.act(asked.moment, {
    ...{ action: "new_password", newPassword: "new", currentPassword: alice.password! },
  });
  on(changed, "setup_factor");
  alice.user.profile!.passwordChangeRequired = true;
  // ZITADEL's reads may be late: for ten seconds the flow knows better.
  on(await visitor.open(changed.moment), "setup_factor");
  world.now += 11;
  on(await visitor.open(changed.moment), "change_password");
});

Deno.test("widget flows: a factor that is not taken any more does not count, though it was asked for", async () => {
  const { world, visitor } = given();
  const first = await visitor.arrive(world.request({}));
  const factor = await visitor.act(first.moment, signIn("bob"));
  on(factor, "factor");
  world.settings.get("acme")!.secondFactors = ["recovery_code"];
  const typed = await visitor.act(factor.moment, { action: "code", code: "totpofbob" });
  assert.equal(on(typed, "factor").method, "recovery_code");
});

Deno.test("widget flows: prompt=login asks who is signed in, even through the account chooser", async () => {
  const { world, visitor } = given();
  const first = await visitor.arrive(world.request({}));
  const done = await visitor.act(first.moment, signIn("alice"));
  on(done, "done");
  world.now += 5;
  const request = world.request({ prompts: ["login", "select_account"] });
  const second = await visitor.arrive(request, done.moment.cookies);
  on(second, "start");
  const refused = await visitor.act(second.moment, { action: "choose_account", id: "session1" });
  assert.equal(refused.slug, "action_refused");
  on(await visitor.act(second.moment, signIn("alice")), "done");
});

Deno.test("widget flows: after an hour a flow is over", async () => {
  const { world, visitor } = given();
  const first = await visitor.arrive(world.request({}));
  const inline = await visitor.openInline();
  world.now += 3600;
  assert.equal((await visitor.act(first.moment, signIn("alice"))).slug, "browser_mismatch");
  assert.equal((await visitor.act(inline.moment, signIn("alice"))).slug, "browser_mismatch");
});
