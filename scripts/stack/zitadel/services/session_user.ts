// The checks that begin a sign-in: who, and the password.
import { ApiError, failedPrecondition, invalidArgument, notFound } from "../errors.ts";
import type { User } from "../model.ts";
import type { Call } from "../service.ts";
import { loginNames } from "./login_names.ts";
import { verifyPassword } from "./passwords.ts";
import { policyOf } from "./policies.ts";
import { type Checking, type Checks, userIdOf } from "./session_checks.ts";
import { patchHuman, userEvent } from "./users.ts";

export function checkUser(checking: Checking, shown: NonNullable<Checks["user"]>): void {
  const { call, found, events } = checking;
  const user = findUser(call, shown);
  const before = userIdOf(checking);
  if (before !== undefined && before !== user.id) {
    throw invalidArgument("COMMAND-JJd3g", "Errors.Session.UserChangeNotPossible");
  }
  if (user.state !== "active") throw failedPrecondition("SESSION-Gj4ko", "Errors.User.NotActive");
  const checkedAt = call.store.now();
  found.user = { id: user.id, organizationId: user.organizationId, verifiedAt: checkedAt };
  events.push(["session.user.checked", {
    userID: user.id,
    userResourceOwner: user.organizationId,
    checkedAt,
  }]);
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

export async function checkPassword(
  checking: Checking,
  { password }: { password: string },
): Promise<void> {
  const { store, caller } = checking.call;
  const user = store.get("user", userIdOf(checking) ?? "");
  if (!user) throw failedPrecondition("COMMAND-Sfw3f", "Errors.User.UserIDMissing");
  if (user.state === "locked") throw failedPrecondition("COMMAND-JLK35", "Errors.User.Locked");
  if (!user.human?.passwordHash) {
    throw failedPrecondition("COMMAND-3nJ4t", "Errors.User.Password.NotSet");
  }
  const right = await verifyPassword(password, user.human.passwordHash);
  const now = store.get("user", user.id)!; // other attempts may have counted meanwhile
  if (now.state === "locked") throw failedPrecondition("COMMAND-SFA3t", "Errors.User.Locked");
  if (!right) throw wrongPassword(checking.call, now);
  const checkedAt = store.now();
  checking.found.passwordVerifiedAt = checkedAt;
  checking.events.push(["session.password.checked", { checkedAt }]);
  checking.then.push(() => {
    const at = store.push(caller.userId, [userEvent(now, "user.human.password.check.succeeded")]);
    patchHuman(store, now.id, { failedAttempts: 0 }, at);
  });
}

function wrongPassword({ store, caller }: Call, user: User): ApiError {
  const failedAttempts = user.human!.failedAttempts + 1;
  const allowed = Number(
    policyOf(store, user.organizationId, "lockout").values.maxPasswordAttempts,
  );
  const locks = allowed > 0 && failedAttempts >= allowed;
  const at = store.push(caller.userId, [
    userEvent(user, "user.human.password.check.failed"),
    ...(locks ? [userEvent(user, "user.locked")] : []),
  ]);
  patchHuman(store, user.id, { failedAttempts }, at);
  if (locks) store.patch("user", user.id, { state: "locked" });
  return new ApiError(
    "invalid_argument",
    "COMMAND-3M0fs",
    "Errors.User.Password.Invalid",
    failedAttempts,
  );
}
