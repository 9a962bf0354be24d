/** Where the person is signed in. ZITADEL would end anybody's session for us: only the person's own are looked among. */
import { Problem } from "../../_shared/problem.ts";
import { endSession as end } from "../flow/next.ts";
import type { Deed } from "./act.ts";
import type { Visit } from "./visit.ts";

async function ownSessions({ flow, user }: Visit) {
  return await flow.parts.zitadel.searchSessions({ userId: user.id });
}

export async function endOthers(visit: Visit): Promise<void> {
  const others = (await ownSessions(visit)).filter(({ id }) => id !== visit.account.id);
  await Promise.all(others.map(({ id }) => end(visit.flow, { sessionId: id })));
}

export const endSession: Deed<"end_session"> = async (visit, { id }) => {
  if (!(await ownSessions(visit)).some((session) => session.id === id)) {
    throw new Problem("session_not_found", `The person has no session "${id}"`);
  }
  await end(visit.flow, { sessionId: id });
  return { until: ({ sessions }) => !sessions.some((session) => session.id === id) };
};

export const endOtherSessions: Deed<"end_other_sessions"> = async (visit) => {
  await endOthers(visit);
  return { until: ({ sessions }) => sessions.every(({ current }) => current) };
};

/** With those that this one replaced, by which applications may still refresh. */
export const endOwnSession: Deed<"sign_out"> = async ({ flow, account }) => {
  for (const sessionId of [account.id, ...account.earlier]) await end(flow, { sessionId });
  flow.remembered.remove(account.id);
  return {};
};
