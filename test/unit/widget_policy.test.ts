import assert from "node:assert/strict";
import { decide, type Standing, standingOf, type Verdict } from "../../functions/widget/policy.ts";
import type { LoginSettings, Session, User } from "../../functions/_shared/zitadel/types.ts";

/** Somebody for whom a password is enough, and who has just typed it. */
const plain: Standing = {
  settings: { allowLocalAuthentication: true, forceMfa: false, forceMfaLocalOnly: false },
  user: { active: true, emailVerified: true, passwordChangeRequired: false },
  hasSecondFactor: false,
  proven: { password: true, provider: false, passkey: false, secondFactor: false },
  expired: false,
};

type Change = {
  [K in keyof Standing]?: Standing[K] extends boolean ? boolean : Partial<Standing[K]>;
};

function standing(change: Change): Standing {
  return {
    settings: { ...plain.settings, ...change.settings },
    user: { ...plain.user, ...change.user },
    hasSecondFactor: change.hasSecondFactor ?? plain.hasSecondFactor,
    proven: { ...plain.proven, ...change.proven },
    expired: change.expired ?? plain.expired,
  };
}

const only = (...names: (keyof Standing["proven"])[]) => ({
  password: names.includes("password"),
  provider: names.includes("provider"),
  passkey: names.includes("passkey"),
  secondFactor: names.includes("secondFactor"),
});

const table: [string, Change, Verdict][] = [
  ["a password is enough where nothing more is asked", {}, "complete"],
  ["a session that only names a user is nothing", { proven: only() }, "credentials_refused"],
  ["a second factor alone is nothing", { proven: only("secondFactor") }, "credentials_refused"],
  ["a session that has run out is nothing", { expired: true }, "credentials_refused"],
  ["a disabled or locked person is refused", { user: { active: false } }, "credentials_refused"],
  [
    "a password does not do where local sign-in is off",
    { settings: { allowLocalAuthentication: false } },
    "password_not_allowed",
  ],
  [
    "a provider does where local sign-in is off",
    { settings: { allowLocalAuthentication: false }, proven: only("provider") },
    "complete",
  ],
  ["who set up a second factor shows it", { hasSecondFactor: true }, "factor_required"],
  [
    "and is then done",
    { hasSecondFactor: true, proven: only("password", "secondFactor") },
    "complete",
  ],
  [
    "a passkey that verified its user is both factors",
    { hasSecondFactor: true, settings: { forceMfa: true }, proven: only("passkey") },
    "complete",
  ],
  [
    "the second factor comes before a change of password",
    { hasSecondFactor: true, user: { passwordChangeRequired: true } },
    "factor_required",
  ],
  [
    "a forced change of password holds",
    { user: { passwordChangeRequired: true } },
    "password_change_required",
  ],
  [
    "a forced change of password is no matter to who came by a provider",
    { user: { passwordChangeRequired: true }, proven: only("provider") },
    "complete",
  ],
  [
    "an unverified e-mail address is not let in",
    { user: { emailVerified: false } },
    "email_not_verified",
  ],
  [
    "a forced second factor that nobody set up is to be set up",
    { settings: { forceMfa: true } },
    "factor_setup_required",
  ],
  [
    "forced for local sign-in holds for passwords",
    { settings: { forceMfaLocalOnly: true } },
    "factor_setup_required",
  ],
  [
    "forced for local sign-in spares who came by a provider",
    { settings: { forceMfaLocalOnly: true }, proven: only("provider") },
    "complete",
  ],
  [
    "forced for all does not",
    { settings: { forceMfa: true }, proven: only("provider") },
    "factor_setup_required",
  ],
];

for (const [name, change, expected] of table) {
  Deno.test(`sign-in policy: ${name}`, () => {
    assert.equal(decide(standing(change)), expected);
  });
}

Deno.test("sign-in policy: in all 4096 combinations, complete if and only if every demand is met", () => {
  for (let bits = 0; bits < 2 ** 12; bits++) {
    const bit = (place: number) => (bits >> place & 1) === 1;
    const { settings, user, hasSecondFactor, proven, expired }: Standing = {
      settings: { allowLocalAuthentication: bit(0), forceMfa: bit(1), forceMfaLocalOnly: bit(2) },
      user: { active: bit(3), emailVerified: bit(4), passwordChangeRequired: bit(5) },
      hasSecondFactor: bit(6),
      proven: { password: bit(7), provider: bit(8), passkey: bit(9), secondFactor: bit(10) },
      expired: bit(11),
    };
    const verdict = decide({ settings, user, hasSecondFactor, proven, expired });
    const two = proven.secondFactor || proven.passkey;
    const demands = {
      live: !expired && user.active,
      firstFactor: proven.password || proven.provider || proven.passkey,
      allowed: settings.allowLocalAuthentication || proven.provider,
      ownFactor: !hasSecondFactor || two,
      forced: !settings.forceMfa || two,
      forcedLocal: !settings.forceMfaLocalOnly || two || proven.provider,
      email: user.emailVerified,
      password: !user.passwordChangeRequired || !proven.password,
    };
    const met = Object.values(demands).every(Boolean);
    assert.equal(verdict === "complete", met, JSON.stringify({ bits, verdict, demands }));
  }
});

const settings = { allowLocalAuthentication: true, forceMfa: false, forceMfaLocalOnly: false } as
  & LoginSettings
  & typeof plain.settings;
const alice: User = {
  id: "1",
  orgId: "acme",
  kind: "human",
  state: "active",
  userName: "alice",
  loginNames: ["alice@acme"],
  preferredLoginName: "alice@acme",
  profile: {
    givenName: "Alice",
    familyName: "Adams",
    displayName: "Alice Adams",
    email: "alice@acme.example",
    emailVerified: true,
    passwordChangeRequired: false,
  },
};
const now = new Date("2026-11-01T12:00:00Z");
const session: Session = {
  id: "s",
  createdAt: now.toISOString(),
  expiresAt: "2026-11-01T13:00:00Z",
  user: {
    id: "1",
    orgId: "acme",
    loginName: "alice@acme",
    displayName: "Alice",
    verifiedAt: now.toISOString(),
  },
  passwordVerifiedAt: now.toISOString(),
  otherFactors: [],
};
const verdictOf = (change: { user?: Partial<User>; session?: Partial<Session> }) =>
  decide(standingOf({
    settings,
    user: { ...alice, ...change.user },
    methods: ["password"],
    session: { ...session, ...change.session },
    now,
  }));

Deno.test("sign-in policy: what ZITADEL says of a plain password session is complete", () => {
  assert.equal(verdictOf({}), "complete");
});

Deno.test("sign-in policy: a session of somebody else, of a machine, without a password or without an end is refused", () => {
  const other = { ...session.user!, id: "2" };
  const elsewhere = { ...session.user!, orgId: "evil" };
  for (
    const change of [
      { session: { user: other } },
      { session: { user: elsewhere } },
      { session: { user: undefined } as unknown as Partial<Session> },
      { session: { passwordVerifiedAt: undefined } as unknown as Partial<Session> },
      { session: { expiresAt: undefined } as unknown as Partial<Session> },
      { session: { expiresAt: now.toISOString() } },
      { user: { kind: "machine" as const } },
      { user: { state: "locked" as const } },
      { user: { state: "inactive" as const } },
    ]
  ) assert.equal(verdictOf(change), "credentials_refused", JSON.stringify(change));
});
