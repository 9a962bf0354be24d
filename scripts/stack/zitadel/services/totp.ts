// Codes of an authenticator application. [S] internal/command/user_human_otp.go, internal/domain/human_otp.go
import { Secret, TOTP } from "otpauth";
import { hash } from "../caller.ts";
import { alreadyExists, failedPrecondition, invalidArgument, notFound } from "../errors.ts";
import type { Totp } from "../model_people.ts";
import { type Call, details, type Service } from "../service.ts";
import { change, needHuman } from "./humans.ts";
import { loginNames } from "./login_names.ts";

/** One step of 30 s earlier or later is taken. */
const window = 1;
const rememberedMs = (1 + 2 * window) * 30_000;

export const totp: Service = {
  RegisterTOTP(call: Call, { userId }: { userId: string }) {
    const user = needHuman(call.store, userId);
    call.caller.needFor(user, "user.credential.write");
    if (user.human.totp?.ready) {
      throw alreadyExists("COMMAND-do9se", "Errors.User.MFA.OTP.AlreadyReady");
    }
    const secret = new Secret({ size: 20 }).base32;
    const uri = new TOTP({
      issuer: "ZITADEL",
      label: loginNames(call.store, user)[0] ?? user.human.email,
      secret,
    }).toString();
    const at = change(call, user, [["mfa.otp.added", { otpSecret: { Crypted: hash(secret) } }]], {
      totp: { secret, ready: false, used: [] },
    });
    return { details: details(user.organizationId, at), uri, secret };
  },

  VerifyTOTPRegistration(call: Call, { userId, code }: { userId: string; code: string }) {
    const user = needHuman(call.store, userId);
    call.caller.needFor(user, "user.credential.write");
    const { totp } = user.human;
    if (!totp) throw notFound("COMMAND-3Mif9s", "Errors.User.MFA.OTP.NotExisting");
    if (totp.ready) throw failedPrecondition("COMMAND-qx4ls", "Errors.Users.MFA.OTP.AlreadyReady");
    validate(totp, code);
    const at = change(call, user, [["mfa.otp.verified", {}]], { totp: { ...totp, ready: true } });
    return { details: details(user.organizationId, at) };
  },

  RemoveTOTP(call: Call, { userId }: { userId: string }) {
    const user = needHuman(call.store, userId);
    call.caller.needFor(user, "user.write");
    if (!user.human.totp) throw notFound("COMMAND-Hd9sd", "Errors.User.MFA.OTP.NotExisting");
    const at = change(call, user, [["mfa.otp.removed"]], { totp: undefined });
    return { details: details(user.organizationId, at) };
  },
};

function validate(totp: Totp, code: string): void {
  const step = new TOTP({ secret: totp.secret }).validate({ token: code, window });
  if (step === null) throw invalidArgument("EVENT-8isk2", "Errors.User.MFA.OTP.InvalidCode");
}

/** With this code remembered. The one that finished the registration is not: it may be shown once more. @throws EVENT-8isk2, TOTP-Auw0a */
export function useTotp(totp: Totp, code: string, now: string): Totp {
  validate(totp, code);
  const codeHash = hash(code);
  const used = totp.used.filter(({ at }) => Date.parse(at) > Date.parse(now) - rememberedMs);
  if (used.some((before) => before.codeHash === codeHash)) {
    throw invalidArgument("TOTP-Auw0a", "Errors.User.MFA.OTP.Reused");
  }
  return { ...totp, used: [...used, { codeHash, at: now }] };
}
