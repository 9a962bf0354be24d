/** The password: changed with the present one, or set for the first time. Whoever else is signed in as this person is signed out. */
import { Problem } from "../../_shared/problem.ts";
import { presentPassword, refuseNewPassword } from "../flow/change_password.ts";
import { addToSession } from "../flow/flow.ts";
import { takePermit } from "../flow/limits.ts";
import type { Deed } from "./act.ts";
import { endOthers } from "./sessions.ts";
import { justProven } from "./visit.ts";

export const changePassword: Deed<"change_password"> = async (visit, act) => {
  const { newPassword } = act;
  const { flow, user, settings, methods } = visit;
  const { zitadel } = flow.parts;
  if (!settings.allowLocalAuthentication) {
    throw new Problem("password_not_allowed", "The organization does not allow passwords");
  }
  const currentPassword = methods.includes("password") ? presentPassword(act) : undefined;
  const giveBack = await takePermit(flow, { kind: "guess", account: user.id });
  const proof = currentPassword === undefined
    ? { verificationCode: await zitadel.requestPasswordReset(user.id) }
    : { currentPassword };
  await zitadel.setPassword({ userId: user.id, newPassword, ...proof }).catch(refuseNewPassword);
  await giveBack();
  await addToSession(flow, { password: newPassword });
  justProven(visit);
  await endOthers(visit);
  const before = user.profile?.passwordChangedAt;
  return { until: ({ password }) => password?.set === true && password.changedAt !== before };
};
