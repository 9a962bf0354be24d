/** One request of one flow: what every handler works with. */
import { Problem } from "../../_shared/problem.ts";
import { isZitadelError } from "../../_shared/zitadel/errors.ts";
import type {
  AuthRequest,
  ChangedSession,
  SessionToken,
  User,
  UserAgent,
} from "../../_shared/zitadel/types.ts";
import type { WidgetClient } from "../clients.ts";
import type { Published } from "../look.ts";
import type { WidgetParts } from "../parts.ts";
import { maxSessionSeconds } from "../policy.ts";
import type { Remembered } from "../remembered.ts";
import type { Memory } from "./memory.ts";

/** Whose sign-in it is. */
export interface Where {
  /** What the application asked for; undefined on the account page and behind a link. */
  request: AuthRequest | undefined;
  client: WidgetClient;
  published: Published | null;
}

export interface Flow extends Where {
  parts: WidgetParts;
  /** This request's own: kept when it succeeds, dropped when it is refused. */
  memory: Memory;
  remembered: Remembered;
  userAgent: UserAgent;
  /** A session that this request made: ended when it is refused. */
  made?: SessionToken;
  /** Whom a refusal is counted against, as far as it is known. */
  suspect: { tenantId: string; userId?: string; loginName?: string };
}

export const notFound = (flow: string, cause?: unknown) =>
  new Problem("flow_not_found", `No sign-in "${flow}" is under way`, { cause });

export const tenantSuspended = () =>
  new Problem("tenant_suspended", "Signing in is suspended for this organization");

export const nowSeconds = ({ parts }: Pick<Flow, "parts">) =>
  Math.floor(parts.now().getTime() / 1000);

/** From here on the flow is about this person and this session, of which nothing is proven. */
export function isAbout(
  flow: Flow,
  user: User,
  { sessionId, sessionToken }: SessionToken,
  tenantId: string,
): void {
  const { memory } = flow;
  memory.person = {
    userId: user.id,
    orgId: user.orgId,
    tenantId,
    loginName: user.preferredLoginName,
  };
  memory.session = { id: sessionId, token: sessionToken };
  memory.proven = {};
  memory.changed = {};
  delete memory.pending;
}

/** Makes a session, which does not outlive a refusal of this request. */
export async function makeSession(
  flow: Flow,
  input: Omit<Parameters<WidgetParts["zitadel"]["createSession"]>[0], "lifetimeSeconds">,
): Promise<ChangedSession> {
  const made = await flow.parts.zitadel.createSession({
    ...input,
    lifetimeSeconds: maxSessionSeconds,
    userAgent: flow.userAgent,
  });
  flow.made = made;
  return made;
}

/** Shows more to the flow's session, or asks it for a challenge. Each call gives it a new token. */
export async function addToSession(
  flow: Flow,
  input: Omit<Parameters<WidgetParts["zitadel"]["setSession"]>[0], "sessionId">,
): Promise<ChangedSession> {
  const { session } = flow.memory;
  if (session === undefined) throw refused();
  const changed = await flow.parts.zitadel.setSession({ ...input, sessionId: session.id })
    .catch((error) => {
      // Nothing was shown that could be wrong: the session was ended, by another tab or by hand.
      const { challenges: _, ...shown } = input;
      const ended = isZitadelError(error, "failed_precondition") ||
        isZitadelError(error, "not_found");
      throw ended && Object.keys(shown).length === 0 ? notFound(flow.memory.ref, error) : error;
    });
  flow.memory.session = { id: session.id, token: changed.sessionToken };
  return changed;
}

/** Unknown, wrong, locked, disabled, of another organization: always the same answer. */
export const refused = (cause?: unknown) =>
  new Problem("credentials_refused", "What was typed is not right, or the account is locked", {
    cause,
  });
