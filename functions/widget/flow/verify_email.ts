import { Problem } from "../../_shared/problem.ts";
import type { State } from "../contract.ts";
import type { Facts } from "./facts.ts";
import type { Flow } from "./flow.ts";

/** Where no mail server is, the address is verified by the administrator's link. */
export function showVerifyEmail(_flow: Flow, _facts: Facts): Promise<State> {
  return Promise.reject(
    new Problem("email_not_verified", "The e-mail address must be verified before signing in"),
  );
}
