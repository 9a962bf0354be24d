/** What comes next: the policy's verdict, and the screen that stands for it. The only place that hands a session over for a code. */
import { Problem } from "../../_shared/problem.ts";
import { log } from "../../_shared/telemetry.ts";
import { isZitadelError } from "../../_shared/zitadel/errors.ts";
import type { SessionToken } from "../../_shared/zitadel/types.ts";
import type { State } from "../contract.ts";
import type { Verdict } from "../policy.ts";
import { showChangePassword } from "./change_password.ts";
import { type Facts, judge } from "./facts.ts";
import { showFactor } from "./factor.ts";
import { type Flow, notFound, nowSeconds, refused } from "./flow.ts";
import { showSetup } from "./setup.ts";
import { showStart } from "./start.ts";
import { showVerifyEmail } from "./verify_email.ts";

type Step = (flow: Flow, facts: Facts) => State | Promise<State>;

const screens: Record<Verdict, Step> = {
  credentials_refused: () => {
    throw refused();
  },
  way_not_allowed: ({ memory }) => {
    throw wayNotAllowed(memory.proven.password !== undefined);
  },
  proof_required: (flow) => showStart(flow),
  factor_required: (flow, facts) => showFactor(flow, facts),
  password_change_required: (flow) => showChangePassword(flow, "required"),
  password_expired: (flow) => showChangePassword(flow, "expired"),
  email_not_verified: (flow, facts) => showVerifyEmail(flow, facts),
  factor_setup_required: (flow, facts) => showSetup(flow, facts, { skippable: false }),
  factor_setup_offered: (flow, facts) => showSetup(flow, facts, { skippable: true }),
  complete: (flow, facts) => finish(flow, facts),
};

export async function next(flow: Flow): Promise<State> {
  if (flow.memory.person === undefined) return await showStart(flow);
  const facts = await judgeHere(flow);
  return await screens[facts.verdict](flow, facts);
}

/** What is set up or chosen on a customer's page its scripts could read: administrators are turned away as soon as it is them. */
async function judgeHere(flow: Flow): Promise<Facts> {
  const facts = await judge(flow);
  const shown = flow.memory.mode === "inline" && facts.standing.proven.length > 0;
  if (shown && await flow.parts.clients.isAdministrator(facts.user.id)) {
    throw new Problem(
      "inline_refused",
      "Who administers something signs in on the sign-in page itself, not in another page",
    );
  }
  return facts;
}

/**
 * The facts, while the policy still asks for one of these; else what it asks for now. Every handler that changes something of a
 * person's begins with it: the memory may be an older one, shown again after the person set up a factor elsewhere.
 */
export async function whileAsked(
  flow: Flow,
  verdicts: Verdict[],
  handle: (facts: Facts) => Promise<State>,
): Promise<State> {
  if (flow.memory.person === undefined) return await showStart(flow);
  const facts = await judgeHere(flow);
  if (verdicts.includes(facts.verdict)) return await handle(facts);
  return await screens[facts.verdict](flow, facts);
}

export const wayNotAllowed = (password: boolean) =>
  password
    ? new Problem(
      "password_not_allowed",
      "The organization does not allow signing in with a password",
    )
    : new Problem("way_not_allowed", "The organization does not allow this way of signing in");

async function finish(flow: Flow, { user }: Facts): Promise<State> {
  const { memory, request, client } = flow;
  const { person, session } = memory;
  if (!person || !session) throw refused();
  const token = { sessionId: session.id, sessionToken: session.token };
  const callbackUrl = request && await handOver(flow, request.id, token);
  if (memory.mode !== "inline") {
    flow.remembered.put({
      ...session,
      userId: user.id,
      orgId: user.orgId,
      tenantId: person.tenantId,
      loginName: user.preferredLoginName,
      displayName: user.profile?.displayName ?? "",
      signedInAt: nowSeconds(flow),
    });
  }
  log("info", "signed in", {
    tenant: person.tenantId,
    client_id: request?.clientId ?? client.kind,
    user_id: user.id,
  });
  return callbackUrl === undefined
    ? { screen: "finished", what: "signed_in" }
    : { screen: "done", callbackUrl };
}

/** Nobody is waiting for it: what fails here runs out by itself. */
export async function endSession(
  { parts }: Pick<Flow, "parts">,
  session: { sessionId: string; sessionToken?: string },
): Promise<void> {
  await parts.zitadel.deleteSession(session).catch((error) => {
    if (!isZitadelError(error, "not_found")) log("warn", "a session was not ended", { error });
  });
}

async function handOver(flow: Flow, authRequest: string, session: SessionToken): Promise<string> {
  try {
    return (await flow.parts.zitadel.createCallback(authRequest, session)).callbackUrl;
  } catch (error) {
    if (isZitadelError(error, "failed_precondition", "COMMAND-Sx208nt")) throw finished(error);
    if (isZitadelError(error, "not_found")) throw notFound(authRequest, error);
    // The project takes no one of this organization, or not this person.
    const takesNot = isZitadelError(error, "permission_denied") ||
      isZitadelError(error, "failed_precondition");
    throw takesNot ? refused(error) : error;
  }
}

export const finished = (cause?: unknown) =>
  new Problem("flow_finished", "This sign-in is already finished", { cause });
