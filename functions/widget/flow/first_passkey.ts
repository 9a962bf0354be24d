/**
 * A passkey as the first thing that an account holds: who has just registered and proved their address, or takes an invitation.
 * Nothing was shown to a session yet, so each step looks anew whether the account still holds nothing.
 */
import type { WebAuthnRegistration } from "../../_shared/zitadel/types.ts";
import type { State } from "../contract.ts";
import { type Flow, refused } from "./flow.ts";
import type { Handler } from "./handlers.ts";
import { next } from "./next.ts";
import { showNewPasskey } from "./passkey.ts";
import { finishKey, registration } from "./setup_passkey.ts";
import { relyingParty, requireOwnPage } from "./webauthn.ts";

/** Whether the flow's person may set their first credential without showing one. */
export async function holdsNothing({ parts }: Flow, userId: string): Promise<boolean> {
  return (await parts.zitadel.authenticationMethods(userId)).length === 0;
}

export async function startFirstPasskey(flow: Flow, userId: string): Promise<State> {
  if (!await holdsNothing(flow, userId)) throw refused();
  const domain = relyingParty(flow);
  const { passkeyId: id, options } = await flow.parts.zitadel.startPasskey(userId, { domain });
  flow.memory.pending = { kind: "first_passkey", account: userId, id };
  return { screen: "setup_passkey", options: { ...options }, kind: "passkey" };
}

/** On the screen `setup_passkey`. */
export const credential: Handler<"credential"> = async (flow, action): Promise<State> => {
  const { pending, person, mode } = flow.memory;
  if (pending?.kind !== "first_passkey") return await registration(flow, action);
  if (!await holdsNothing(flow, pending.account)) throw refused();
  requireOwnPage(flow, action.credential, "webauthn.create");
  await finishKey(flow, pending.account, { method: "passkey", id: pending.id }, {
    credential: action.credential as unknown as WebAuthnRegistration,
    name: action.name ?? "Passkey",
  });
  delete flow.memory.pending;
  delete flow.memory.changed.registered;
  if (mode === "link") return { screen: "finished", what: "invited" };
  // It is then asked for, as at every sign-in: so the session knows it was shown.
  return person ? await showNewPasskey(flow) : await next(flow);
};
