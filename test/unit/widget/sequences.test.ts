// Random sequences of requests, each from any earlier moment of any browser, while the world changes: nobody is handed a code
// without what the organization's policy wants at that moment. More of them with FULL=1.
import assert from "node:assert/strict";
import fc from "fast-check";
import { encodeBase64Url } from "hono/utils/encode";
import type { Action, State } from "../../../functions/widget/contract.ts";
import { assertionOf, type World } from "./world.ts";
import { appOf, makeWorld, type Moment, ownOrigin, Visitor } from "./world_support.ts";

const names = ["alice", "bob", "carol", "dan", "eve", "fay", "nobody"] as const;
type Name = typeof names[number];

type Step =
  | { do: "arrive"; from: number; request: keyof typeof requests }
  | { do: "inline" }
  | { do: "reload"; from: number }
  /** What the screen asks for, done right by whoever it is about. */
  | { do: "right"; from: number; who: Name; pick: number }
  /** Anything, right or wrong, fitting or not. */
  | { do: "any"; from: number; action: number; who: Name; right: boolean }
  | { do: "change"; what: number; who: Name };

/** Mostly the newest, so that sequences get somewhere; a few steps back; any. */
const from = fc.oneof(
  { weight: 6, arbitrary: fc.constant(-1) },
  { weight: 2, arbitrary: fc.integer({ min: -6, max: -2 }) },
  { weight: 1, arbitrary: fc.nat(200) },
);
const who = fc.constantFrom("alice", ...names); // who has nothing set up has the most ways to go
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("arrive" as const),
      from,
      request: fc.constantFrom("plain", "plain", "none", "login", "select", "max_age", "evil"),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("inline" as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("reload" as const), from }) },
  {
    weight: 12,
    arbitrary: fc.record({ do: fc.constant("right" as const), from, who, pick: fc.nat(20) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      ...{ do: fc.constant("any" as const), from, action: fc.nat(35), who, right: fc.boolean() },
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant("change" as const), what: fc.nat(14), who }),
  },
);

const requests = {
  plain: {},
  none: { prompts: ["none"] },
  login: { prompts: ["login"] },
  select: { prompts: ["select_account"] },
  max_age: { maxAgeSeconds: 60 },
  evil: { clientId: "evil shop" },
} as const;

/** The person whose name was typed last is not told by the screens: `who` tries theirs. */
function rightAction(state: State | undefined, world: World, who: Name, pick: number): Action {
  const person = world.people.get(who);
  switch (state?.screen) {
    case "start":
      if (pick === 4 || pick === 5) return { action: "email_code", loginName: who };
      return pick % 3 === 0
        ? { action: "passkey", loginName: pick % 2 === 0 ? "carol" : who }
        : pick === 4
        ? { action: "show_register" }
        : pick === 8
        ? { action: "show_reset" }
        : { action: "password", loginName: who, password: person?.password ?? "x" };
    case "accounts":
      return { action: "choose_account", id: state.accounts[pick % state.accounts.length]!.id };
    case "passkey":
      return pick % 4 === 0 && state.others[0]
        ? { action: "choose_factor", method: state.others[0] }
        : credential(who, world, String(state.options.challenge), {
          verified: state.options.userVerification === "required" && pick % 5 !== 1,
          key: pick % 5 === 1 ? person?.passkey : undefined, // a mere touch
        });
    case "factor":
      if (pick % 4 === 0 && state.others.length > 0) {
        return { action: "choose_factor", method: state.others[pick % state.others.length]! };
      }
      return {
        action: "code",
        code: state.method === "totp" ? person?.totp ?? "0" : person?.recovery[0] ?? "0",
      };
    case "email_code":
    case "verify_email":
      return { action: "code", code: world.mails.at(-1)?.code ?? "0" };
    case "register":
      return registering(`${who}${pick}`);
    case "reset":
      return { action: "reset", loginName: who };
    case "reset_code":
      return {
        ...{ action: "new_password", newPassword: `reset ${pick} of ${who}` },
        code: world.mails.at(-1)?.code ?? "0",
      };
    case "change_password":
      return {
        ...{ action: "new_password", newPassword: `new ${pick} of ${who}` },
        currentPassword: world.people.get(who)?.password ?? "x",
      };
    case "setup_factor":
      return state.skippable && pick % 2 === 0
        ? { action: "skip" }
        : { action: "set_up", method: state.methods[pick % state.methods.length]! };
    case "setup_totp":
      return { action: "code", code: state.secret };
    case "setup_passkey":
      return { action: "credential", credential: registration(`key${pick}`) };
    case "recovery_codes":
      return { action: "continue" };
    default:
      return { action: "back" };
  }
}

const registering = (name: string): Action => ({
  ...{ action: "register", givenName: name, familyName: "New", email: `${name}@new.example` },
  password: `chosen by ${name}`,
});

function credential(
  who: Name,
  world: World,
  challenge: string,
  { verified, origin = ownOrigin, ...given }: {
    verified: boolean;
    origin?: string;
    key?: string | undefined;
  },
): Action {
  const person = world.people.get(who);
  const key = given.key ?? (verified ? person?.passkey : person?.key) ?? "nokey";
  return {
    action: "credential",
    credential: assertionOf(key, challenge, { verified, origin }) as never,
  };
}

function registration(id: string) {
  const said = JSON.stringify({ type: "webauthn.create", challenge: "c", origin: ownOrigin });
  const clientDataJSON = encodeBase64Url(new TextEncoder().encode(said).buffer);
  return {
    ...{ id, rawId: id, type: "public-key" as const },
    response: { clientDataJSON, attestationObject: "" },
  };
}

function anyAction(step: Extract<Step, { do: "any" }>, moment: Moment, world: World): Action {
  const { who, right, action } = step;
  const person = world.people.get(who);
  const challenge = moment.state?.screen === "passkey"
    ? String(moment.state.options.challenge)
    : "c";
  const account = moment.state?.screen === "accounts" ? moment.state.accounts[0]?.id ?? "x" : "x";
  const all: Action[] = [
    { action: "password", loginName: who, password: right ? person?.password ?? "x" : "wrong" },
    { action: "passkey", loginName: who },
    { action: "code", code: right ? person?.totp ?? "0" : "1" },
    { action: "code", code: right ? person?.recovery[0] ?? "0" : "1" },
    { action: "code", code: right ? world.mails.at(-1)?.code ?? "0" : world.mails[0]?.code ?? "1" },
    credential(who, world, challenge, { verified: right }),
    credential(who, world, challenge, { verified: false, key: person?.passkey }),
    credential(who, world, challenge, { verified: true, origin: "https://evil.example" }),
    { action: "credential", credential: registration("keyX") },
    { action: "choose_factor", method: "totp" },
    { action: "choose_factor", method: "recovery_code" },
    { action: "choose_factor", method: "email_code" },
    { action: "choose_factor", method: "security_key" },
    { action: "set_up", method: "totp" },
    { action: "set_up", method: "passkey" },
    { action: "set_up", method: "email_code" },
    { action: "skip" },
    { action: "continue" },
    { action: "back" },
    { action: "resend" },
    { action: "new_password", newPassword: "chosen by whoever" },
    { action: "new_password", newPassword: "chosen", currentPassword: person?.password ?? "x" },
    { action: "choose_account", id: account },
    { action: "choose_account", id: "session1" },
    { action: "forget_account", id: account },
    { action: "other_account" },
    { action: "show_register" },
    { action: "show_reset" },
    { action: "email_code", loginName: who },
    registering(who),
    { action: "reset", loginName: who },
    {
      ...{ action: "new_password", newPassword: "chosen by whoever reads mails" },
      code: right ? world.mails.at(-1)?.code ?? "0" : world.mails[0]?.code ?? "1",
    },
    { action: "intent", id: "1", token: "t", ticket: "t" },
    { action: "intent_failed" },
    { action: "ldap", username: who, password: person?.password ?? "x" },
    { action: "discover", loginName: who },
  ];
  return all[action % all.length]!;
}

/** What an administrator, the clock or the person elsewhere does. Changes count once ZITADEL shows them: in ten seconds at most. */
function change({ what, who }: Extract<Step, { do: "change" }>, world: World): void {
  world.now += 11;
  const person = world.people.get(who) ?? world.people.get("alice")!;
  const settings = world.settings.get("acme")!;
  const changes: (() => void)[] = [
    () => settings.forceMfa = !settings.forceMfa,
    () =>
      settings.secondFactors = settings.secondFactors.length > 2 ? ["totp"] : [
        ...["totp", "u2f", "otp_email", "recovery_code"] as const,
      ],
    () => settings.passkeysAllowed = !settings.passkeysAllowed,
    () => settings.allowLocalAuthentication = !settings.allowLocalAuthentication,
    () => person.user.state = person.user.state === "active" ? "locked" : "active",
    () => person.user.profile!.passwordChangeRequired = true,
    () => person.user.profile!.emailVerified = !person.user.profile!.emailVerified,
    () => person.totp = `totpof${who}`,
    () => {
      world.people.get("alice")!.totp = "totpofalice"; // at her account page, while a sign-in of hers is open
    },
    () => person.passkey = `${who}skey`,
    () => world.maxAgeDays = world.maxAgeDays === 0 ? 1 : 0,
    () => world.now += 3000,
    () => world.emailCodeAlone = !world.emailCodeAlone,
    () => world.now += 9000,
    () => delete person.totp,
  ];
  changes[what % changes.length]!();
}

/** How often each screen was seen, over all runs. */
const seen: Record<string, number> = {};
let handedOver = 0;

async function run(steps: Step[]): Promise<void> {
  const world = makeWorld();
  const visitor = new Visitor(appOf(world));
  const moments: Moment[] = [];
  const at = (index: number) =>
    moments.at(index < 0 ? Math.max(index, -moments.length) : index % (moments.length || 1));
  const typed = new Map<Moment, Name>(); // whom a person at this moment says to be
  const log = console.log;
  let failure = "";
  console.log = (line) => {
    if (String(line).includes('"request failed"')) failure = String(line);
  };
  try {
    for (const step of steps) {
      if (step.do === "change") {
        change(step, world);
        continue;
      }
      const base = "from" in step ? at(step.from) : undefined;
      let name: Name | undefined = base && typed.get(base);
      let answered;
      if (step.do === "arrive") {
        answered = await visitor.arrive(
          world.request(requests[step.request] as object),
          base?.cookies,
        );
      } else if (step.do === "inline") answered = await visitor.openInline();
      else if (base === undefined) continue;
      else if (step.do === "reload") answered = await visitor.open(base);
      else if (step.do === "right" && base.state?.screen === "done") {
        answered = await visitor.arrive(world.request({}), base.cookies);
      } else {
        if (base.state?.screen === "start") name = step.who;
        const action = step.do === "right"
          ? rightAction(base.state, world, name ?? step.who, step.pick)
          : anyAction(step, base, world);
        if ("loginName" in action) name = action.loginName as Name;
        answered = await visitor.act(base, action);
      }
      assert.ok(answered.status < 500, `${JSON.stringify(step)}: ${failure}`);
      if (answered.state) seen[answered.state.screen] = (seen[answered.state.screen] ?? 0) + 1;
      moments.push(answered.moment);
      if (name) typed.set(answered.moment, name);
      assert.deepEqual(world.violations, []);
    }
  } finally {
    console.log = log;
  }
  handedOver += world.handedOver;
}

Deno.test("widget flows: no sequence of requests, replays among them, gets a code without what the policy asks", async () => {
  const full = Deno.env.get("FULL") !== undefined;
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 10, maxLength: full ? 120 : 60, size: "max" }),
      run,
    ),
    {
      numRuns: full ? 5000 : 200,
      seed: full ? undefined : 7,
      endOnFailure: !full, // shrinking takes minutes
    },
  );
  // Else it proves nothing: people do get in, by every screen.
  assert.ok(handedOver > 60, `${handedOver} codes`);
  const screens = [
    ...["start", "accounts", "passkey", "factor", "email_code", "change_password"],
    ...["setup_factor", "setup_totp", "setup_passkey", "recovery_codes", "done"],
    ...["register", "verify_email", "reset", "reset_code"],
  ];
  for (const screen of screens) assert.ok((seen[screen] ?? 0) > 0, `${screen}: ${seen[screen]}`);
});
