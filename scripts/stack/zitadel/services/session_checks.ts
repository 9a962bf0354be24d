/**
 * What is shown to a session, one check after another, in ZITADEL's order. A failure changes no session and undoes what the others
 * would have done, but what it says of the user is written. No policy is looked at beyond the lockout: neither does ZITADEL.
 * Next: session_user.ts, session_codes.ts, session_webauthn.ts (the checks), session_challenges.ts.
 */
import { ApiError } from "../errors.ts";
import type { Session } from "../model.ts";
import type { Call } from "../service.ts";
import { checkIntent } from "./intents.ts";
import { checkOtpEmail, checkRecoveryCode, checkTotp } from "./session_codes.ts";
import { checkPassword, checkUser } from "./session_user.ts";
import { checkWebAuthN } from "./session_webauthn.ts";

export interface Checks {
  user?: { userId?: string; loginName?: string };
  password?: { password: string };
  idpIntent?: { idpIntentId: string; idpIntentToken: string };
  webAuthN?: { credentialAssertionData: Record<string, unknown> };
  totp?: { code: string };
  otpSms?: { code?: string };
  otpEmail?: { code?: string };
  recoveryCode?: { code: string };
}

export type SessionEvent = [type: string, payload: Record<string, unknown>];

/** What the checks of one call have in hand. */
export interface Checking {
  call: Call;
  /** None yet: it is being made. */
  session: Session | undefined;
  /** Changes of the session and its events, when all went well. */
  found: Partial<Session>;
  events: SessionEvent[];
  /** Changes of the user, when all went well. */
  then: (() => void)[];
}

type Check<K extends keyof Checks> = (
  checking: Checking,
  shown: NonNullable<Checks[K]>,
) => void | Promise<void>;

const checks: { [K in keyof Checks]: Check<K> } = {
  user: checkUser,
  password: checkPassword,
  idpIntent: checkIntent,
  webAuthN: checkWebAuthN,
  totp: checkTotp,
  otpEmail: checkOtpEmail,
  recoveryCode: checkRecoveryCode,
};

export async function runChecks(checking: Checking, shown: Checks = {}): Promise<void> {
  const missing = Object.keys(shown).filter((name) => !(name in checks));
  if (missing.length > 0) {
    throw new ApiError("unimplemented", undefined, `The double does not check ${missing}`);
  }
  for (const [name, check] of Object.entries(checks)) {
    const value = shown[name as keyof Checks];
    if (value !== undefined) await (check as (c: Checking, v: unknown) => unknown)(checking, value);
  }
}

/** The session's user, in the store: of this call's check or an earlier one. */
export const userIdOf = ({ found, session }: Checking): string | undefined =>
  (found.user ?? session?.user)?.id;

/** Notes a check that was passed. */
export function passed(
  checking: Checking,
  factor: keyof NonNullable<Session["factors"]>,
  type: string,
  more: Record<string, unknown> = {},
): void {
  const { call, session, found, events } = checking;
  const verifiedAt = call.store.now();
  found.factors = { ...session?.factors, ...found.factors, [factor]: { verifiedAt, ...more } };
  events.push([`session.${type}.checked`, { checkedAt: verifiedAt, ...more }]);
}
