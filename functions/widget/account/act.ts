/** One act on the account page, from the request to the answer. What an act does: the files beside; what it needs to be proven: here. */
import type { Context } from "hono";
import type { z } from "zod";
import type { App } from "../../_shared/app.ts";
import { body } from "../../_shared/body.ts";
import { Problem } from "../../_shared/problem.ts";
import { log, span } from "../../_shared/telemetry.ts";
import {
  type Account,
  type AccountAnswer,
  Act,
  type Pending,
  proofLifetimeSeconds,
} from "../account_contract.ts";
import { asProblem } from "../flow/failures.ts";
import { nowSeconds } from "../flow/flow.ts";
import type { WidgetParts } from "../parts.ts";
import { changeEmail, resend, setLanguage, setProfile, verifyEmail } from "./profile.ts";
import { confirmTotp, newRecoveryCodes, removeFactor, setUpFactor } from "./factors.ts";
import { addKey, cancelKey, registerKey, removeKey } from "./keys.ts";
import { intent, link, unlink } from "./links.ts";
import { changePassword } from "./password.ts";
import { beginProof, prove } from "./proof.ts";
import { endOtherSessions, endOwnSession, endSession } from "./sessions.ts";
import { keepVisit, provenAt, type Visit, visit } from "./visit.ts";
import { viewOf } from "./view.ts";

type Parsed = z.output<typeof Act>;
export type ActName = Parsed["action"];
export type ActOf<A extends ActName> = Extract<Parsed, { action: A }>;

export interface Outcome {
  /** What is asked next, or shown once. */
  pending?: Pending;
  /** What the page shows once ZITADEL's reads have caught up. */
  until?: (account: Account) => boolean;
}

export type Deed<A extends ActName> = (visit: Visit, act: ActOf<A>) => Promise<Outcome>;

const deeds: { [A in ActName]: Deed<A> } = {
  set_profile: setProfile,
  set_language: setLanguage,
  change_email: changeEmail,
  verify_email: verifyEmail,
  resend,
  change_password: changePassword,
  set_up: setUpFactor,
  confirm_totp: confirmTotp,
  remove: removeFactor,
  new_recovery_codes: newRecoveryCodes,
  add_key: addKey,
  credential: registerKey,
  remove_key: removeKey,
  link,
  intent,
  unlink,
  end_session: endSession,
  end_other_sessions: endOtherSessions,
  sign_out: endOwnSession,
  begin_proof: beginProof,
  prove,
  cancel: cancelKey,
};

/** A browser left alone must not be enough for these. A password's change has its own proof where there is one to type. */
const sensitive: Partial<Record<ActName, (visit: Visit) => boolean>> = {
  change_email: () => true,
  change_password: ({ methods }) => !methods.includes("password"),
  set_up: () => true,
  remove: () => true,
  new_recovery_codes: () => true,
  add_key: () => true,
  remove_key: () => true,
  link: () => true,
  unlink: () => true,
};

/** What goes on with something that an earlier act began: only with that, and only next. */
const goesOn: Partial<Record<ActName, NonNullable<Visit["memory"]["pending"]>["kind"]>> = {
  verify_email: "verify_email",
  resend: "verify_email",
  confirm_totp: "setup_totp",
  credential: "setup_key",
  intent: "link",
};

export async function actOnAccount(parts: WidgetParts, c: Context<App>): Promise<AccountAnswer> {
  try {
    const asked = await visit(parts, c);
    const act = await body(c, Act);
    const answer = await span("widget.account", { action: act.action }, () => perform(asked, act));
    await keepVisit(c, asked);
    return answer;
  } catch (error) {
    throw asProblem(error);
  }
}

async function perform<A extends ActName>(visit: Visit, act: ActOf<A>): Promise<AccountAnswer> {
  const action = act.action as A;
  const { memory, flow } = visit;
  if (goesOn[action] !== undefined && memory.pending?.kind !== goesOn[action]) {
    throw new Problem("action_refused", `Nothing is under way that "${action}" goes on with`);
  }
  if (sensitive[action]?.(visit) && provenAt(visit) + proofLifetimeSeconds < nowSeconds(flow)) {
    throw new Problem(
      "proof_required",
      `"${action}" takes a proof of the last ${proofLifetimeSeconds} s`,
    );
  }
  const last = action === "sign_out" ? await viewOf(visit) : undefined;
  const { pending = null, until } = await (deeds[action] as Deed<A>)(visit, act);
  log("info", "account changed", {
    tenant: flow.client.tenantId,
    user_id: visit.user.id,
    action,
  });
  return { account: last ?? await settled(visit, until), pending };
}

const settleMs = 4_000;

/** ZITADEL's reads lag behind its writes; what never comes is shown as it is. */
async function settled(visit: Visit, until: Outcome["until"]): Promise<Account> {
  const deadline = performance.now() + settleMs;
  for (;;) {
    const account = await viewOf(visit);
    if (until === undefined || until(account) || performance.now() > deadline) return account;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
