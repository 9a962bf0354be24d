/** The password: changed with the present one, or set for the first time. Whoever else is signed in as this person is signed out. */
import { Problem } from "../../_shared/problem.ts";
import { refuseNewPassword, replacePassword } from "../flow/change_password.ts";
import { addToSession } from "../flow/flow.ts";
import { takePermit } from "../flow/limits.ts";
import type { Deed } from "./act.ts";
import { endOthers } from "./sessions.ts";
import { justProven } from "./visit.ts";

export const changePassword: Deed<"change_password"> = async (
  visit,
  { newPassword, currentPassword },
) => {
  const { flow, user, settings, methods } = visit;
  const { zitadel } = flow.parts;
  if (!settings.allowLocalAuthentication) {
    throw new Problem("password_not_allowed", "The organization does not allow passwords");
  }
  const giveBack = await takePermit(flow, { kind: "guess", account: user.id });
  if (methods.includes("password")) {
    await replacePassword(flow, user.id, { newPassword, currentPassword });
  } else {
    const verificationCode = await zitadel.requestPasswordReset(user.id);
    await zitadel.setPassword({ userId: user.id, newPassword, verificationCode })
      .catch(refuseNewPassword);
  }
  await giveBack();
  await addToSession(flow, { password: newPassword });
  justProven(visit);
  await endOthers(visit);
  const before = user.profile?.passwordChangedAt;
  return { until: ({ password }) => password?.set === true && password.changedAt !== before };
};
