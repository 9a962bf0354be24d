// What a session asks to be answered later. [S] internal/command/session_otp.go, session_webauhtn.go
import { ApiError, failedPrecondition } from "../errors.ts";
import type { WebAuthnChallenge } from "../model_people.ts";
import { coded, newCode } from "./codes.ts";
import { needHuman } from "./humans.ts";
import { type Checking, userIdOf } from "./session_checks.ts";
import { activePerson, authenticatorsFor } from "./session_webauthn.ts";
import { newChallenge, requestOptions } from "./webauthn.ts";

export interface Challenges {
  webAuthN?: { domain: string; userVerificationRequirement?: string };
  otpSms?: object;
  otpEmail?: { sendCode?: object; returnCode?: object };
}

/** Sets them on the session; the answer shows what may be shown. */
export function challenge(
  checking: Checking,
  { webAuthN, otpSms, otpEmail }: Challenges = {},
): object {
  if (otpSms) throw new ApiError("unimplemented", undefined, "The double sends no SMS");
  return {
    ...(webAuthN ? { webAuthN: challengeWebAuthN(checking, webAuthN) } : {}),
    ...(otpEmail ? challengeOtpEmail(checking, otpEmail) : {}),
  };
}

const verifications: Record<string, WebAuthnChallenge["userVerification"]> = {
  USER_VERIFICATION_REQUIREMENT_REQUIRED: "required",
  USER_VERIFICATION_REQUIREMENT_DISCOURAGED: "discouraged",
};

function challengeWebAuthN(
  checking: Checking,
  { domain, userVerificationRequirement = "" }: NonNullable<Challenges["webAuthN"]>,
): object {
  const person = activePerson(checking);
  const asked: WebAuthnChallenge = {
    challenge: newChallenge(),
    rpId: domain,
    userVerification: verifications[userVerificationRequirement] ?? "preferred",
  };
  const options = requestOptions(asked, authenticatorsFor(person, asked));
  checking.found.webAuthnChallenge = asked;
  checking.events.push(["session.webAuthN.challenged", {
    challenge: asked.challenge,
    rpID: asked.rpId,
  }]);
  return { publicKeyCredentialRequestOptions: options };
}

function challengeOtpEmail(
  checking: Checking,
  { returnCode }: NonNullable<Challenges["otpEmail"]>,
): object {
  const { store } = checking.call;
  const userId = userIdOf(checking);
  if (userId === undefined) {
    throw failedPrecondition("COMMAND-JK3gp", "Errors.User.UserIDMissing");
  }
  if (!needHuman(store, userId).human.otpEmail) {
    throw failedPrecondition("COMMAND-JKLJ3", "Errors.User.MFA.OTP.NotReady");
  }
  const code = newCode(store, "otpEmail");
  checking.found.otpEmailChallenge = code;
  checking.events.push(["session.otp.email.challenged", {
    ...coded(code),
    returnCode: returnCode !== undefined,
  }]);
  return returnCode ? { otpEmail: code.code } : {};
}
