/** Registering a passkey or a security key. It is then asked for, as at every sign-in: so the session knows it was shown. */
import { webAuthnRefused } from "../../_shared/zitadel/refusals.ts";
import type { WebAuthnRegistration } from "../../_shared/zitadel/types.ts";
import type { State } from "../contract.ts";
import type { Facts } from "./facts.ts";
import type { Flow } from "./flow.ts";
import type { Handler } from "./handlers.ts";
import { next, whileAsked } from "./next.ts";
import { isCredentialRefusal } from "./password.ts";
import { hasSetUp, setupVerdicts } from "./setup.ts";
import { credentialRefused, relyingParty, requireOwnPage } from "./webauthn.ts";

export async function startKey(
  flow: Flow,
  { user }: Facts,
  kind: "passkey" | "security_key",
): Promise<State> {
  const { zitadel } = flow.parts;
  const domain = relyingParty(flow);
  const { id, options } = kind === "passkey"
    ? await zitadel.startPasskey(user.id, { domain })
      .then(({ passkeyId: id, options }) => ({ id, options }))
    : await zitadel.startU2f(user.id, { domain })
      .then(({ u2fId: id, options }) => ({ id, options }));
  flow.memory.pending = { kind: "setup_passkey", method: kind, id };
  return { screen: "setup_passkey", options: { ...options }, kind };
}

/** On the screen `setup_passkey`. */
export const registration: Handler<"credential"> = (flow, action): Promise<State> =>
  whileAsked(flow, setupVerdicts, async ({ user }) => {
    const { pending } = flow.memory;
    if (pending?.kind !== "setup_passkey") return await next(flow);
    requireOwnPage(flow, action.credential, "webauthn.create");
    await finishKey(flow, user.id, pending, {
      credential: action.credential as unknown as WebAuthnRegistration,
      name: action.name ?? "Passkey",
    });
    delete flow.memory.pending;
    hasSetUp(flow, pending.method === "passkey" ? "passkey" : "u2f");
    return await next(flow);
  });

/** @throws {Problem} credential_refused */
export async function finishKey(
  { parts: { zitadel } }: Flow,
  userId: string,
  { method, id }: { method: "passkey" | "security_key"; id: string },
  answer: { credential: WebAuthnRegistration; name: string },
): Promise<void> {
  await (method === "passkey"
    ? zitadel.finishPasskey(userId, { passkeyId: id, ...answer })
    : zitadel.finishU2f(userId, { u2fId: id, ...answer }))
    .catch((error) => {
      const refused = webAuthnRefused(error) || isCredentialRefusal(error);
      throw refused ? credentialRefused(error) : error;
    });
}
