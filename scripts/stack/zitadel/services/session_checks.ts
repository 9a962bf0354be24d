import { ApiError, failedPrecondition, invalidArgument, notFound } from "../errors.ts";
import type { Session, User } from "../model.ts";
import type { Call } from "../service.ts";
import { checkIntent } from "./intents.ts";
import { loginNames } from "./login_names.ts";
import { verifyPassword } from "./passwords.ts";
import { policyOf } from "./policies.ts";
import { patchHuman, userEvent } from "./users.ts";

export interface Checks {
  user?: { userId?: string; loginName?: string };
  password?: { password: string };
  webAuthN?: object;
  idpIntent?: { idpIntentId: string; idpIntentToken: string };
  totp?: object;
  otpSms?: object;
  otpEmail?: object;
  recoveryCode?: object;
}

type Found = Pick<Session, "user" | "passwordVerifiedAt" | "intentVerifiedAt">;
type SessionEvent = [type: string, payload: Record<string, unknown>];

/**
 * The user first, then the password. A failure changes no session, but the user's events are written.
 * No policy is looked at beyond the lockout: neither does ZITADEL.
 */
export async function runChecks(
  call: Call,
  session: Session | undefined,
  { checks = {}, challenges }: { checks?: Checks; challenges?: object },
): Promise<{ found: Partial<Found>; events: SessionEvent[] }> {
  const { user: userCheck, password, idpIntent, ...others } = checks;
  const missing = [...Object.keys(others), ...Object.keys(challenges ?? {})];
  if (missing.length > 0) {
    throw new ApiError(
      "unimplemented",
      undefined,
      `The double does not check ${missing.join(", ")}`,
    );
  }
  const found: Partial<Found> = {};
  const events: SessionEvent[] = [];
  let userId = session?.user?.id;
  if (userCheck) {
    const user = findUser(call, userCheck);
    if (userId !== undefined && userId !== user.id) {
      throw invalidArgument("COMMAND-JJd3g", "Errors.Session.UserChangeNotPossible");
    }
    if (user.state !== "active") throw failedPrecondition("SESSION-Gj4ko", "Errors.User.NotActive");
    userId = user.id;
    const checkedAt = call.store.now();
    found.user = { id: user.id, organizationId: user.organizationId, verifiedAt: checkedAt };
    events.push(["session.user.checked", {
      userID: user.id,
      userResourceOwner: user.organizationId,
      checkedAt,
    }]);
  }
  if (password) {
    await checkPassword(call, userId, password.password);
    found.passwordVerifiedAt = call.store.now();
    events.push(["session.password.checked", { checkedAt: found.passwordVerifiedAt }]);
  }
  if (idpIntent) {
    const consume = checkIntent(call, userId, idpIntent);
    found.intentVerifiedAt = call.store.now();
    events.push(["session.intent.checked", { checkedAt: found.intentVerifiedAt }]);
    consume();
  }
  return { found, events };
}

function findUser({ store }: Call, { userId, loginName }: NonNullable<Checks["user"]>): User {
  const user = userId !== undefined
    ? store.seen("user", userId)
    : store.seenAll("user").find((candidate) =>
      loginNames(store, candidate).some((name) => name.toLowerCase() === loginName?.toLowerCase())
    );
  if (!user) throw notFound("QUERY-Dfbg2", "Errors.User.NotFound");
  return store.get("user", user.id) ?? user;
}

async function checkPassword(
  { store, caller }: Call,
  userId: string | undefined,
  password: string,
) {
  const user = userId === undefined ? undefined : store.get("user", userId);
  if (!user) throw failedPrecondition("COMMAND-Sfw3f", "Errors.User.UserIDMissing");
  if (!user.human?.passwordHash) {
    throw failedPrecondition("COMMAND-3nJ4t", "Errors.User.Password.NotSet");
  }
  if (user.state === "locked") throw failedPrecondition("COMMAND-JLK35", "Errors.User.Locked");
  const right = await verifyPassword(password, user.human.passwordHash);
  const now = store.get("user", user.id)!; // other attempts may have counted meanwhile
  if (now.state === "locked") throw failedPrecondition("COMMAND-SFA3t", "Errors.User.Locked");
  if (right) {
    const at = store.push(caller.userId, [userEvent(now, "user.human.password.check.succeeded")]);
    patchHuman(store, now.id, { failedAttempts: 0 }, at);
    return;
  }
  const failedAttempts = now.human!.failedAttempts + 1;
  const allowed = Number(policyOf(store, now.organizationId, "lockout").values.maxPasswordAttempts);
  const locks = allowed > 0 && failedAttempts >= allowed;
  const at = store.push(caller.userId, [
    userEvent(now, "user.human.password.check.failed"),
    ...(locks ? [userEvent(now, "user.locked")] : []),
  ]);
  patchHuman(store, now.id, { failedAttempts }, at);
  if (locks) store.patch("user", now.id, { state: "locked" });
  throw new ApiError(
    "invalid_argument",
    "COMMAND-3M0fs",
    "Errors.User.Password.Invalid",
    failedAttempts,
  );
}
