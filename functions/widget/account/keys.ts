/** Passkeys and security keys. */
import { Problem } from "../../_shared/problem.ts";
import { isZitadelError } from "../../_shared/zitadel/errors.ts";
import { webAuthnRefused } from "../../_shared/zitadel/refusals.ts";
import type { WebAuthnRegistration } from "../../_shared/zitadel/types.ts";
import { isCredentialRefusal } from "../flow/password.ts";
import { credentialRefused, passkeysFit, relyingParty, requireOwnPage } from "../flow/webauthn.ts";
import type { Deed } from "./act.ts";
import { dropRecoveryCodes, requireAnotherFactor, withRecoveryCodes } from "./factors.ts";
import { requireAnotherWay } from "./links.ts";
import { allowedFactors } from "./view.ts";

export const addKey: Deed<"add_key"> = async (visit, { kind }) => {
  const { flow, user, memory, settings } = visit;
  const { zitadel } = flow.parts;
  const taken = kind === "passkey"
    ? settings.passkeysAllowed && settings.allowLocalAuthentication && passkeysFit(flow)
    : allowedFactors(visit).includes("security_key");
  if (!taken) throw new Problem("way_not_allowed", `The organization takes no "${kind}" here`);
  const domain = relyingParty(flow);
  const { id, options } = kind === "passkey"
    ? await zitadel.startPasskey(user.id, { domain })
      .then(({ passkeyId: id, options }) => ({ id, options }))
    : await zitadel.startU2f(user.id, { domain })
      .then(({ u2fId: id, options }) => ({ id, options }));
  memory.pending = { kind: "setup_key", method: kind, id };
  return { pending: { step: "setup_key", kind, options: { ...options } } };
};

export const registerKey: Deed<"credential"> = async (visit, { credential, name }) => {
  const { flow, user, memory } = visit;
  const { pending } = memory;
  if (pending?.kind !== "setup_key") return {};
  requireOwnPage(flow, credential, "webauthn.create");
  const { method, id } = pending;
  const answer = { credential: credential as unknown as WebAuthnRegistration, name };
  const { zitadel } = flow.parts;
  await (method === "passkey"
    ? zitadel.finishPasskey(user.id, { passkeyId: id, ...answer })
    : zitadel.finishU2f(user.id, { u2fId: id, ...answer }))
    .catch((error) => {
      const refused = webAuthnRefused(error) || isCredentialRefusal(error);
      throw refused ? credentialRefused(error) : error;
    });
  delete memory.pending;
  const until = ({ keys }: { keys: { id: string }[] }) => keys.some((key) => key.id === id);
  if (method === "security_key") return await withRecoveryCodes(visit, "u2f", until);
  memory.setUp = [...new Set([...memory.setUp, "passkey" as const])];
  return { until };
};

export const removeKey: Deed<"remove_key"> = async (visit, { id }) => {
  const { flow: { parts: { zitadel } }, user } = visit;
  const [passkeys, keys] = await Promise.all([
    zitadel.listPasskeys(user.id),
    zitadel.listU2f(user.id),
  ]);
  const ready = { passkey: passkeys.filter(isReady), u2f: keys.filter(isReady) };
  const kind = ready.passkey.some((key) => key.id === id)
    ? "passkey"
    : ready.u2f.some((key) => key.id === id)
    ? "u2f"
    : undefined;
  if (kind === undefined) throw new Problem("key_not_found", `The person has no key "${id}"`);
  const last = ready[kind].length === 1;
  if (last) requireAnotherFactor(visit, kind);
  if (last && kind === "passkey") await requireAnotherWay(visit, { passkeys: true });
  await (kind === "passkey" ? zitadel.removePasskey(user.id, id) : zitadel.removeU2f(user.id, id));
  if (last) await dropRecoveryCodes(visit, kind);
  return { until: ({ keys }) => !keys.some((key) => key.id === id) };
};

const isReady = ({ ready }: { ready: boolean }) => ready;

/** Drops what is pending; of a key that was begun nothing stays at ZITADEL. */
export const cancelKey: Deed<"cancel"> = async ({ flow: { parts: { zitadel } }, user, memory }) => {
  const { pending } = memory;
  delete memory.pending;
  if (pending?.kind !== "setup_key") return {};
  const remove = pending.method === "passkey" ? zitadel.removePasskey : zitadel.removeU2f;
  await remove(user.id, pending.id).catch((error) => {
    if (!isZitadelError(error, "not_found")) throw error;
  });
  return {};
};
