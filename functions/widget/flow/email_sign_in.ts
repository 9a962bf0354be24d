/**
 * A code by e-mail as the whole sign-in, where the tenant lets it be. Whoever the name means sees the same screen after the same time;
 * a code is mailed where the person is known, active, and their address verified.
 */
import { isZitadelError } from "../../_shared/zitadel/errors.ts";
import type { LoginSettings, User } from "../../_shared/zitadel/types.ts";
import type { State } from "../contract.ts";
import { emailedFactor, resendFactorCode } from "./email_code.ts";
import { codeRefused } from "./factor.ts";
import { addToSession, type Flow, isAbout, makeSession, nowSeconds } from "./flow.ts";
import type { Handler } from "./handlers.ts";
import { takePermit } from "./limits.ts";
import { forget, type Home } from "./memory.ts";
import { next, wayNotAllowed } from "./next.ts";
import { isCredentialRefusal } from "./password.ts";
import { findPerson, homeIfAny, maskEmail } from "./people.ts";
import { codeLivesSeconds, mailTo, nextResendAt, resendWait } from "./resend.ts";
import { waysOf } from "./start.ts";

export const emailCode: Handler<"email_code"> = async (flow, { loginName }): Promise<State> => {
  forget(flow.memory);
  const home = await homeIfAny(flow, loginName);
  const settings = home && await flow.parts.zitadel.loginSettings(home.organizationId);
  if (!waysOf(flow, settings).emailCode) throw wayNotAllowed(false);
  const known = home !== undefined && settings !== undefined &&
    await begin(flow, home, settings, loginName);
  flow.memory.pending = {
    kind: "email_code",
    purpose: "sign_in",
    to: maskEmail(loginName), // of what was typed: the address itself would tell that there is one
    resendAt: nextResendAt(flow),
    account: loginName,
    known,
  };
  return show(flow);
};

async function begin(
  flow: Flow,
  home: Home,
  settings: LoginSettings,
  loginName: string,
): Promise<boolean> {
  const user = await findPerson(flow, home, loginName, !settings.disableLoginWithEmail);
  if (!user?.profile?.emailVerified || !await holdsEmailCode(flow, settings, user)) return false;
  const made = await makeSession(flow, { userId: user.id, challenges: { otpEmail: true } })
    .catch((error) => {
      if (isCredentialRefusal(error)) return undefined; // locked, disabled
      throw error;
    });
  if (made?.challenges.otpEmailCode === undefined) return false;
  isAbout(flow, user, made, home.tenantId);
  await mail(flow, user, made.challenges.otpEmailCode);
  return true;
}

/**
 * ZITADEL mails codes to whom it has noted down for it. A stranger's question notes nobody down where codes are a second factor
 * too: it would be asked of them from then on.
 */
async function holdsEmailCode(
  { parts: { zitadel } }: Flow,
  settings: LoginSettings,
  user: User,
): Promise<boolean> {
  if ((await zitadel.authenticationMethods(user.id)).includes("otp_email")) return true;
  if (settings.secondFactors.includes("otp_email")) return false;
  return await zitadel.addOtpEmail(user.id).then(() => true, (error) => {
    if (isZitadelError(error, "already_exists")) return true;
    if (isCredentialRefusal(error) || isZitadelError(error, "platform_user_refused")) return false;
    throw error;
  });
}

function show(flow: Flow): State {
  const { pending } = flow.memory;
  if (pending?.kind !== "email_code") throw codeRefused();
  return {
    screen: "email_code",
    to: pending.to,
    purpose: "sign_in",
    others: [],
    resendAfterSeconds: resendWait(flow, pending.resendAt),
  };
}

async function mail(flow: Flow, user: User, code: string): Promise<void> {
  const { tenantId } = flow.memory.person!;
  await mailTo(flow, user, tenantId, codeLivesSeconds.sign_in_code, {
    kind: "sign_in_code",
    code,
    appName: flow.client.appName || undefined,
  });
}

/** On the screen `email_code`. */
export const emailedCode: Handler<"code"> = async (flow, action): Promise<State> => {
  const { pending, person } = flow.memory;
  if (pending?.kind !== "email_code" || pending.purpose === "factor") {
    return await emailedFactor(flow, action);
  }
  if (!pending.known || person === undefined) throw codeRefused();
  await addToSession(flow, { otpEmail: action.code.trim() }).catch((error) => {
    throw isCredentialRefusal(error) ? codeRefused(error) : error;
  });
  flow.memory.proven.email_code = nowSeconds(flow);
  delete flow.memory.pending;
  return await next(flow);
};

export const resendCode: Handler<"resend"> = async (flow, action): Promise<State> => {
  const { pending, person } = flow.memory;
  if (pending?.kind !== "email_code" || pending.purpose === "factor") {
    return await resendFactorCode(flow, action);
  }
  if (resendWait(flow, pending.resendAt) > 0) return show(flow);
  await takePermit(flow, { kind: "mail", account: pending.account });
  if (pending.known && person !== undefined) {
    const { challenges } = await addToSession(flow, { challenges: { otpEmail: true } });
    const user = await flow.parts.zitadel.getUser(person.userId);
    if (user && challenges.otpEmailCode) await mail(flow, user, challenges.otpEmailCode);
  }
  flow.memory.pending = { ...pending, resendAt: nextResendAt(flow) };
  return show(flow);
};

/** After a reload: the same, whether a code went out or not. */
export async function resumeEmailCode(flow: Flow): Promise<State> {
  const { pending } = flow.memory;
  const signIn = pending?.kind === "email_code" && pending.purpose === "sign_in";
  return signIn ? show(flow) : await next(flow);
}
