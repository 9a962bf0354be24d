// Proving an e-mail address. [S] internal/command/user_v2_email.go
import { failedPrecondition, invalidArgument } from "../errors.ts";
import { type Call, details, type Service } from "../service.ts";
import { checkCode, coded, newCode } from "./codes.ts";
import { change, needHuman } from "./humans.ts";

interface Medium {
  userId: string;
  sendCode?: object;
  returnCode?: object;
}

export const emails: Service = {
  SendEmailCode: (call: Call, request: Medium) => newEmailCode(call, request),

  ResendEmailCode(call: Call, request: Medium) {
    if (!needHuman(call.store, request.userId).human.emailCode) {
      throw failedPrecondition("EMAIL-5w5ilin4yt", "Errors.User.Code.Empty");
    }
    return newEmailCode(call, request);
  },

  /** Wrong, expired and never asked for are one and the same refusal. */
  VerifyEmail(
    call: Call,
    { userId, verificationCode }: { userId: string; verificationCode: string },
  ) {
    const user = needHuman(call.store, userId);
    call.caller.needFor(user, "user.write");
    try {
      checkCode(user.human.emailCode, verificationCode);
    } catch {
      change(call, user, [["email.verification.failed"]], {});
      throw invalidArgument("COMMAND-eis9R", "Errors.User.Code.Invalid");
    }
    const at = change(call, user, [["email.verified"]], {
      emailCode: undefined,
      emailVerified: true,
    });
    return { details: details(user.organizationId, at) };
  },
};

function newEmailCode(call: Call, { userId, returnCode }: Medium) {
  const user = needHuman(call.store, userId);
  call.caller.needFor(user, "user.write");
  const emailCode = newCode(call.store, "verifyEmail");
  const payload = { ...coded(emailCode), codeReturned: returnCode !== undefined };
  const at = change(call, user, [["email.code.added", payload]], { emailCode });
  return {
    details: details(user.organizationId, at),
    ...(returnCode ? { verificationCode: emailCode.code } : {}),
  };
}
