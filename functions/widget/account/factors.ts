/** Second factors that are typed, and the recovery codes for the day they are lost. */
import { Problem } from "../../_shared/problem.ts";
import { isZitadelError } from "../../_shared/zitadel/errors.ts";
import type { AuthenticationMethod } from "../../_shared/zitadel/types.ts";
import { codeRefused } from "../flow/factor.ts";
import { addToSession } from "../flow/flow.ts";
import { takePermit } from "../flow/limits.ts";
import { isCredentialRefusal } from "../flow/password.ts";
import { drawQr, recoveryCodes } from "../flow/setup_totp.ts";
import type { Deed, Outcome } from "./act.ts";
import { allowedFactors, factorRequired, secondFactors } from "./view.ts";
import type { Visit } from "./visit.ts";

export const setUpFactor: Deed<"set_up"> = async (visit, { method }) => {
  const { flow: { parts: { zitadel } }, user, memory } = visit;
  if (!allowedFactors(visit).includes(method)) {
    throw new Problem("way_not_allowed", `The organization takes no "${method}"`);
  }
  if (method === "email_code") {
    await zitadel.addOtpEmail(user.id).catch(refuseSecond);
    return await withRecoveryCodes(
      visit,
      "otp_email",
      ({ secondFactors }) => secondFactors.emailCode,
    );
  }
  const { uri, secret } = await zitadel.startTotp(user.id).catch(refuseSecond);
  memory.pending = { kind: "setup_totp" };
  return { pending: { step: "setup_totp", secret, uri, qr: drawQr(uri) } };
};

export const confirmTotp: Deed<"confirm_totp"> = async (visit, { code }) => {
  const { flow, user, memory } = visit;
  const typed = code.replaceAll(" ", "");
  const giveBack = await takePermit(flow, { kind: "guess", account: user.id });
  await flow.parts.zitadel.verifyTotp(user.id, typed).catch((error) => {
    throw isCredentialRefusal(error) ? codeRefused(error) : error;
  });
  await giveBack();
  delete memory.pending;
  // The code that proved the set-up proves the factor too.
  await addToSession(flow, { totp: typed });
  return await withRecoveryCodes(visit, "totp", ({ secondFactors }) => secondFactors.totp);
};

/** With the first second factor come the codes for losing it. */
export async function withRecoveryCodes(
  visit: Visit,
  method: AuthenticationMethod,
  until: NonNullable<Outcome["until"]>,
): Promise<Outcome> {
  const { flow, user, settings, methods, memory } = visit;
  memory.setUp = [...new Set([...memory.setUp, method])];
  const wanted = settings.secondFactors.includes("recovery_code") &&
    !methods.includes("recovery_code");
  if (!wanted) return { until };
  const codes = await flow.parts.zitadel.makeRecoveryCodes(user.id, recoveryCodes);
  memory.setUp.push("recovery_code");
  return { pending: { step: "recovery_codes", codes }, until };
}

export const newRecoveryCodes: Deed<"new_recovery_codes"> = async ({ flow, user, ...visit }) => {
  const { zitadel } = flow.parts;
  const other = secondFactors.some((factor) => visit.methods.includes(factor));
  if (!visit.settings.secondFactors.includes("recovery_code") || !other) {
    throw new Problem("way_not_allowed", "Recovery codes go with another second factor");
  }
  await zitadel.removeRecoveryCodes(user.id).catch((error) => {
    if (!isZitadelError(error, "failed_precondition")) throw error; // there are none
  });
  const codes = await zitadel.makeRecoveryCodes(user.id, recoveryCodes);
  if (!visit.methods.includes("recovery_code")) visit.memory.setUp.push("recovery_code");
  return {
    pending: { step: "recovery_codes", codes },
    until: ({ secondFactors }) => secondFactors.recoveryCodes === true,
  };
};

export const removeFactor: Deed<"remove"> = async (visit, { method }) => {
  const { flow: { parts: { zitadel } }, user } = visit;
  const own = method === "totp" ? "totp" : "otp_email";
  requireAnotherFactor(visit, own);
  const remove = method === "totp" ? zitadel.removeTotp : zitadel.removeOtpEmail;
  await remove(user.id).catch((error) => {
    if (!isZitadelError(error, "not_found")) throw error;
  });
  await dropRecoveryCodes(visit, own);
  return {
    until: ({ secondFactors: { totp, emailCode } }) => !(method === "totp" ? totp : emailCode),
  };
};

/** @throws {Problem} last_factor, where the organization demands one and no other would be left */
export function requireAnotherFactor(visit: Visit, leaving: AuthenticationMethod): void {
  const left = [...secondFactors, "passkey" as const].filter((factor) =>
    factor !== leaving && visit.methods.includes(factor)
  );
  if (factorRequired(visit) && left.length === 0) {
    throw new Problem("last_factor", "The organization asks for a second factor: set up another");
  }
}

/** Left alone they would be asked for at every sign-in, until they are used up. */
export async function dropRecoveryCodes(
  { flow, user, methods, memory }: Visit,
  leaving: AuthenticationMethod,
): Promise<void> {
  memory.setUp = memory.setUp.filter((method) => method !== leaving);
  const left = secondFactors.some((factor) => factor !== leaving && methods.includes(factor));
  if (left || !methods.includes("recovery_code")) return;
  await flow.parts.zitadel.removeRecoveryCodes(user.id);
  memory.setUp = memory.setUp.filter((method) => method !== "recovery_code");
}

export function refuseSecond(error: unknown): never {
  if (!isZitadelError(error, "already_exists")) throw error;
  throw new Problem("factor_exists", "It is set up already: remove it first", { cause: error });
}
