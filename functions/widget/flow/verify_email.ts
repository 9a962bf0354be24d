/** Proving the address by a code that was mailed there: typed, or carried by the mail's link and then confirmed by a press. */
import { Problem } from "../../_shared/problem.ts";
import type { User } from "../../_shared/zitadel/types.ts";
import { linkAddress } from "../../_shared/links.ts";
import type { State } from "../contract.ts";
import { codeRefused } from "./factor.ts";
import type { Facts } from "./facts.ts";
import { startFirstPasskey } from "./first_passkey.ts";
import type { Flow } from "./flow.ts";
import type { Handler } from "./handlers.ts";
import { takePermit } from "./limits.ts";
import { next, whileAsked } from "./next.ts";
import { isCredentialRefusal } from "./password.ts";
import { maskEmail } from "./people.ts";
import { codeLivesSeconds, linkBack, mailTo, nextResendAt, resendWait } from "./resend.ts";

/** Where no mail server is, the address is verified by the administrator's link. */
export async function showVerifyEmail(flow: Flow, { user }: Facts): Promise<State> {
  const { parts, memory } = flow;
  if (!parts.mailer.available) {
    throw new Problem(
      "email_not_verified",
      "The e-mail address must be verified before signing in",
    );
  }
  const { pending } = memory;
  const waiting = pending?.kind === "verify_email" && resendWait(flow, pending.resendAt) > 0;
  if (!waiting) {
    await takePermit(flow, { kind: "mail", account: user.id });
    const code = await parts.zitadel.newEmailCode(user.id);
    await mailVerification(flow, user, memory.person!.tenantId, code);
    awaitCode(flow, user.profile?.email ?? "", user.id, true);
  }
  return showAwaited(flow);
}

/** From here on the screen waits for the code. `account`: whom guesses count against. */
export function awaitCode(flow: Flow, email: string, account: string, known: boolean): void {
  flow.memory.pending = {
    kind: "verify_email",
    to: maskEmail(email),
    resendAt: nextResendAt(flow),
    account,
    known,
  };
}

export function showAwaited(flow: Flow): State {
  const { pending } = flow.memory;
  if (pending?.kind !== "verify_email") throw codeRefused();
  return {
    screen: "verify_email",
    to: pending.to,
    resendAfterSeconds: resendWait(flow, pending.resendAt),
    codeNeeded: pending.code === undefined,
  };
}

export async function mailVerification(
  flow: Flow,
  user: User,
  tenantId: string,
  code: string,
): Promise<void> {
  const link = {
    kind: "verify_email",
    userId: user.id,
    code,
    authRequest: linkBack(flow),
  } as const;
  await mailTo(flow, user, tenantId, codeLivesSeconds.verification, {
    kind: "verification",
    code,
    link: linkAddress(flow.parts.publicUrl, link),
  });
}

/** On the screen `verify_email`. */
export const typedCode: Handler<"code"> = (flow, { code }): Promise<State> => {
  const { pending } = flow.memory;
  if (pending?.kind === "verify_email" && !pending.known) throw codeRefused();
  return prove(flow, code);
};

/** Behind a link: the code came with it. Pressed, and not done by opening it: programs that look through mails open links too. */
export const confirmAddress: Handler<"continue"> = (flow): Promise<State> => {
  const { pending } = flow.memory;
  const code = pending?.kind === "verify_email" ? pending.code : undefined;
  return code === undefined ? next(flow) : prove(flow, code);
};

async function prove(flow: Flow, code: string): Promise<State> {
  const { memory } = flow;
  const { pending, person } = memory;
  if (memory.mode === "link") {
    if (pending?.kind !== "verify_email") throw codeRefused();
    await check(flow, pending.account, code);
    return { screen: "finished", what: "verified" };
  }
  if (memory.changed.registered && person) {
    await proved(flow, person.userId, code);
    return await startFirstPasskey(flow, person.userId);
  }
  return await whileAsked(flow, ["email_not_verified"], async ({ user }) => {
    await proved(flow, user.id, code);
    return await next(flow);
  });
}

async function proved(flow: Flow, userId: string, code: string): Promise<void> {
  await check(flow, userId, code);
  flow.memory.changed.emailVerified = true;
  delete flow.memory.pending;
}

async function check({ parts }: Flow, userId: string, code: string): Promise<void> {
  await parts.zitadel.verifyEmail(userId, code.replaceAll(/\s/g, "")).catch((error) => {
    throw isCredentialRefusal(error) ? codeRefused(error) : error;
  });
}

export const resendVerification: Handler<"resend"> = async (flow): Promise<State> => {
  const { pending, mode, changed, person } = flow.memory;
  if (mode === "link") return showAwaited(flow);
  if (pending?.kind !== "verify_email") return await next(flow);
  const made = pending.known && changed.registered ? person : undefined;
  if (pending.known && made === undefined) {
    return await whileAsked(flow, ["email_not_verified"], (facts) => showVerifyEmail(flow, facts));
  }
  if (resendWait(flow, pending.resendAt) === 0) {
    await takePermit(flow, { kind: "mail", account: pending.account });
    if (made) {
      const code = await flow.parts.zitadel.newEmailCode(made.userId);
      const user = await flow.parts.zitadel.getUser(made.userId);
      if (user) await mailVerification(flow, user, made.tenantId, code);
    }
    flow.memory.pending = { ...pending, resendAt: nextResendAt(flow) };
  }
  return showAwaited(flow);
};

/** After a reload: the same, whether the address had an account or not. */
export async function resumeVerification(flow: Flow): Promise<State> {
  return flow.memory.pending?.kind === "verify_email" ? showAwaited(flow) : await next(flow);
}
