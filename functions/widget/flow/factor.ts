/** A second factor: which one is asked for, and the ones that are typed. */
import { Problem } from "../../_shared/problem.ts";
import type { State } from "../contract.ts";
import { askedFactors, type Factor, type Standing } from "../policy.ts";
import { sendFactorCode } from "./email_code.ts";
import type { Facts } from "./facts.ts";
import { addToSession, type Flow, nowSeconds } from "./flow.ts";
import type { Handler } from "./handlers.ts";
import { next, whileAsked } from "./next.ts";
import { isCredentialRefusal } from "./password.ts";
import { passkeysFit, showKeyFactor } from "./passkey.ts";

export type Method = Exclude<Factor, "sms">;

/** In this order, unless the person chooses. A recovery code is the last resort: it is used up. */
const preferred: Method[] = ["totp", "security_key", "email_code", "recovery_code"];

/** Those that the person has, the organization takes and this page can ask for. */
function possible(flow: Flow, standing: Standing): Method[] {
  const asked = askedFactors(standing);
  return preferred.filter((method) =>
    method === "security_key"
      ? passkeysFit(flow) && (asked.includes("security_key") || asked.includes("passkey"))
      : method === "email_code"
      ? flow.parts.mailer.available && asked.includes("email_code")
      : asked.includes(method)
  );
}

export const otherFactors = <M extends Method>(flow: Flow, standing: Standing, but: M) =>
  possible(flow, standing).filter((method): method is Exclude<Method, M> => method !== but);

export async function showFactor(
  flow: Flow,
  facts: Facts,
  chosen?: Method,
): Promise<State> {
  const methods = possible(flow, facts.standing);
  const method = chosen ?? methods[0];
  if (method === undefined || !methods.includes(method)) throw factorUnusable(flow);
  if (method === "security_key") return await showKeyFactor(flow, facts);
  if (method === "email_code") return await sendFactorCode(flow, facts);
  flow.memory.pending = { kind: "factor", method };
  return { screen: "factor", method, others: otherFactors(flow, facts.standing, method) };
}

const factorUnusable = ({ memory }: Flow) =>
  memory.mode === "inline"
    ? new Problem("inline_refused", "The second factor that is asked for needs the sign-in page")
    : new Problem("factor_required", "The second factor that is set up cannot be shown here");

export const chooseFactor: Handler<"choose_factor"> = (flow, { method }): Promise<State> =>
  whileAsked(flow, ["factor_required"], (facts) => showFactor(flow, facts, method));

/** On the screen `factor`. */
export const typedFactor: Handler<"code"> = (flow, { code }): Promise<State> =>
  whileAsked(flow, ["factor_required"], async (facts) => {
    const { pending } = flow.memory;
    if (pending?.kind !== "factor" || !possible(flow, facts.standing).includes(pending.method)) {
      return await next(flow);
    }
    const { method } = pending;
    const typed = code.replaceAll(" ", "");
    const shown = method === "totp" ? { totp: typed } : { recoveryCode: typed };
    await addToSession(flow, shown).catch((error) => {
      throw isCredentialRefusal(error) ? codeRefused(error) : error;
    });
    flow.memory.proven[method] = nowSeconds(flow);
    delete flow.memory.pending;
    return await next(flow);
  });

/** Wrong, used, run out, or the account is locked by too many of them: always the same answer. */
export const codeRefused = (cause?: unknown) =>
  new Problem(
    "code_refused",
    "The code is not right, or not good any more",
    { cause },
  );
