import { randomBytes } from "node:crypto";
import { failedPrecondition, invalidArgument, notFound } from "../errors.ts";
import type { User } from "../model.ts";
import { type Call, details, type Service } from "../service.ts";
import { checkComplexity, hashPassword, verifyPassword } from "./passwords.ts";
import { needUser, patchHuman, userEvent } from "./users.ts";

interface Medium {
  userId: string;
  sendLink?: object;
  sendCode?: object;
  returnCode?: object;
}

/** Six letters and digits that are not mistaken for each other, as ZITADEL sends them. */
export function newCode(): string {
  const letters = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
  return [...randomBytes(6)].map((byte) => letters[byte % letters.length]).join("");
}

export const credentials: Service = {
  async SetPassword(
    call: Call,
    request: {
      userId: string;
      newPassword?: { password: string; changeRequired?: boolean };
      currentPassword?: string;
      verificationCode?: string;
    },
  ) {
    const { store, caller } = call;
    const { human, ...user } = needHuman(call, request.userId);
    if (request.currentPassword !== undefined) {
      if (
        !human.passwordHash || !await verifyPassword(request.currentPassword, human.passwordHash)
      ) {
        throw invalidArgument("COMMAND-3M0fs", "Errors.User.Password.Invalid");
      }
    } else if (request.verificationCode !== undefined) {
      if (!human.passwordCode || human.passwordCode !== request.verificationCode) {
        throw invalidArgument("CODE-woT0xc", "Errors.User.Code.Invalid");
      }
    } else {
      // Neither: whoever holds the permission may set anybody's, themselves included.
      caller.need("user.credential.write", { organizationId: user.organizationId });
    }
    const { password = "", changeRequired } = request.newPassword ?? {};
    const at = await setPassword(call, user.id, password, changeRequired);
    return { details: details(store.get("user", user.id)!.organizationId, at) };
  },

  PasswordReset(call: Call, request: Medium) {
    const { store, caller } = call;
    const user = needHuman(call, request.userId);
    caller.needFor(user, "user.write");
    const passwordCode = newCode();
    const at = store.push(caller.userId, [
      userEvent(user, "user.human.password.code.added", { code: { Crypted: passwordCode } }),
    ]);
    patchHuman(store, user.id, { passwordCode }, at);
    return {
      details: details(user.organizationId, at),
      ...(request.returnCode ? { verificationCode: passwordCode } : {}),
    };
  },

  SendEmailCode: (call: Call, request: Medium) => newEmailCode(call, request),
  ResendEmailCode: (call: Call, request: Medium) => newEmailCode(call, request),

  VerifyEmail(call: Call, request: { userId: string; verificationCode: string }) {
    const { store, caller } = call;
    const user = needHuman(call, request.userId);
    caller.needFor(user, "user.write");
    if (!user.human.emailCode || user.human.emailCode !== request.verificationCode) {
      store.push(caller.userId, [userEvent(user, "user.human.email.verification.failed")]);
      throw invalidArgument("CODE-woT0xc", "Errors.User.Code.Invalid");
    }
    const at = store.push(caller.userId, [userEvent(user, "user.human.email.verified")]);
    const { emailCode: _used, ...human } = user.human;
    store.patch("user", user.id, { human: { ...human, emailVerified: true }, changedAt: at });
    return { details: details(user.organizationId, at) };
  },

  ListAuthenticationMethodTypes({ store, caller }: Call, { userId }: { userId: string }) {
    const user = store.seen("user", userId);
    if (!user) throw notFound("QUERY-Dfbg2", "Errors.User.NotFound");
    caller.needFor(user, "user.read");
    const types = user.human?.passwordHash ? ["AUTHENTICATION_METHOD_TYPE_PASSWORD"] : [];
    return {
      details: { totalResult: String(types.length), timestamp: store.now() },
      authMethodTypes: types,
    };
  },

  HumanMFAInitSkipped(call: Call, { userId }: { userId: string }) {
    const { store, caller } = call;
    const user = needHuman(call, userId);
    caller.needFor(user, "user.write");
    const at = store.push(caller.userId, [userEvent(user, "user.human.mfa.init.skipped")]);
    patchHuman(store, user.id, { mfaInitSkippedAt: at }, at);
    return { details: details(user.organizationId, at) };
  },
};

/** Also ends the lock that wrong passwords made. */
export async function setPassword(
  { store, caller }: Call,
  userId: string,
  password: string,
  changeRequired = false,
): Promise<string> {
  if (password === "") throw invalidArgument("COMMAND-3M0fs", "Errors.User.Password.Empty");
  checkComplexity(store, needUser(store, userId).organizationId, password);
  const passwordHash = await hashPassword(password);
  const user = needUser(store, userId);
  const at = store.push(caller.userId, [
    userEvent(user, "user.human.password.changed", { encodedHash: passwordHash, changeRequired }),
  ]);
  const { passwordCode: _used, ...human } = user.human!;
  store.patch("user", userId, {
    changedAt: at,
    human: {
      ...human,
      passwordHash,
      passwordChangeRequired: changeRequired,
      passwordChangedAt: at,
      failedAttempts: 0,
    },
  });
  return at;
}

function newEmailCode(call: Call, request: Medium) {
  const { store, caller } = call;
  const user = needHuman(call, request.userId);
  caller.needFor(user, "user.write");
  if (user.human.emailVerified) {
    throw failedPrecondition("COMMAND-3M9ds", "Errors.User.Email.AlreadyVerified");
  }
  const emailCode = newCode();
  const at = store.push(caller.userId, [
    userEvent(user, "user.human.email.code.added", { code: { Crypted: emailCode } }),
  ]);
  patchHuman(store, user.id, { emailCode }, at);
  return {
    details: details(user.organizationId, at),
    ...(request.returnCode ? { verificationCode: emailCode } : {}),
  };
}

function needHuman({ store }: Call, id: string): User & { human: NonNullable<User["human"]> } {
  const user = needUser(store, id);
  if (!user.human) throw failedPrecondition("COMMAND-G8dh3", "Errors.User.NotHuman");
  return { ...user, human: user.human };
}
