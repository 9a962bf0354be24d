// Passwords: changed, reset, set. [S] internal/command/user_human_password.go
import { failedPrecondition, invalidArgument } from "../errors.ts";
import { type Call, details, type Service } from "../service.ts";
import { checkCode, coded, newCode } from "./codes.ts";
import { change, needHuman } from "./humans.ts";
import { checkComplexity, hashPassword, verifyPassword } from "./passwords.ts";

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
    const { human, ...user } = needHuman(store, request.userId);
    const { password = "", changeRequired } = request.newPassword ?? {};
    if (request.currentPassword !== undefined) {
      await checkCurrent(human.passwordHash, request.currentPassword, password);
    } else if (request.verificationCode !== undefined) {
      if (!human.passwordCode) {
        throw failedPrecondition("COMMAND-2M9fs", "Errors.User.Code.NotFound");
      }
      checkCode(human.passwordCode, request.verificationCode);
    } else {
      // Neither: whoever holds the permission may set anybody's, themselves included.
      caller.need("user.credential.write", { organizationId: user.organizationId });
    }
    const at = await setPassword(call, user.id, password, changeRequired);
    return { details: details(user.organizationId, at) };
  },

  PasswordReset(call: Call, request: { userId: string; sendLink?: object; returnCode?: object }) {
    const { store, caller } = call;
    const user = needHuman(store, request.userId);
    caller.needFor(user, "user.write");
    const passwordCode = newCode(store, "passwordReset");
    const codeReturned = request.returnCode !== undefined;
    const payload = { ...coded(passwordCode), codeReturned };
    const at = change(call, user, [["password.code.added", payload]], { passwordCode });
    return {
      details: details(user.organizationId, at),
      ...(codeReturned ? { verificationCode: passwordCode.code } : {}),
    };
  },

  HumanMFAInitSkipped(call: Call, { userId }: { userId: string }) {
    const user = needHuman(call.store, userId);
    call.caller.needFor(user, "user.write");
    const at = change(call, user, [["mfa.init.skipped"]], {
      mfaInitSkippedAt: call.store.now(),
    });
    return { details: details(user.organizationId, at) };
  },
};

async function checkCurrent(
  passwordHash: string | undefined,
  current: string,
  next: string,
): Promise<void> {
  if (!passwordHash) throw failedPrecondition("COMMAND-Fds3s", "Errors.User.Password.NotSet");
  if (!await verifyPassword(current, passwordHash)) {
    throw invalidArgument("COMMAND-3M0fs", "Errors.User.Password.Invalid");
  }
  if (current === next) {
    throw failedPrecondition("COMMAND-Aesh5", "Errors.User.Password.NotChanged");
  }
}

/** Counts of wrong ones begin anew; whom they locked stays locked. The code for it is spent. */
export async function setPassword(
  call: Call,
  userId: string,
  password: string,
  changeRequired = false,
): Promise<string> {
  const { store } = call;
  if (password === "") throw invalidArgument("COMMAND-3M0fs", "Errors.User.Password.Empty");
  checkComplexity(store, needHuman(store, userId).organizationId, password);
  const passwordHash = await hashPassword(password);
  const user = needHuman(store, userId);
  const payload = { encodedHash: passwordHash, changeRequired };
  return change(call, user, [["password.changed", payload]], {
    passwordHash,
    passwordChangeRequired: changeRequired,
    passwordChangedAt: store.now(),
    passwordCode: undefined,
    failedAttempts: 0,
  });
}
