// The sign-in policy: its rules one by one, and all combinations against an oracle that was written from the rules' text.
import assert from "node:assert/strict";
import fc from "fast-check";
import {
  askedFactors,
  decide,
  type Factor,
  type Proof,
  type Standing,
  standingOf,
  type Verdict,
} from "../../functions/widget/policy.ts";
import type { LoginSettings, User } from "../../functions/_shared/zitadel/types.ts";

/** Somebody for whom a password is enough, and who has just typed it. */
const plain: Standing = {
  policy: {
    firsts: ["password", "provider", "passkey"],
    seconds: ["totp", "security_key", "email_code", "recovery_code"],
    force: "nobody",
    offerSetup: false,
  },
  user: {
    active: true,
    emailVerified: true,
    passwordChangeRequired: false,
    passwordExpired: false,
  },
  holds: [],
  proven: ["password"],
};

type Change = Partial<Omit<Standing, "policy" | "user">> & {
  policy?: Partial<Standing["policy"]>;
  user?: Partial<Standing["user"]>;
};

const standing = (change: Change): Standing => ({
  ...plain,
  ...change,
  policy: { ...plain.policy, ...change.policy },
  user: { ...plain.user, ...change.user },
});

const table: [string, Change, Verdict][] = [
  ["a password is enough where nothing more is asked", {}, "complete"],
  ["a session that only names a user is nothing", { proven: [] }, "proof_required"],
  ["a second factor alone is nothing", { proven: ["totp"] }, "proof_required"],
  ["a disabled or locked person is refused", { user: { active: false } }, "credentials_refused"],
  [
    "a password does not do where local sign-in is off",
    { policy: { firsts: ["provider"] } },
    "way_not_allowed",
  ],
  [
    "a provider does where local sign-in is off",
    { policy: { firsts: ["provider"] }, proven: ["provider"] },
    "complete",
  ],
  [
    "a provider does not do where the organization takes none",
    { policy: { firsts: ["password"] }, proven: ["provider"] },
    "way_not_allowed",
  ],
  ["who set up a second factor shows it", { holds: ["totp"] }, "factor_required"],
  ["and is then done", { holds: ["totp"], proven: ["password", "totp"] }, "complete"],
  [
    "one that the organization does not take any more is not asked for",
    { holds: ["totp"], policy: { seconds: ["security_key"] } },
    "complete",
  ],
  [
    "and does not count where two are forced",
    {
      holds: ["totp"],
      proven: ["password", "totp"],
      policy: { seconds: ["security_key"], force: "all" },
    },
    "factor_setup_required",
  ],
  [
    "a passkey that verified its user is both factors",
    { holds: ["totp", "passkey"], proven: ["passkey"], policy: { force: "all" } },
    "complete",
  ],
  [
    "a passkey is not asked for beside a password where one factor is enough",
    { holds: ["passkey"] },
    "complete",
  ],
  [
    "where two are forced it is asked for before another is set up",
    { holds: ["passkey"], policy: { force: "all" } },
    "factor_required",
  ],
  [
    "a key without a verified user is a second factor only",
    { holds: ["security_key"], proven: ["security_key"] },
    "proof_required",
  ],
  [
    "an e-mail code alone signs in where the tenant said so",
    {
      proven: ["email_code"],
      holds: ["email_code"],
      policy: { firsts: ["password", "email_code"] },
    },
    "complete",
  ],
  [
    "nowhere else",
    { proven: ["email_code"], holds: ["email_code"] },
    "way_not_allowed",
  ],
  [
    "and is never both factors",
    {
      proven: ["email_code"],
      holds: ["email_code"],
      policy: { firsts: ["email_code"], force: "all" },
    },
    "factor_setup_required",
  ],
  [
    "an SMS that was set up elsewhere is not passed over",
    { holds: ["sms"], policy: { seconds: ["totp", "sms"] } },
    "factor_required",
  ],
  [
    "the second factor comes before a change of password",
    { holds: ["totp"], user: { passwordChangeRequired: true } },
    "factor_required",
  ],
  [
    "a forced change of password holds",
    { user: { passwordChangeRequired: true } },
    "password_change_required",
  ],
  ["an expired password too", { user: { passwordExpired: true } }, "password_expired"],
  [
    "neither is any matter to who came by a provider",
    { user: { passwordChangeRequired: true, passwordExpired: true }, proven: ["provider"] },
    "complete",
  ],
  [
    "an unverified e-mail address is not let in",
    { user: { emailVerified: false } },
    "email_not_verified",
  ],
  [
    "a forced second factor that nobody set up is to be set up",
    { policy: { force: "all" } },
    "factor_setup_required",
  ],
  [
    "forced for local sign-in holds for passwords",
    { policy: { force: "local" } },
    "factor_setup_required",
  ],
  [
    "forced for local sign-in spares who came by a provider",
    { policy: { force: "local" }, proven: ["provider"] },
    "complete",
  ],
  [
    "forced for all does not",
    { policy: { force: "all" }, proven: ["provider"] },
    "factor_setup_required",
  ],
  ["who is free to is asked once", { policy: { offerSetup: true } }, "factor_setup_offered"],
  [
    "not who has shown two",
    { policy: { offerSetup: true }, proven: ["password", "totp"] },
    "complete",
  ],
];

for (const [name, change, expected] of table) {
  Deno.test(`sign-in policy: ${name}`, () => {
    assert.equal(decide(standing(change)), expected);
  });
}

/** By counting what was shown, where policy.ts goes through its rules. */
function oracle({ policy, user, holds, proven }: Standing): Verdict {
  const shown = new Set(proven);
  const ways: Proof[] = ["password", "provider", "passkey", "email_code"];
  if (!user.active) return "credentials_refused";
  if (!ways.some((way) => shown.has(way))) return "proof_required";
  const good = ways.filter((way) => shown.has(way) && policy.firsts.includes(way));
  if (good.length === 0) return "way_not_allowed";

  const onlyMail = good.every((way) => way === "email_code");
  const beside = policy.seconds.filter((factor) => !(onlyMail && factor === "email_code"));
  let factors = 1;
  if (good.includes("passkey")) factors = 2;
  for (const factor of beside) if (shown.has(factor)) factors = 2;
  const spared = policy.force === "local" && good.includes("provider");
  const forced = policy.force !== "nobody" && !spared;
  if (factors < 2) {
    if (beside.some((factor) => holds.includes(factor))) return "factor_required";
    const hasPasskey = holds.includes("passkey") && policy.firsts.includes("passkey");
    if (forced && hasPasskey) return "factor_required";
  }
  if (shown.has("password")) {
    if (user.passwordChangeRequired) return "password_change_required";
    if (user.passwordExpired) return "password_expired";
  }
  if (!user.emailVerified) return "email_not_verified";
  if (factors < 2 && forced) return "factor_setup_required";
  if (factors < 2 && policy.offerSetup) return "factor_setup_offered";
  return "complete";
}

const subsets = <T>(all: T[]): T[][] =>
  Array.from(
    { length: 2 ** all.length },
    (_, bits) => all.filter((_, place) => (bits >> place & 1) === 1),
  );

Deno.test("sign-in policy: all 1,572,864 combinations of policy, person and what was shown are as the oracle says", () => {
  // One plain second factor stands for all of them; the next test shows that they are alike.
  const firsts = subsets<Proof>(["password", "provider", "passkey", "email_code"]);
  const seconds = subsets<Factor>(["totp", "email_code"]);
  const holds = subsets<Factor | "passkey">(["totp", "email_code", "passkey"]);
  const provens = subsets<Proof>(["password", "provider", "passkey", "email_code", "totp"]);
  const flags = subsets(["active", "emailVerified", "passwordChangeRequired", "passwordExpired"]);
  let combinations = 0;
  for (const force of ["nobody", "local", "all"] as const) {
    for (const offerSetup of [false, true]) {
      for (const first of firsts) {
        for (const second of seconds) {
          const policy = { firsts: first, seconds: second, force, offerSetup };
          for (const set of flags) {
            const user = {
              active: set.includes("active"),
              emailVerified: set.includes("emailVerified"),
              passwordChangeRequired: set.includes("passwordChangeRequired"),
              passwordExpired: set.includes("passwordExpired"),
            };
            for (const held of holds) {
              for (const proven of provens) {
                const one = { policy, user, holds: held, proven };
                const verdict = decide(one);
                combinations++;
                if (verdict === oracle(one)) continue;
                assert.fail(`${verdict}, not ${oracle(one)}: ${JSON.stringify(one)}`);
              }
            }
          }
        }
      }
    }
  }
  assert.equal(combinations, 1_572_864);
});

const factors: Factor[] = ["totp", "security_key", "email_code", "recovery_code", "sms"];
const anyStanding: fc.Arbitrary<Standing> = fc.record({
  policy: fc.record({
    firsts: fc.subarray<Proof>(["password", "provider", "passkey", "email_code"]),
    seconds: fc.subarray(factors),
    force: fc.constantFrom("nobody", "local", "all"),
    offerSetup: fc.boolean(),
  }),
  user: fc.record({
    active: fc.boolean(),
    emailVerified: fc.boolean(),
    passwordChangeRequired: fc.boolean(),
    passwordExpired: fc.boolean(),
  }),
  holds: fc.subarray<Factor | "passkey">([...factors, "passkey"]),
  proven: fc.subarray<Proof>(["password", "provider", "passkey", ...factors]),
});
const runs = { numRuns: Deno.env.get("FULL") ? 1_000_000 : 20_000, seed: 20261126 };

Deno.test("sign-in policy: with every factor, samples of the 805 million combinations are as the oracle says", () => {
  fc.assert(fc.property(anyStanding, (one) => decide(one) === oracle(one)), runs);
});

Deno.test("sign-in policy: what is asked for, once shown, is not asked for again", () => {
  fc.assert(
    fc.property(anyStanding, (one) => {
      if (decide(one) !== "factor_required") return true;
      return askedFactors(one).length > 0 &&
        askedFactors(one).every((factor) =>
          decide({ ...one, proven: [...one.proven, factor] }) !== "factor_required"
        );
    }),
    runs,
  );
});

Deno.test("sign-in policy: less shown never opens more", () => {
  fc.assert(
    fc.property(anyStanding, fc.nat(), (one, index) => {
      const fewer = one.proven.filter((_, place) => place !== index % (one.proven.length || 1));
      const opens = (proven: Proof[]) => decide({ ...one, proven }) === "complete";
      // A password that must be changed is the one thing that is better not shown.
      if (one.user.passwordChangeRequired || one.user.passwordExpired) return true;
      return !opens(fewer) || opens(one.proven);
    }),
    runs,
  );
});

const settings: LoginSettings = {
  allowLocalAuthentication: true,
  allowRegister: false,
  allowExternalIdp: true,
  passkeysAllowed: true,
  forceMfa: false,
  forceMfaLocalOnly: false,
  hidePasswordReset: false,
  ignoreUnknownUsernames: false,
  allowDomainDiscovery: false,
  disableLoginWithEmail: false,
  disableLoginWithPhone: false,
  defaultRedirectUri: "",
  secondFactors: ["totp", "u2f"],
  multiFactors: ["u2f_with_verification"],
  passwordCheckLifetimeSeconds: 3600,
  externalLoginCheckLifetimeSeconds: 7200,
  secondFactorCheckLifetimeSeconds: 600,
  multiFactorCheckLifetimeSeconds: 1200,
  mfaInitSkipLifetimeSeconds: 0,
};
const user: User = {
  id: "1",
  orgId: "2",
  kind: "human",
  state: "active",
  userName: "vera",
  loginNames: ["vera@acme"],
  preferredLoginName: "vera@acme",
  profile: {
    givenName: "Vera",
    familyName: "Example",
    displayName: "Vera Example",
    email: "vera@mail.example",
    emailVerified: true,
    passwordChangeRequired: false,
    passwordChangedAt: "2026-11-01T00:00:00Z",
  },
};
const now = new Date("2026-11-26T12:00:00Z");
const at = (secondsAgo: number) => now.getTime() / 1000 - secondsAgo;
const facts: Parameters<typeof standingOf>[0] = {
  settings,
  expiry: { maxAgeDays: 0, expireWarnDays: 0 },
  user,
  methods: ["password", "totp", "u2f", "idp", "passkey"],
  emailCodeAlone: false,
  proven: {},
  notBefore: 0,
  now,
};

Deno.test("sign-in policy: each proof counts for its own lifetime, and none for longer than a session", () => {
  const proven = { password: at(3599), provider: at(7200), totp: at(601), passkey: at(1199) };
  assert.deepEqual(standingOf({ ...facts, proven }).proven, ["password", "passkey"]);
  const endless = { ...settings, passwordCheckLifetimeSeconds: 0 };
  const twelveHours = 12 * 60 * 60;
  for (const [ago, counts] of [[twelveHours - 1, true], [twelveHours, false]] as const) {
    const standing = standingOf({ ...facts, settings: endless, proven: { password: at(ago) } });
    assert.equal(standing.proven.length === 1, counts);
  }
});

Deno.test("sign-in policy: nothing counts from before what prompt=login or max_age say", () => {
  const proven = { password: at(100), totp: at(50) };
  assert.deepEqual(standingOf({ ...facts, proven, notBefore: at(60) }).proven, ["totp"]);
});

Deno.test("sign-in policy: a password is expired by its age in days, where there is a limit", () => {
  const expired = (maxAgeDays: number) =>
    standingOf({ ...facts, expiry: { maxAgeDays, expireWarnDays: 0 } }).user.passwordExpired;
  assert.deepEqual([0, 25, 26].map(expired), [false, true, false]);
});

Deno.test("sign-in policy: setting up is offered until it was skipped, and again when that was long ago", () => {
  const offered = (secondsAgo: number | undefined) =>
    standingOf({
      ...facts,
      settings: { ...settings, mfaInitSkipLifetimeSeconds: 1000 },
      user: {
        ...user,
        profile: {
          ...user.profile!,
          ...(secondsAgo === undefined
            ? {}
            : { mfaInitSkippedAt: new Date(at(secondsAgo) * 1000).toISOString() }),
        },
      },
    }).policy.offerSetup;
  assert.deepEqual([undefined, 999, 1000].map(offered), [true, false, true]);
  assert.equal(standingOf(facts).policy.offerSetup, false);
});

Deno.test("sign-in policy: ZITADEL's words become ours; a machine or who is not active is not let in", () => {
  const said = standingOf(facts);
  assert.deepEqual(said.holds, ["totp", "security_key", "passkey"]);
  assert.deepEqual(said.policy.firsts, ["password", "provider", "passkey"]);
  assert.deepEqual(said.policy.seconds, ["totp", "security_key"]);
  const active = (change: Partial<User>) =>
    standingOf({ ...facts, user: { ...user, ...change } }).user.active;
  assert.deepEqual(
    [active({}), active({ kind: "machine" }), active({ state: "locked" })],
    [true, false, false],
  );
  const local = standingOf({
    ...facts,
    settings: { ...settings, allowLocalAuthentication: false },
  });
  assert.deepEqual(local.policy.firsts, ["provider"]);
});
