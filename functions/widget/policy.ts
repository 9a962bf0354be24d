/**
 * Whether what a person has shown is enough for a code, or what is missing.
 *
 * ZITADEL's CreateCallback checks no factor, no verified e-mail and no forced change: a session that only names a user would do.
 * So this one function decides, for every way to sign in; flow/next.ts shows the screen of each verdict, and nothing else calls
 * createCallback with a session.
 */
import type {
  AuthenticationMethod,
  LoginSettings,
  PasswordExpiry,
  Session,
  User,
} from "../_shared/zitadel/types.ts";

/** What may be shown beside a first proof. `sms` only where somebody set it up in ZITADEL itself: no screen of ours takes one. */
export type Factor = "totp" | "security_key" | "email_code" | "recovery_code" | "sms";
/** What a session can have shown. A passkey that verified its user is both factors in one; an e-mail code is either. */
export type Proof = "password" | "provider" | "passkey" | Factor;

/** All that the decision rests on, and nothing more. */
export interface Standing {
  /** Of the person's own organization. */
  policy: {
    /** First proofs that are taken. */
    firsts: Proof[];
    /** Second factors that are taken. */
    seconds: Factor[];
    /** Who must show two factors; `local`: all but those whom a provider vouches for. */
    force: "nobody" | "local" | "all";
    /** Who need not is asked to set one up, and may say "later". */
    offerSetup: boolean;
  };
  user: {
    active: boolean;
    emailVerified: boolean;
    passwordChangeRequired: boolean;
    passwordExpired: boolean;
  };
  /** What the person has set up. */
  holds: (Factor | "passkey")[];
  /** What was shown and still counts. */
  proven: Proof[];
}

export type Verdict = typeof rules[number][0] | "complete";

/** The whole state machine. In this order: who holds a second factor shows it before anything else can be changed or learnt. */
const rules = [
  ["credentials_refused", ({ user }) => !user.active],
  ["proof_required", ({ proven }) => !proven.some(isFirst)],
  ["way_not_allowed", (standing) => firstProof(standing) === undefined],
  ["factor_required", (standing) => !showsTwo(standing) && askedFactors(standing).length > 0],
  [
    "password_change_required",
    ({ user, proven }) => user.passwordChangeRequired && proven.includes("password"),
  ],
  ["password_expired", ({ user, proven }) => user.passwordExpired && proven.includes("password")],
  ["email_not_verified", ({ user }) => !user.emailVerified],
  ["factor_setup_required", (standing) => forcesTwo(standing) && !showsTwo(standing)],
  ["factor_setup_offered", (standing) => standing.policy.offerSetup && !showsTwo(standing)],
] as const satisfies [string, (standing: Standing) => boolean][];

/** `complete`, or the first thing that stands in the way. */
export function decide(standing: Standing): Verdict {
  return rules.find(([, stops]) => stops(standing))?.[0] ?? "complete";
}

/** An e-mail code alone is a first proof, beside another it is the second. */
const order = ["password", "provider", "passkey", "email_code"] as const;
const isFirst = (proof: Proof) => (order as readonly Proof[]).includes(proof);

function firstProof({ policy, proven }: Standing): Proof | undefined {
  return order.find((proof) => proven.includes(proof) && policy.firsts.includes(proof));
}

function showsTwo(standing: Standing): boolean {
  const { policy, proven } = standing;
  if (proven.includes("passkey") && policy.firsts.includes("passkey")) return true;
  const first = firstProof(standing);
  return policy.seconds.some((factor) => factor !== first && proven.includes(factor));
}

/** `local` spares those whom a provider has vouched for. */
function forcesTwo({ policy, proven }: Standing): boolean {
  if (policy.force === "all") return true;
  const vouched = proven.includes("provider") && policy.firsts.includes("provider");
  return policy.force === "local" && !vouched;
}

/** What to ask for: second factors that are set up and taken; where two are forced a passkey will do too. */
export function askedFactors(standing: Standing): (Factor | "passkey")[] {
  const { policy, holds } = standing;
  const first = firstProof(standing);
  const factors = policy.seconds.filter((factor) => factor !== first && holds.includes(factor));
  const passkey = holds.includes("passkey") && policy.firsts.includes("passkey");
  return passkey && (factors.length > 0 || forcesTwo(standing)) ? [...factors, "passkey"] : factors;
}

/** No proof counts for longer, whatever the organization's settings say: the longest life of a session. */
export const maxSessionSeconds = 12 * 60 * 60;

/** When what was shown, in Unix seconds. */
export type Proven = Partial<Record<Proof, number>>;

/** What a session says was shown to it. */
export function provenBy(session: Session): Proven {
  const at = (moment: string) => Math.floor(Date.parse(moment) / 1000);
  const proven: Proven = {};
  if (session.passwordVerifiedAt) proven.password = at(session.passwordVerifiedAt);
  for (const factor of session.otherFactors) {
    const proof = factor.kind === "web_authn"
      ? factor.userVerified ? "passkey" : "security_key"
      : proofOf[factor.kind];
    proven[proof] = at(factor.verifiedAt);
  }
  return proven;
}

const proofOf = {
  intent: "provider",
  totp: "totp",
  otp_sms: "sms",
  otp_email: "email_code",
  recovery_code: "recovery_code",
} as const;

/** What ZITADEL says and this sign-in has shown, as the decision needs it. */
export function standingOf(facts: {
  settings: LoginSettings;
  expiry: PasswordExpiry;
  user: User;
  methods: AuthenticationMethod[];
  /** Whether the tenant lets an e-mail code alone sign in. */
  emailCodeAlone: boolean;
  proven: Proven;
  /** Unix seconds. Nothing that was shown before counts: `prompt=login` and `max_age`. */
  notBefore: number;
  now: Date;
}): Standing {
  const { settings, expiry, user, methods, proven, now } = facts;
  const { profile } = user;
  const seconds = now.getTime() / 1000;
  const since = (at: string | undefined, span: number) =>
    at !== undefined && Date.parse(at) / 1000 + span > seconds;
  const counts = ([proof, at]: [string, number]) =>
    at >= facts.notBefore && at + lifetimeSeconds(settings, proof as Proof) > seconds;
  return {
    policy: {
      firsts: firstsOf(settings, facts.emailCodeAlone),
      seconds: settings.secondFactors.map((factor) => factorOf[factor]),
      force: settings.forceMfa ? "all" : settings.forceMfaLocalOnly ? "local" : "nobody",
      offerSetup: settings.mfaInitSkipLifetimeSeconds > 0 &&
        !since(profile?.mfaInitSkippedAt, settings.mfaInitSkipLifetimeSeconds),
    },
    user: {
      active: user.kind === "human" && user.state === "active",
      emailVerified: profile?.emailVerified ?? false,
      passwordChangeRequired: profile?.passwordChangeRequired ?? false,
      passwordExpired: expiry.maxAgeDays > 0 && profile?.passwordChangedAt !== undefined &&
        !since(profile.passwordChangedAt, expiry.maxAgeDays * 86_400),
    },
    holds: methods.flatMap((method) =>
      method === "password" || method === "idp" ? [] : [factorOf[method]]
    ),
    proven: Object.entries(proven).filter(counts).map(([proof]) => proof as Proof),
  };
}

export function firstsOf(settings: LoginSettings, emailCodeAlone: boolean): Proof[] {
  const local = settings.allowLocalAuthentication;
  return [
    ...(local ? ["password"] as const : []),
    ...(settings.allowExternalIdp ? ["provider"] as const : []),
    ...(local && settings.passkeysAllowed ? ["passkey"] as const : []),
    ...(local && emailCodeAlone ? ["email_code"] as const : []),
  ];
}

const factorOf = {
  totp: "totp",
  u2f: "security_key",
  otp_email: "email_code",
  otp_sms: "sms",
  recovery_code: "recovery_code",
  passkey: "passkey",
} as const;

function lifetimeSeconds(settings: LoginSettings, proof: Proof): number {
  const own = proof === "password"
    ? settings.passwordCheckLifetimeSeconds
    : proof === "provider"
    ? settings.externalLoginCheckLifetimeSeconds
    : proof === "passkey"
    ? settings.multiFactorCheckLifetimeSeconds
    : settings.secondFactorCheckLifetimeSeconds;
  return Math.min(own || maxSessionSeconds, maxSessionSeconds);
}
