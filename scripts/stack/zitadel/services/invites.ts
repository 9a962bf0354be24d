// Invitations of people who hold no credential yet. [S] internal/command/user_v2_invite.go
import { failedPrecondition, invalidArgument } from "../errors.ts";
import { type Call, details, type Service } from "../service.ts";
import { methodsOf } from "./auth_methods.ts";
import { checkCode, coded, newCode } from "./codes.ts";
import { change, needHuman } from "./humans.ts";

/** What can begin a sign-in; second factors do not count. */
const first = ["PASSWORD", "PASSKEY", "IDP"];

export const invites: Service = {
  CreateInviteCode(
    call: Call,
    request: { userId: string; sendCode?: object; returnCode?: object },
  ) {
    const user = needHuman(call.store, request.userId);
    call.caller.need("user.write", { organizationId: user.organizationId });
    if (methodsOf(call.store, user).some((method) => first.includes(method))) {
      throw failedPrecondition("COMMAND-EF34g", "Errors.User.AlreadyInitialised");
    }
    const inviteCode = newCode(call.store, "invite");
    const codeReturned = request.returnCode !== undefined;
    const payload = { ...coded(inviteCode), codeReturned };
    const at = change(call, user, [["invite.code.added", payload]], { inviteCode });
    return {
      details: details(user.organizationId, at),
      ...(codeReturned ? { inviteCode: inviteCode.code } : {}),
    };
  },

  VerifyInviteCode(
    call: Call,
    { userId, verificationCode }: { userId: string; verificationCode: string },
  ) {
    const user = needHuman(call.store, userId);
    call.caller.needFor(user, "user.write");
    try {
      checkCode(user.human.inviteCode, verificationCode);
    } catch {
      change(call, user, [["invite.check.failed"]], {});
      throw invalidArgument("COMMAND-Wgn4q", "Errors.User.Code.Invalid");
    }
    const at = change(call, user, [["invite.check.succeeded"], ["email.verified"]], {
      inviteCode: undefined,
      emailCode: undefined,
      emailVerified: true,
    });
    return { details: details(user.organizationId, at) };
  },
};
