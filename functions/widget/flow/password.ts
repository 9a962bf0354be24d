/** A name and a password, together: a name alone tells nobody whether it is known. */
import { isZitadelError } from "../../_shared/zitadel/errors.ts";
import type { State } from "../contract.ts";
import { isAbout, makeSession, nowSeconds, refused } from "./flow.ts";
import type { Handler } from "./handlers.ts";
import { next, wayNotAllowed } from "./next.ts";
import { findPerson, homeOf } from "./people.ts";
import { waysOf } from "./start.ts";

export const password: Handler<"password"> = async (flow, action): Promise<State> => {
  const home = await homeOf(flow, action.loginName);
  const settings = await flow.parts.zitadel.loginSettings(home.organizationId);
  if (!waysOf(flow, settings).password) throw wayNotAllowed(true);
  const byEmail = !settings.disableLoginWithEmail;
  const user = await findPerson(flow, home, action.loginName, byEmail);
  if (user === undefined) throw refused();
  const made = await makeSession(flow, { userId: user.id, password: action.password })
    .catch((error) => {
      throw isCredentialRefusal(error) ? refused(error) : error;
    });
  isAbout(flow, user, made, home.tenantId);
  flow.memory.proven.password = nowSeconds(flow);
  return await next(flow);
};

/** ZITADEL does not take what was shown, of whatever kind. */
export const isCredentialRefusal = (error: unknown): boolean =>
  isZitadelError(error, "invalid_argument") || isZitadelError(error, "failed_precondition") ||
  isZitadelError(error, "not_found");
