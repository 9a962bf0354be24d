/**
 * Whether a session may be handed over for a code, or what is missing.
 *
 * ZITADEL's CreateCallback checks no factor, no verified e-mail and no forced change: a session that only names a user would do.
 * So this one function decides, for every way to sign in, and nothing else calls createCallback with a session.
 */
import type {
  AuthenticationMethod,
  LoginSettings,
  Session,
  User,
} from "../_shared/zitadel/types.ts";

/** All that the decision rests on, and nothing more. */
export interface Standing {
  /** Of the person's own organization. */
  settings: Pick<LoginSettings, "allowLocalAuthentication" | "forceMfa" | "forceMfaLocalOnly">;
  user: { active: boolean; emailVerified: boolean; passwordChangeRequired: boolean };
  /** Second factors that the person has set up. */
  hasSecondFactor: boolean;
  /** What this session has proven. */
  proven: { password: boolean; provider: boolean; passkey: boolean; secondFactor: boolean };
  expired: boolean;
}

/** `complete`, or the slug of the first thing that stands in the way. */
export type Verdict =
  | "complete"
  | "credentials_refused"
  | "password_not_allowed"
  | "factor_required"
  | "password_change_required"
  | "email_not_verified"
  | "factor_setup_required";

interface Rule {
  verdict: Exclude<Verdict, "complete">;
  stops(standing: Standing): boolean;
}

/** In this order: who has set up a second factor shows it before anything else can be changed or learnt. */
const rules: Rule[] = [
  {
    verdict: "credentials_refused",
    stops: ({ expired, user, proven }) =>
      expired || !user.active || !(proven.password || proven.provider || proven.passkey),
  },
  {
    verdict: "password_not_allowed",
    stops: ({ settings, proven }) => !settings.allowLocalAuthentication && !proven.provider,
  },
  {
    verdict: "factor_required",
    stops: ({ hasSecondFactor, proven }) =>
      hasSecondFactor && !proven.secondFactor && !proven.passkey,
  },
  {
    verdict: "password_change_required",
    stops: ({ user, proven }) => user.passwordChangeRequired && proven.password,
  },
  { verdict: "email_not_verified", stops: ({ user }) => !user.emailVerified },
  {
    verdict: "factor_setup_required",
    stops: (standing) =>
      forcesSecondFactor(standing) && !standing.proven.secondFactor && !standing.proven.passkey,
  },
];

export function decide(standing: Standing): Verdict {
  return rules.find((rule) => rule.stops(standing))?.verdict ?? "complete";
}

/** `forceMfaLocalOnly` spares those whom a provider has vouched for. */
function forcesSecondFactor({ settings, proven }: Standing): boolean {
  return settings.forceMfa || (settings.forceMfaLocalOnly && !proven.provider);
}

const secondFactors: AuthenticationMethod[] = [
  "totp",
  "u2f",
  "otp_sms",
  "otp_email",
  "recovery_code",
];

/** What ZITADEL says, as the decision needs it. */
export function standingOf(facts: {
  settings: LoginSettings;
  user: User;
  methods: AuthenticationMethod[];
  session: Session;
  now: Date;
}): Standing {
  const { settings, user, methods, session, now } = facts;
  const other = session.otherFactors.map((factor) => factor.kind);
  const own = session.user?.id === user.id && session.user.orgId === user.orgId;
  return {
    settings,
    user: {
      active: user.kind === "human" && user.state === "active",
      emailVerified: user.profile?.emailVerified ?? false,
      passwordChangeRequired: user.profile?.passwordChangeRequired ?? false,
    },
    hasSecondFactor: methods.some((method) => secondFactors.includes(method)),
    proven: {
      password: own && session.passwordVerifiedAt !== undefined,
      provider: own && other.includes("intent"),
      // Whether an authenticator verified its user is not read yet: until then it is a second factor, never both.
      passkey: false,
      secondFactor: own && other.some((kind) => kind !== "intent"),
    },
    // No lifetime would be a session for ever: treated as run out.
    expired: session.expiresAt === undefined || new Date(session.expiresAt) <= now,
  };
}
