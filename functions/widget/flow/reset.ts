/**
 * A new password for who has forgotten it: a name, then a code from the mail and the new one. Known or not, every answer and its time
 * are the same. Whoever holds a second factor still shows it before they are signed in.
 */
import { linkAddress } from "../../_shared/links.ts";
import type { User } from "../../_shared/zitadel/types.ts";
import { isZitadelError } from "../../_shared/zitadel/errors.ts";
import { codeRefusal } from "../../_shared/zitadel/refusals.ts";
import type { Complexity, State } from "../contract.ts";
import { complexityOf, defaultComplexity, refuseNewPassword } from "./change_password.ts";
import { requireStrong } from "./complexity.ts";
import { codeRefused } from "./factor.ts";
import { type Flow, isAbout, makeSession, nowSeconds } from "./flow.ts";
import type { Handler } from "./handlers.ts";
import { takePermit } from "./limits.ts";
import { forget, type Pending } from "./memory.ts";
import { endSession, next, wayNotAllowed } from "./next.ts";
import { isCredentialRefusal } from "./password.ts";
import { findPerson, homeIfAny, knownHome } from "./people.ts";
import { codeLivesSeconds, linkBack, mailTo, nextResendAt, resendWait } from "./resend.ts";
import { showStart, waysOf } from "./start.ts";

type Asked = Extract<Pending, { kind: "reset" }>;

export const showReset: Handler<"show_reset"> = async (flow, { loginName }): Promise<State> => {
  const home = knownHome(flow);
  const settings = home && await flow.parts.zitadel.loginSettings(home.organizationId);
  if (!waysOf(flow, settings).reset) throw wayNotAllowed(true);
  const hint = loginName ?? flow.request?.loginHint;
  return { screen: "reset", ...(hint ? { loginHint: hint } : {}) };
};

/** On the screen `reset`. */
export const reset: Handler<"reset"> = async (flow, { loginName }): Promise<State> => {
  forget(flow.memory);
  const { zitadel } = flow.parts;
  const home = await homeIfAny(flow, loginName);
  const settings = home && await zitadel.loginSettings(home.organizationId);
  if (!waysOf(flow, settings).reset) {
    // At the portal the answer must not tell whose organization forbids it.
    if (flow.client.kind !== "portal") throw wayNotAllowed(true);
  } else if (home && settings) {
    const user = await findPerson(flow, home, loginName, !settings.disableLoginWithEmail);
    if (user && await mailReset(flow, user, home.tenantId)) {
      return await ask(flow, {
        kind: "reset",
        account: loginName,
        resendAt: nextResendAt(flow),
        home,
        userId: user.id,
      });
    }
  }
  return await ask(flow, { kind: "reset", account: loginName, resendAt: nextResendAt(flow) });
};

/** Whether a code went out. Who never had a password and signs in by other means gets none: the mailbox alone would be a new way in. */
async function mailReset(flow: Flow, user: User, tenantId: string): Promise<boolean> {
  const { zitadel, publicUrl } = flow.parts;
  if (user.state !== "active" || !user.profile?.email) return false;
  // A customer's program would see the new password: who administers something asks for it on our own page.
  const seen = flow.memory.mode === "inline";
  if (seen && await flow.parts.clients.isAdministrator(user.id)) return false;
  const methods = await zitadel.authenticationMethods(user.id);
  const firsts = methods.filter((method) => ["password", "passkey", "idp"].includes(method));
  if (firsts.length > 0 && !firsts.includes("password")) return false;
  const code = await zitadel.requestPasswordReset(user.id).catch((error) => {
    if (isZitadelError(error, "platform_user_refused") || isCredentialRefusal(error)) return "";
    throw error;
  });
  if (code === "") return false;
  const link = { kind: "reset", userId: user.id, code, authRequest: linkBack(flow) } as const;
  await mailTo(flow, user, tenantId, codeLivesSeconds.password_reset, {
    kind: "password_reset",
    code,
    link: linkAddress(publicUrl, link),
  });
  return true;
}

/** The next screen, for a code that is typed or came with a link. */
export async function ask(flow: Flow, asked: Asked): Promise<State> {
  flow.memory.pending = asked;
  return {
    screen: "reset_code",
    complexity: await complexityFor(flow, asked),
    resendAfterSeconds: resendWait(flow, asked.resendAt),
    codeNeeded: asked.code === undefined,
  };
}

/** At the portal nobody's organization is told by its rules: the instance's own are shown, and ZITADEL enforces the right ones. */
async function complexityFor(flow: Flow, { code, home }: Asked): Promise<Complexity> {
  const known = code === undefined ? knownHome(flow) : home;
  return known ? await complexityOf(flow, known.organizationId) : await defaultComplexity(flow);
}

/** On the screen `reset_code`. */
export const resetPassword: Handler<"new_password"> = async (flow, action): Promise<State> => {
  const { pending } = flow.memory;
  if (pending?.kind !== "reset") return await showStart(flow);
  const { newPassword } = action;
  requireStrong(await complexityFor(flow, pending), newPassword, "#/newPassword");
  const verificationCode = (action.code ?? pending.code)?.replaceAll(/\s/g, "");
  const { userId, home } = pending;
  if (!verificationCode || userId === undefined || home === undefined) throw codeRefused();
  const { zitadel } = flow.parts;
  const user = await zitadel.getUser(userId);
  if (user?.orgId !== home.organizationId) throw codeRefused();
  await zitadel.setPassword({ userId, newPassword, verificationCode }).catch((error) => {
    if (codeRefusal(error) !== null) throw codeRefused(error);
    refuseNewPassword(error);
  });
  await endSessions(flow, userId);
  if (flow.memory.mode === "link") return { screen: "finished", what: "reset" };
  const made = await makeSession(flow, { userId, password: newPassword }).catch((error) => {
    if (isCredentialRefusal(error)) return undefined; // locked: the new password does not change that
    throw error;
  });
  if (made === undefined) {
    forget(flow.memory);
    return await showStart(flow, pending.account);
  }
  isAbout(flow, user, made, home.tenantId);
  flow.memory.proven.password = nowSeconds(flow);
  flow.memory.changed.passwordChanged = true;
  return await next(flow);
};

/** Whoever knew the old password is out. */
async function endSessions(flow: Flow, userId: string): Promise<void> {
  for (const { id } of await flow.parts.zitadel.searchSessions({ userId })) {
    await endSession(flow, { sessionId: id });
  }
}

export const resendReset: Handler<"resend"> = async (flow): Promise<State> => {
  const { pending } = flow.memory;
  if (pending?.kind !== "reset") return await showStart(flow);
  if (pending.code !== undefined || resendWait(flow, pending.resendAt) > 0) {
    return await ask(flow, pending);
  }
  await takePermit(flow, { kind: "mail", account: pending.account });
  const user = pending.userId && await flow.parts.zitadel.getUser(pending.userId);
  if (user && pending.home) await mailReset(flow, user, pending.home.tenantId);
  return await ask(flow, { ...pending, resendAt: nextResendAt(flow) });
};

/** After a reload: the same, whether a code went out or not. */
export async function resumeReset(flow: Flow): Promise<State> {
  const { pending } = flow.memory;
  return pending?.kind === "reset" ? await ask(flow, pending) : await showStart(flow);
}
