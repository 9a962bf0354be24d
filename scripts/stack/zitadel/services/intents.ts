/**
 * zitadel.user.v2: signing in at a provider, as intents. [S] internal/api/grpc/user/v2/intent.go, internal/command/session.go
 * Next: idps/ (what is said to the providers), idps/callback.ts (where the browser comes back).
 */
import { randomBytes } from "node:crypto";
import { hash } from "../caller.ts";
import { ApiError, failedPrecondition, invalidArgument, permissionDenied } from "../errors.ts";
import { directoryPerson } from "../idps/ldap.ts";
import { begin } from "../idps/begin.ts";
import type { Idps } from "../idps/reach.ts";
import type { ExternalPerson, Intent } from "../model_idps.ts";
import { type Call, details, type Service } from "../service.ts";
import type { Store } from "../store.ts";
import { linkedUser } from "./idp_links.ts";
import { needIdp } from "./idps.ts";
import { type Checking, passed, userIdOf } from "./session_checks.ts";

interface Start {
  idpId: string;
  urls?: { successUrl?: string; failureUrl?: string; loginHint?: string };
  ldap?: { username?: string; password?: string };
}

export const intents: Service = {
  async StartIdentityProviderIntent(call: Call, { idpId, urls, ldap }: Start) {
    const { store, instance, caller } = call;
    caller.need("user.write", { organizationId: caller.organizationId });
    const idp = needIdp(store, idpId);
    const id = store.newId();
    if (ldap) {
      if (idp.type !== "LDAP") {
        throw invalidArgument("IDP-9a02j2n2bh", "Errors.ExternalIDP.IDPTypeNotImplemented");
      }
      const at = open(store, instance.id, { id, idpId, successUrl: "", failureUrl: "" });
      try {
        const person = await directoryPerson(idp, ldap.username ?? "", ldap.password ?? "");
        const { token, userId } = succeed(store, call.idps, id, person);
        return {
          details: details(instance.id, at),
          idpIntent: { idpIntentId: id, idpIntentToken: token, ...(userId ? { userId } : {}) },
        };
      } catch (error) {
        fail(store, id, (error as Error).message);
        // What the directory says beyond "no" has no id of ZITADEL's.
        throw error instanceof ApiError
          ? error
          : new ApiError("internal", undefined, `LDAP: ${(error as Error).message}`);
      }
    }
    const { step, parameters } = await begin(call.idps, idp, id, urls?.loginHint);
    const at = open(store, instance.id, {
      id,
      idpId,
      successUrl: urls?.successUrl ?? "",
      failureUrl: urls?.failureUrl ?? "",
    }, parameters);
    return { details: details(instance.id, at), ...step };
  },

  RetrieveIdentityProviderIntent(
    { store, instance, caller }: Call,
    request: { idpIntentId: string; idpIntentToken: string },
  ) {
    caller.need("user.write", { organizationId: caller.organizationId });
    const { person, ...intent } = needSucceeded(store, request, {
      state: "IDP-nme4gszsvx",
      expired: "IDP-SAf42",
    });
    return {
      details: details(instance.id, intent.changedAt, intent.createdAt),
      idpInformation: {
        idpId: intent.idpId,
        userId: person.id,
        userName: person.userName,
        rawInformation: person.raw,
        ...person.access,
      },
      ...(intent.userId
        ? { userId: intent.userId }
        : { addHumanUser: asNewUser(intent.idpId, person) }),
    };
  },
};

function asNewUser(idpId: string, { id, userName, human }: ExternalPerson) {
  const { email, emailVerified, ...profile } = human;
  return {
    ...(userName ? { username: userName } : {}),
    profile,
    email: { email, ...(emailVerified ? { isVerified: true } : { sendCode: {} }) },
    idpLinks: [{ idpId, userId: id, userName }],
  };
}

/** The check of a session: used up by it, when all went well. @throws ApiError */
export function checkIntent(
  checking: Checking,
  check: { idpIntentId: string; idpIntentToken: string },
): void {
  const { store, instance } = checking.call;
  const userId = userIdOf(checking);
  if (userId === undefined) {
    throw failedPrecondition("COMMAND-Sfw3r", "Errors.User.UserIDMissing");
  }
  const { person, ...intent } = needSucceeded(store, check, {
    state: "COMMAND-Df4bw",
    expired: "COMMAND-SAf42",
  });
  const theirs = intent.userId ?? linkedUser(store, intent.idpId, person.id);
  if (theirs !== userId) throw failedPrecondition("COMMAND-O8xk3w", "Errors.Intent.OtherUser");
  passed(checking, "intent", "intent");
  checking.then.push(() => move(store, instance.id, intent.id, "consumed"));
}

function needSucceeded(
  store: Store,
  { idpIntentId, idpIntentToken }: { idpIntentId: string; idpIntentToken: string },
  ids: { state: string; expired: string },
): Intent & { person: ExternalPerson } {
  const intent = store.get("intent", idpIntentId);
  if (!intent?.tokenHash || intent.tokenHash !== hash(idpIntentToken)) {
    throw permissionDenied("CRYPTO-CRYPTO", "Errors.Intent.InvalidToken");
  }
  if (intent.state !== "succeeded" || !intent.person) {
    throw failedPrecondition(ids.state, "Errors.Intent.NotSucceeded");
  }
  if (Date.parse(intent.expiresAt!) < Date.now()) {
    throw failedPrecondition(ids.expired, "Errors.Intent.Expired");
  }
  return { ...intent, person: intent.person };
}

function open(
  store: Store,
  instanceId: string,
  intent: Pick<Intent, "id" | "idpId" | "successUrl" | "failureUrl">,
  parameters: Intent["parameters"] = {},
): string {
  const at = store.push("SYSTEM", [event(instanceId, intent.id, "started", {
    idpId: intent.idpId,
  })]);
  store.put("intent", intent.id, {
    ...intent,
    state: "started",
    parameters,
    createdAt: at,
    changedAt: at,
  });
  return at;
}

/** The token is good for this intent only, and known to whoever started it or came back with it. */
export function succeed(
  store: Store,
  { intentMs }: Idps,
  id: string,
  person: ExternalPerson,
): { token: string; userId: string | undefined } {
  const { idpId } = store.get("intent", id)!;
  const userId = linkedUser(store, idpId, person.id);
  const token = randomBytes(40).toString("base64url");
  move(store, instanceOf(store), id, "succeeded", {
    idpUserId: person.id,
    idpUserName: person.userName,
  });
  store.patch("intent", id, {
    person,
    tokenHash: hash(token),
    expiresAt: new Date(Date.now() + intentMs).toISOString(),
    ...(userId ? { userId } : {}),
  });
  return { token, userId };
}

export function fail(store: Store, id: string, reason: string): void {
  move(store, instanceOf(store), id, "failed", { reason });
}

function move(
  store: Store,
  instanceId: string,
  id: string,
  state: Intent["state"],
  payload: Record<string, unknown> = {},
): void {
  const at = store.push("SYSTEM", [event(instanceId, id, state, payload)]);
  store.patch("intent", id, { state, changedAt: at });
}

const instanceOf = (store: Store) => store.get("instance", "instance")!.id;

const event = (
  instanceId: string,
  id: string,
  state: string,
  payload: Record<string, unknown>,
) => ({
  aggregateType: "idpintent",
  aggregateId: id,
  type: `idpintent.${state}`,
  resourceOwner: instanceId,
  payload,
});
