/** A code by e-mail, as the second factor. As the whole sign-in: the action `email_code`. */
import type { State } from "../contract.ts";
import type { Facts } from "./facts.ts";
import { codeRefused, otherFactors } from "./factor.ts";
import { addToSession, type Flow, nowSeconds } from "./flow.ts";
import type { Handler } from "./handlers.ts";
import { takePermit } from "./limits.ts";
import { next, whileAsked } from "./next.ts";
import { isCredentialRefusal } from "./password.ts";
import { maskEmail } from "./people.ts";

type EmailCode = Extract<State, { screen: "email_code" }>;

/** Sooner no other is sent. */
const resendAfterSeconds = 30;
/** ZITADEL's own for one-time codes; longer would only mail what is dead. */
const codeLivesSeconds = 5 * 60;

export async function sendFactorCode(flow: Flow, facts: Facts): Promise<EmailCode> {
  const { pending } = flow.memory;
  const now = nowSeconds(flow);
  const email = facts.user.profile?.email ?? "";
  // Choosing it again within the time does not send another.
  const waiting = pending?.kind === "email_code" && pending.purpose === "factor" &&
    pending.resendAt > now;
  const resendAt = waiting ? pending.resendAt : now + resendAfterSeconds;
  if (!waiting) {
    await takePermit(flow, { kind: "mail", account: facts.user.id });
    const { challenges } = await addToSession(flow, { challenges: { otpEmail: true } });
    await mailCode(flow, facts, challenges.otpEmailCode ?? "");
  }
  const to = maskEmail(email);
  flow.memory.pending = { kind: "email_code", purpose: "factor", to, resendAt };
  return {
    screen: "email_code",
    to,
    purpose: "factor",
    others: otherFactors(flow, facts.standing, "email_code"),
    resendAfterSeconds: resendAt - now,
  };
}

async function mailCode(flow: Flow, { user }: Facts, code: string): Promise<void> {
  const { parts, memory, client } = flow;
  await parts.mailer.send({
    kind: "sign_in_code",
    code,
    displayName: user.profile?.displayName || undefined,
    appName: client.appName || undefined,
    tenantId: memory.person!.tenantId,
    userId: user.id,
    to: user.profile?.email ?? "",
    language: user.profile?.preferredLanguage ?? memory.language,
    expiresAt: new Date(parts.now().getTime() + codeLivesSeconds * 1000),
  });
}

/** On the screen `email_code`, where it is a second factor. */
export const emailedFactor: Handler<"code"> = (flow, { code }): Promise<State> =>
  whileAsked(flow, ["factor_required"], async () => {
    await addToSession(flow, { otpEmail: code.trim() }).catch((error) => {
      throw isCredentialRefusal(error) ? codeRefused(error) : error;
    });
    flow.memory.proven.email_code = nowSeconds(flow);
    delete flow.memory.pending;
    return await next(flow);
  });

export const resendFactorCode: Handler<"resend"> = (flow): Promise<State> =>
  whileAsked(flow, ["factor_required"], (facts) => sendFactorCode(flow, facts));
