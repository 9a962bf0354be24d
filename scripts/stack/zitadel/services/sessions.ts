import { randomBytes } from "node:crypto";
import { hash } from "../caller.ts";
import { failedPrecondition, notFound, permissionDenied } from "../errors.ts";
import type { Session } from "../model.ts";
import { type Call, details, page, type Pagination, type Service } from "../service.ts";
import type { Store } from "../store.ts";
import { loginNames } from "./login_names.ts";
import { challenge, type Challenges } from "./session_challenges.ts";
import { type Checking, type Checks, runChecks } from "./session_checks.ts";

interface Change {
  checks?: Checks;
  challenges?: Challenges;
  lifetime?: string;
  metadata?: Record<string, string>;
}
interface Query {
  idsQuery?: { ids?: string[] };
  userIdQuery?: { id?: string };
  creatorQuery?: { id?: string };
  userAgentQuery?: { fingerprintId?: string };
}

export const sessions: Service = {
  async CreateSession(call: Call, request: Change & { userAgent?: Session["userAgent"] }) {
    const { store, caller, instance } = call;
    caller.need("session.write");
    const { found, events, challenges } = await check(call, undefined, request);
    const id = store.newId();
    const token = newToken();
    const agent = request.userAgent;
    const at = store.push(caller.userId, [
      sessionEvent(instance.id, id, "session.added", {
        ...(agent
          ? {
            user_agent: {
              fingerprint_id: agent.fingerprintId,
              ip: agent.ip,
              description: agent.description,
              header: agent.header,
            },
          }
          : {}),
      }),
      ...events.map(([type, payload]) => sessionEvent(instance.id, id, type, payload)),
      ...changeEvents(instance.id, id, request, token),
    ]);
    store.put("session", id, {
      id,
      state: "active",
      sequence: 1,
      creator: caller.userId,
      tokenHash: hash(token),
      metadata: request.metadata ?? {},
      ...(agent ? { userAgent: agent } : {}),
      ...expiry(request.lifetime),
      ...found,
      createdAt: at,
      changedAt: at,
    });
    return { details: details(instance.id, at), sessionId: id, sessionToken: token, challenges };
  },

  async SetSession(call: Call, request: Change & { sessionId: string }) {
    const { store, caller, instance } = call;
    const before = needActive(store, request.sessionId);
    caller.need("session.write");
    const { found, events, challenges } = await check(call, before, request);
    const session = needActive(store, request.sessionId);
    const token = newToken();
    const at = store.push(caller.userId, [
      ...events.map(([type, payload]) => sessionEvent(instance.id, session.id, type, payload)),
      ...changeEvents(instance.id, session.id, request, token),
    ]);
    store.patch("session", session.id, {
      ...found,
      ...expiry(request.lifetime),
      metadata: { ...session.metadata, ...request.metadata },
      tokenHash: hash(token), // the token before this one is dead
      sequence: session.sequence + 1,
      changedAt: at,
    });
    return { details: details(instance.id, at), sessionToken: token, challenges };
  },

  GetSession(
    { store, caller }: Call,
    request: { sessionId: string; sessionToken?: string },
  ) {
    const session = store.seen("session", request.sessionId);
    if (!session || session.state === "terminated") {
      throw notFound("QUERY-SAder", "Errors.Session.NotExisting");
    }
    if (request.sessionToken !== undefined) {
      // Tokens are checked against the store itself, not the projection.
      if (store.get("session", session.id)!.tokenHash !== hash(request.sessionToken)) {
        throw permissionDenied("COMMAND-sGr42", "Errors.Session.Token.Invalid");
      }
    } else if (session.creator !== caller.userId && session.user?.id !== caller.userId) {
      caller.need("session.read");
    }
    return { session: asSession(store, session) };
  },

  ListSessions({ store, caller }: Call, request: { query?: Pagination; queries?: Query[] }) {
    const all = caller.may("session.read");
    const found = store.seenAll("session").filter((session) =>
      session.state === "active" &&
      (all || session.creator === caller.userId || session.user?.id === caller.userId) &&
      (request.queries ?? []).every((query) => fits(session, query, caller.userId))
    );
    const newestFirst = request.query?.asc !== true;
    found.sort((a, b) => (a.createdAt < b.createdAt ? -1 : 1) * (newestFirst ? -1 : 1));
    const { rows, total } = page(found, request.query);
    return {
      details: { totalResult: total, timestamp: store.now() },
      sessions: rows.map((session) => asSession(store, session)),
    };
  },

  DeleteSession(
    { store, caller, instance }: Call,
    request: { sessionId: string; sessionToken?: string },
  ) {
    const session = store.get("session", request.sessionId);
    if (!session) throw notFound("COMMAND-SDf3s", "Errors.Session.NotExisting");
    if (request.sessionToken !== undefined) {
      if (session.tokenHash !== hash(request.sessionToken)) {
        throw permissionDenied("COMMAND-sGr42", "Errors.Session.Token.Invalid");
      }
    } else if (session.user?.id !== caller.userId) {
      caller.need("session.delete");
    }
    const at = terminate(store, instance.id, session, caller.userId);
    return { details: details(instance.id, at) };
  },
};

/** All checks, then the challenges; what they do to the user happens when all of them went well. */
async function check(call: Call, session: Session | undefined, request: Change) {
  const checking: Checking = { call, session, found: {}, events: [], then: [] };
  await runChecks(checking, request.checks);
  const challenges = challenge(checking, request.challenges);
  for (const act of checking.then) act();
  return { ...checking, challenges };
}

/** Ending an ended session is success, without an event. */
export function terminate(
  store: Store,
  instanceId: string,
  session: Session,
  editor: string,
): string {
  if (session.state === "terminated") return session.changedAt;
  const at = store.push(editor, [sessionEvent(instanceId, session.id, "session.terminated")]);
  store.patch("session", session.id, { state: "terminated", changedAt: at });
  return at;
}

export function needActive(store: Store, id: string): Session {
  const session = store.get("session", id);
  if (!session) throw failedPrecondition("COMMAND-Flk38", "Errors.Session.NotExisting");
  if (session.state === "terminated") {
    throw failedPrecondition("COMMAND-Hewfq", "Errors.Session.Terminated");
  }
  if (session.expiresAt !== undefined && Date.parse(session.expiresAt) < Date.now()) {
    throw failedPrecondition("COMMAND-Hkl3d", "Errors.Session.Expired");
  }
  return session;
}

/** Sessions belong to the instance, whoever their user is. */
function sessionEvent(
  instanceId: string,
  id: string,
  type: string,
  payload: Record<string, unknown> = {},
) {
  return {
    aggregateType: "session",
    aggregateId: id,
    type,
    resourceOwner: instanceId,
    payload: JSON.parse(JSON.stringify(payload)),
  };
}

function changeEvents(instanceId: string, id: string, request: Change, token: string) {
  return [
    ...(request.metadata
      ? [sessionEvent(instanceId, id, "session.metadata.set", { metadata: request.metadata })]
      : []),
    ...(request.lifetime
      ? [
        sessionEvent(instanceId, id, "session.lifetime.set", {
          lifetime: nanoseconds(request.lifetime),
        }),
      ]
      : []),
    sessionEvent(instanceId, id, "session.token.set", { tokenID: hash(token) }),
  ];
}

const newToken = () => randomBytes(75).toString("base64url"); // 100 characters; GetSession takes 200 at most
const secondsOf = (lifetime: string) => Number(lifetime.replace(/s$/, ""));
const nanoseconds = (lifetime: string) => secondsOf(lifetime) * 1e9;
const expiry = (lifetime: string | undefined) =>
  lifetime === undefined
    ? {}
    : { expiresAt: new Date(Date.now() + secondsOf(lifetime) * 1000).toISOString() };

function asSession(store: Store, session: Session): object {
  const user = session.user && store.get("user", session.user.id);
  return {
    id: session.id,
    creationDate: session.createdAt,
    changeDate: session.changedAt,
    sequence: String(session.sequence),
    factors: {
      ...(session.user
        ? {
          user: {
            verifiedAt: session.user.verifiedAt,
            id: session.user.id,
            loginName: user ? loginNames(store, user)[0] ?? "" : "",
            displayName: user?.human?.displayName ?? "",
            organizationId: session.user.organizationId,
          },
        }
        : {}),
      ...(session.passwordVerifiedAt
        ? { password: { verifiedAt: session.passwordVerifiedAt } }
        : {}),
      ...session.factors,
    },
    metadata: session.metadata,
    ...(session.userAgent ? { userAgent: session.userAgent } : {}),
    ...(session.expiresAt ? { expirationDate: session.expiresAt } : {}),
  };
}

function fits(session: Session, query: Query, callerId: string): boolean {
  if (query.idsQuery) return (query.idsQuery.ids ?? []).includes(session.id);
  if (query.userIdQuery) return session.user?.id === query.userIdQuery.id;
  if (query.creatorQuery) return session.creator === (query.creatorQuery.id ?? callerId);
  if (query.userAgentQuery) {
    return session.userAgent?.fingerprintId === query.userAgentQuery.fingerprintId;
  }
  return true;
}
