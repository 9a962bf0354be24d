/** Showing again who one is. It goes to ZITADEL's session, which counts what is wrong and locks. */
import { webAuthnRefused } from "../../_shared/zitadel/refusals.ts";
import type { WebAuthnAssertion } from "../../_shared/zitadel/types.ts";
import { type ProofMethod, proofMethods } from "../account_contract.ts";
import { codeRefused } from "../flow/factor.ts";
import { addToSession, refused } from "../flow/flow.ts";
import { takePermit } from "../flow/limits.ts";
import { endSession } from "../flow/next.ts";
import { isCredentialRefusal } from "../flow/password.ts";
import {
  credentialRefused,
  passkeysFit,
  relyingParty,
  requireOwnPage,
  verifiedUser,
} from "../flow/webauthn.ts";
import { Problem } from "../../_shared/problem.ts";
import type { Deed, Outcome } from "./act.ts";
import { justProven, signedOut, type Visit } from "./visit.ts";

function methodsOf({ methods, settings, flow }: Visit): ProofMethod[] {
  const local = settings.allowLocalAuthentication;
  const has: Record<ProofMethod, boolean> = {
    password: local && methods.includes("password"),
    passkey: local && settings.passkeysAllowed && methods.includes("passkey") && passkeysFit(flow),
    totp: methods.includes("totp"),
  };
  return proofMethods.filter((method) => has[method]);
}

/** Who has nothing to show here, being known by a provider only, signs in anew. @throws {Problem} account_signed_out */
export const beginProof: Deed<"begin_proof"> = async (visit, { method: wanted }) => {
  const { flow, memory, account } = visit;
  const methods = methodsOf(visit);
  const method = wanted ?? methods[0];
  if (method === undefined) {
    await endSession(flow, { sessionId: account.id });
    throw signedOut("There is nothing to prove oneself by here: sign in anew");
  }
  if (!methods.includes(method)) {
    throw new Problem("way_not_allowed", `"${method}" is not set up, or not allowed`);
  }
  memory.pending = { kind: "proof", method };
  const others = methods.filter((other) => other !== method);
  const options = method === "passkey" ? await challenge(visit) : undefined;
  return { pending: { step: "proof", method, others, ...(options ? { options } : {}) } };
};

async function challenge({ flow }: Visit): Promise<Record<string, unknown>> {
  const { challenges } = await addToSession(flow, {
    challenges: { webAuthn: { domain: relyingParty(flow), userVerification: "required" } },
  });
  if (!challenges.webAuthn) throw credentialRefused();
  return { ...challenges.webAuthn };
}

export const prove: Deed<"prove"> = async (visit, { proof }): Promise<Outcome> => {
  const { flow, memory, user } = visit;
  const { pending } = memory;
  if (pending?.kind !== "proof" || pending.method !== proof.method) {
    throw new Problem("action_refused", `No proof by "${proof.method}" was asked for`);
  }
  if (!methodsOf(visit).includes(proof.method)) {
    throw new Problem("way_not_allowed", `"${proof.method}" is not set up, or not allowed`);
  }
  const giveBack = await takePermit(flow, { kind: "guess", account: user.id });
  if (proof.method === "password") {
    await addToSession(flow, { password: proof.password }).catch((error) => {
      throw isCredentialRefusal(error) ? refused(error) : error;
    });
  } else if (proof.method === "totp") {
    await addToSession(flow, { totp: proof.code.replaceAll(" ", "") }).catch((error) => {
      throw isCredentialRefusal(error) ? codeRefused(error) : error;
    });
  } else {
    requireOwnPage(flow, proof.credential, "webauthn.get");
    if (!verifiedUser(proof.credential)) throw credentialRefused();
    await addToSession(flow, { webAuthn: proof.credential as unknown as WebAuthnAssertion })
      .catch((error) => {
        const wrong = webAuthnRefused(error) || isCredentialRefusal(error);
        throw wrong ? credentialRefused(error) : error;
      });
  }
  await giveBack();
  delete memory.pending;
  justProven(visit);
  return {};
};
