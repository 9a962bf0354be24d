/**
 * A refused sign-in that ZITADEL has no event for is counted by us; for one that it has, we tell from where it came, which its event
 * does not say: sql/20_access/84_refused_sign_ins.sql.
 */
import { Problem } from "../../_shared/problem.ts";
import { log } from "../../_shared/telemetry.ts";
import { isZitadelError } from "../../_shared/zitadel/errors.ts";
import type { Flow } from "./flow.ts";

/** Which refusals say something of an account. */
const counted = new Set([
  "credentials_refused",
  "credential_refused",
  "code_refused",
  "password_not_allowed",
  "way_not_allowed",
  "factor_required",
  "email_not_verified",
  "inline_refused",
]);

export async function reportRefusal(flow: Flow, error: unknown): Promise<void> {
  const { parts, suspect, userAgent, request } = flow;
  if (!(error instanceof Problem) || !counted.has(error.slug)) return;
  // A wrong password or code has an event of ZITADEL's: not counted twice.
  const countedThere = isZitadelError(error.cause, "invalid_argument");
  if (suspect.userId === undefined && (countedThere || error.slug !== "credentials_refused")) {
    return;
  }
  const reason = countedThere
    ? null
    : suspect.userId === undefined
    ? "account_unknown"
    : error.slug === "credentials_refused"
    ? "account_refused"
    : error.slug;
  await parts.refusals.report({
    tenantId: suspect.tenantId,
    userId: suspect.userId,
    loginName: suspect.loginName ?? "",
    reason,
    at: parts.now(),
    context: {
      address: userAgent.ip,
      user_agent: userAgent.description,
      client_id: request?.clientId,
    },
  }).catch((cause) => log("warn", "a refused sign-in was not counted", { error: cause }));
}
