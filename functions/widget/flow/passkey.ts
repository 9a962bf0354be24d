/** A passkey as the whole sign-in, or a key as the second factor. */
import { webAuthnRefused } from "../../_shared/zitadel/refusals.ts";
import type { WebAuthnAssertion, WebAuthnRequestOptions } from "../../_shared/zitadel/types.ts";
import type { State } from "../contract.ts";
import { base64url } from "../base64url.ts";
import { askedFactors } from "../policy.ts";
import type { Facts } from "./facts.ts";
import { otherFactors } from "./factor.ts";
import { addToSession, type Flow, isAbout, makeSession, nowSeconds, refused } from "./flow.ts";
import type { Handler } from "./handlers.ts";
import { forget } from "./memory.ts";
import { next, wayNotAllowed, whileAsked } from "./next.ts";
import { isCredentialRefusal } from "./password.ts";
import { findPerson, homeOf } from "./people.ts";
import { waysOf } from "./start.ts";
import {
  credentialRefused,
  passkeysFit,
  relyingParty,
  requireOwnPage,
  verifiedUser,
} from "./webauthn.ts";

export { passkeysFit };

/** Whoever the name means gets a challenge: known with a passkey, known without, or not known at all. */
export const passkey: Handler<"passkey"> = async (flow, { loginName }): Promise<State> => {
  forget(flow.memory);
  const home = await homeOf(flow, loginName);
  const settings = await flow.parts.zitadel.loginSettings(home.organizationId);
  if (!waysOf(flow, settings).passkey) throw wayNotAllowed(false);
  const user = await findPerson(flow, home, loginName, !settings.disableLoginWithEmail);
  const domain = relyingParty(flow);
  let asked: WebAuthnRequestOptions | undefined;
  if (user && (await flow.parts.zitadel.authenticationMethods(user.id)).includes("passkey")) {
    const challenges = { webAuthn: { domain, userVerification: "required" } } as const;
    const made = await makeSession(flow, { userId: user.id, challenges }).catch((error) => {
      if (isCredentialRefusal(error) || webAuthnRefused(error)) return undefined; // locked, disabled
      throw error;
    });
    asked = made?.challenges.webAuthn;
    if (made && asked) isAbout(flow, user, made, home.tenantId);
  }
  const known = asked !== undefined;
  flow.memory.pending = { kind: "passkey", purpose: "sign_in", required: true, known };
  const options = asked ?? await madeUpOptions(flow, home.organizationId, loginName);
  return {
    screen: "passkey",
    options: plain(options, domain, "required"),
    purpose: "sign_in",
    others: [],
  };
};

/** Of somebody who has just made it: their session knows, while other reads lag behind. */
export async function showNewPasskey(flow: Flow): Promise<State> {
  const domain = relyingParty(flow);
  const { challenges } = await addToSession(flow, {
    challenges: { webAuthn: { domain, userVerification: "required" } },
  });
  if (!challenges.webAuthn) throw credentialRefused();
  flow.memory.pending = { kind: "passkey", purpose: "sign_in", required: true, known: true };
  return {
    screen: "passkey",
    options: plain(challenges.webAuthn, domain, "required"),
    purpose: "sign_in",
    others: [],
  };
}

/** A key beside what was shown already; a passkey where the person has no plain key. */
export async function showKeyFactor(flow: Flow, { standing }: Facts): Promise<State> {
  const required = !askedFactors(standing).includes("security_key");
  const userVerification = required ? "required" : "discouraged";
  const domain = relyingParty(flow);
  const { challenges } = await addToSession(flow, {
    challenges: { webAuthn: { domain, userVerification } },
  });
  if (!challenges.webAuthn) throw credentialRefused();
  flow.memory.pending = { kind: "passkey", purpose: "factor", required, known: true };
  return {
    screen: "passkey",
    options: plain(challenges.webAuthn, domain, userVerification),
    purpose: "factor",
    others: otherFactors(flow, standing, "security_key"),
  };
}

/** On the screen `passkey`. */
export const assertion: Handler<"credential"> = async (flow, { credential }): Promise<State> => {
  const { pending } = flow.memory;
  if (pending?.kind !== "passkey") return await next(flow);
  requireOwnPage(flow, credential, "webauthn.get");
  const verified = verifiedUser(credential);
  if (!pending.known) throw refused();
  if (pending.required && !verified) throw credentialRefused();
  const show = async () => {
    await addToSession(flow, { webAuthn: credential as unknown as WebAuthnAssertion })
      .catch((error) => {
        throw webAuthnRefused(error) || isCredentialRefusal(error) ? refused(error) : error;
      });
    flow.memory.proven[pending.required ? "passkey" : "security_key"] = nowSeconds(flow);
    delete flow.memory.pending;
    return await next(flow);
  };
  return pending.purpose === "sign_in"
    ? await show()
    : await whileAsked(flow, ["factor_required"], show);
};

/** Only what a browser needs, so that a real challenge and one that was made up look alike. */
function plain(
  { challenge, allowCredentials = [] }: WebAuthnRequestOptions,
  rpId: string,
  userVerification: "required" | "discouraged",
): Record<string, unknown> {
  const ids = allowCredentials.map(({ id }) => ({ type: "public-key", id }));
  return { challenge, rpId, timeout: 120_000, userVerification, allowCredentials: ids };
}

/** The same name is always told the same key, as somebody who is known would be; the challenge is new, as theirs. */
async function madeUpOptions(
  { parts }: Flow,
  organizationId: string,
  loginName: string,
): Promise<WebAuthnRequestOptions> {
  const name = loginName.toLowerCase();
  const id = await parts.pseudonym(`passkey/${organizationId}/${name}`);
  const challenge = base64url(crypto.getRandomValues(new Uint8Array(32)).buffer);
  return { challenge, allowCredentials: [{ type: "public-key", id }] };
}
