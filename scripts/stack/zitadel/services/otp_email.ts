// Codes over e-mail as a second factor; the codes themselves belong to sessions. [S] internal/command/user_human_otp.go
import { alreadyExists, failedPrecondition, notFound } from "../errors.ts";
import { type Call, details, type Service } from "../service.ts";
import { change, needHuman } from "./humans.ts";

export const otpEmail: Service = {
  AddOTPEmail(call: Call, { userId }: { userId: string }) {
    const user = needHuman(call.store, userId);
    call.caller.needFor(user, "user.credential.write");
    if (user.human.otpEmail) {
      throw alreadyExists("COMMAND-MKL2s", "Errors.User.MFA.OTP.AlreadyReady");
    }
    if (!user.human.emailVerified) {
      throw failedPrecondition("COMMAND-KLJ2d", "Errors.User.MFA.OTP.NotReady");
    }
    const at = change(call, user, [["mfa.otp.email.added"]], { otpEmail: true });
    return { details: details(user.organizationId, at) };
  },

  RemoveOTPEmail(call: Call, { userId }: { userId: string }) {
    const user = needHuman(call.store, userId);
    call.caller.needFor(user, "user.write");
    if (!user.human.otpEmail) throw notFound("COMMAND-b312D", "Errors.User.MFA.OTP.NotExisting");
    const at = change(call, user, [["mfa.otp.email.removed"]], { otpEmail: false });
    return { details: details(user.organizationId, at) };
  },
};
