/** The accounts that this browser is signed in with: reused, chosen from, forgotten. */
import { Problem } from "../../_shared/problem.ts";
import type { CallbackError, Session } from "../../_shared/zitadel/types.ts";
import type { State } from "../contract.ts";
import { provenBy } from "../policy.ts";
import type { Account } from "../remembered.ts";
import { type Facts, judge } from "./facts.ts";
import { type Flow, notFound } from "./flow.ts";
import type { Handler } from "./handlers.ts";
import { forget } from "./memory.ts";
import { endSession, next } from "./next.ts";
import { knownHome } from "./people.ts";
import { showStart } from "./start.ts";

/** Those whom this application takes. */
function candidates(flow: Flow): Account[] {
  const narrowed = flow.client.kind === "portal"
    ? flow.request?.orgId
    : knownHome(flow)?.organizationId;
  const any = flow.client.kind === "portal" && narrowed === undefined;
  return flow.remembered.list().filter(({ orgId }) => any || orgId === narrowed);
}

/** How a flow begins where somebody is signed in already, by what the application asked for (OpenID Connect Core, 3.1.2.1). */
export async function beginWithAccounts(flow: Flow): Promise<State> {
  const { request } = flow;
  const prompts = request?.prompts ?? [];
  const all = candidates(flow);
  if (prompts.includes("none")) return await withoutAsking(flow, all);
  if (all.length === 0 || prompts.includes("login")) return await showStart(flow);
  if (!prompts.includes("select_account")) {
    const meant = meantBy(flow, all);
    if (meant && await holds(flow, meant)) return await next(flow);
    // Nobody is offered another's account where the application names one.
    if (request?.hintUserId !== undefined || request?.loginHint !== undefined) {
      forget(flow.memory);
      return await showStart(flow);
    }
  }
  return await showAccounts(flow, all);
}

/** The one that the application names, else the only one. */
function meantBy({ request }: Flow, accounts: Account[]): Account | undefined {
  if (request?.hintUserId !== undefined) {
    return accounts.find(({ userId }) => userId === request.hintUserId);
  }
  if (request?.loginHint !== undefined) {
    const hint = request.loginHint.toLowerCase();
    return accounts.find(({ loginName }) => loginName.toLowerCase() === hint);
  }
  return accounts.length === 1 ? accounts[0] : undefined;
}

/** `prompt=none`: a code or an error, never a screen. */
async function withoutAsking(flow: Flow, all: Account[]): Promise<State> {
  const meant = meantBy(flow, all);
  if (meant === undefined) {
    return await answer(flow, all.length > 1 ? "account_selection_required" : "login_required");
  }
  if (await holds(flow, meant)) return await next(flow);
  const shown = Object.keys(flow.memory.proven).length > 0;
  return await answer(flow, shown ? "interaction_required" : "login_required");
}

async function answer({ parts, request, memory }: Flow, error: CallbackError): Promise<State> {
  if (request === undefined) throw notFound(memory.ref);
  const { callbackUrl } = await parts.zitadel.createCallback(request.id, { error });
  return { screen: "done", callbackUrl };
}

/** Makes the flow about an account. True: what its session was shown is enough. */
async function holds(flow: Flow, account: Account): Promise<boolean> {
  const [session] = await flow.parts.zitadel.searchSessions({ ids: [account.id] });
  return session !== undefined && (await weigh(flow, account, session))?.verdict === "complete";
}

async function weigh(flow: Flow, account: Account, session: Session): Promise<Facts | undefined> {
  const { memory } = flow;
  forget(memory);
  const own = session.user?.id === account.userId && session.user.orgId === account.orgId;
  const live = session.expiresAt !== undefined &&
    new Date(session.expiresAt) > flow.parts.now(); // no lifetime would be a session for ever
  if (!own || !live) return undefined;
  const { userId, orgId, tenantId, loginName } = account;
  memory.person = { userId, orgId, tenantId, loginName };
  memory.session = { id: account.id, token: account.token };
  memory.proven = provenBy(session);
  return await judge(flow).catch((error) => {
    if (error instanceof Problem) return undefined; // somebody who is gone
    throw error;
  });
}

async function showAccounts(flow: Flow, all: Account[]): Promise<State> {
  const sessions = await flow.parts.zitadel.searchSessions({ ids: all.map(({ id }) => id) });
  const accounts = await Promise.all(all.map(async (account) => {
    const session = sessions.find(({ id }) => id === account.id);
    const alone = { ...flow, memory: structuredClone(flow.memory) }; // each is weighed by itself
    const facts = session && await weigh(alone, account, session);
    const { id, loginName, displayName } = account;
    return { id, loginName, displayName, fresh: facts?.verdict === "complete" };
  }));
  forget(flow.memory);
  return { screen: "accounts", accounts };
}

export const chooseAccount: Handler<"choose_account"> = async (flow, { id }): Promise<State> => {
  const account = candidates(flow).find((candidate) => candidate.id === id);
  if (account === undefined) return await beginWithAccounts(flow);
  const [session] = await flow.parts.zitadel.searchSessions({ ids: [id] });
  if (session && await weigh(flow, account, session)) return await next(flow);
  flow.remembered.remove(id);
  forget(flow.memory);
  return await showStart(flow, account.loginName);
};

export const forgetAccount: Handler<"forget_account"> = async (flow, { id }): Promise<State> => {
  const account = flow.remembered.find(id);
  if (account) await signOut(flow, account);
  const left = candidates(flow);
  return left.length > 0 ? await showAccounts(flow, left) : await showStart(flow);
};

/** Here and wherever this browser has signed in with it. */
export async function signOut(flow: Flow, { id, earlier }: Account): Promise<void> {
  for (const sessionId of [id, ...earlier]) await endSession(flow, { sessionId });
  flow.remembered.remove(id);
}

export const otherAccount: Handler<"other_account"> = (flow): Promise<State> => {
  forget(flow.memory);
  return showStart(flow);
};
