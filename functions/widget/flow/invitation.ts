/** An invitation, behind its link: the first password, or a passkey. The code is spent by the person's choice, not by opening the link. */
import type { State } from "../contract.ts";
import { complexityOf, refuseNewPassword } from "./change_password.ts";
import { requireStrong } from "./complexity.ts";
import { codeRefused } from "./factor.ts";
import { holdsNothing, startFirstPasskey } from "./first_passkey.ts";
import { type Flow } from "./flow.ts";
import type { Handler } from "./handlers.ts";
import type { Pending } from "./memory.ts";
import { wayNotAllowed } from "./next.ts";
import { isCredentialRefusal } from "./password.ts";
import { passkeysFit } from "./passkey.ts";

type Invited = Extract<Pending, { kind: "invitation" }>;

/** @throws {Problem} code_refused, where the account holds something already */
export async function showInvitation(
  flow: Flow,
  invited: Invited,
  displayName: string,
): Promise<State> {
  if (!await holdsNothing(flow, invited.userId)) throw codeRefused();
  const { parts, client } = flow;
  const settings = await parts.zitadel.loginSettings(client.organizationId!);
  flow.memory.pending = invited;
  return {
    screen: "invitation",
    displayName,
    tenantName: client.tenantName,
    complexity: await complexityOf(flow, client.organizationId!),
    passkey: settings.passkeysAllowed && passkeysFit(flow),
  };
}

/** On the screen `invitation`. */
export const acceptWithPassword: Handler<"new_password"> = async (flow, action): Promise<State> => {
  const { userId } = await invited(flow);
  const { zitadel } = flow.parts;
  const { newPassword } = action;
  const organizationId = flow.client.organizationId!;
  if (!(await zitadel.loginSettings(organizationId)).allowLocalAuthentication) {
    throw wayNotAllowed(true);
  }
  requireStrong(await complexityOf(flow, organizationId), newPassword, "#/newPassword");
  await spend(flow);
  const verificationCode = await zitadel.requestPasswordReset(userId);
  await zitadel.setPassword({ userId, newPassword, verificationCode }).catch(refuseNewPassword);
  return { screen: "finished", what: "invited" };
};

export const acceptWithPasskey: Handler<"set_up"> = async (flow, { method }): Promise<State> => {
  const { userId } = await invited(flow);
  const settings = await flow.parts.zitadel.loginSettings(flow.client.organizationId!);
  if (method !== "passkey" || !settings.passkeysAllowed || !passkeysFit(flow)) {
    throw wayNotAllowed(false);
  }
  await spend(flow);
  return await startFirstPasskey(flow, userId);
};

async function invited(flow: Flow): Promise<Invited> {
  const { pending } = flow.memory;
  if (pending?.kind !== "invitation" || !await holdsNothing(flow, pending.userId)) {
    throw codeRefused();
  }
  return pending;
}

/** Proves the e-mail address too. */
async function spend({ parts, memory: { pending } }: Flow): Promise<void> {
  if (pending?.kind !== "invitation") throw codeRefused();
  await parts.zitadel.verifyInvite(pending.userId, pending.code).catch((error) => {
    throw isCredentialRefusal(error) ? codeRefused(error) : error;
  });
}
