/** Name, language, e-mail address. The address changes when its owner has shown that it is theirs, not before. */
import { Problem } from "../../_shared/problem.ts";
import { codeRefused } from "../flow/factor.ts";
import { nowSeconds } from "../flow/flow.ts";
import { takePermit } from "../flow/limits.ts";
import { allLanguages } from "../flow/open.ts";
import { findPerson, maskEmail } from "../flow/people.ts";
import type { Deed, Outcome } from "./act.ts";
import type { Visit } from "./visit.ts";

export const setProfile: Deed<"set_profile"> = async (
  { flow, user },
  { givenName, familyName },
) => {
  const displayName = `${givenName} ${familyName}`;
  await flow.parts.zitadel.updateProfile(user.id, { givenName, familyName, displayName });
  return {
    until: ({ profile }) => profile.givenName === givenName && profile.familyName === familyName,
  };
};

export const setLanguage: Deed<"set_language"> = async ({ flow, user }, { language }) => {
  const languages = flow.published?.languages ?? allLanguages;
  if (!languages.includes(language)) {
    throw new Problem(
      "invalid_request",
      `Cannot take the language "${language}": allowed are ${languages.join(", ")}`,
      { pointers: [{ pointer: "#/language", detail: "not offered" }] },
    );
  }
  await flow.parts.zitadel.updateProfile(user.id, { preferredLanguage: language });
  return { until: ({ profile }) => profile.language === language };
};

const codeLivesSeconds = 15 * 60;
const resendAfterSeconds = 30;

export const changeEmail: Deed<"change_email"> = async (visit, { email }) => {
  const { flow, user } = visit;
  if (!flow.parts.mailer.available) {
    throw new Problem("way_not_allowed", "An address cannot be proven: no mail server is set up");
  }
  if (email.toLowerCase() === user.profile?.email.toLowerCase()) return {};
  return await sendCode(visit, email);
};

export const resend: Deed<"resend"> = async (visit) => {
  const { pending } = visit.memory;
  if (pending?.kind !== "verify_email") return {};
  const wait = pending.resendAt - nowSeconds(visit.flow);
  return wait > 0 ? asked(pending.email, wait) : await sendCode(visit, pending.email);
};

async function sendCode({ flow, user, memory }: Visit, email: string): Promise<Outcome> {
  const { parts, client } = flow;
  await takePermit(flow, { kind: "mail", account: user.id });
  const now = nowSeconds(flow);
  const code = newCode();
  const expiresAt = now + codeLivesSeconds;
  await parts.mailer.send({
    kind: "verification",
    code,
    displayName: user.profile?.displayName || undefined,
    tenantId: client.tenantId,
    userId: user.id,
    to: email,
    language: user.profile?.preferredLanguage,
    expiresAt: new Date(expiresAt * 1000),
  });
  const resendAt = now + resendAfterSeconds;
  memory.pending = { kind: "verify_email", email, code, expiresAt, resendAt };
  return asked(email, resendAfterSeconds);
}

const asked = (email: string, wait: number): Outcome => ({
  pending: { step: "verify_email", email, resendAfterSeconds: wait },
});

/** Without what is easily misread; 40 bits, of which the limits let nobody try more than a handful. */
const alphabet = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ";

function newCode(): string {
  return [...crypto.getRandomValues(new Uint8Array(8))]
    .map((byte) => alphabet[byte % alphabet.length]).join("");
}

export const verifyEmail: Deed<"verify_email"> = async ({ flow, user, memory }, { code }) => {
  const { pending } = memory;
  if (pending?.kind !== "verify_email") return {};
  const { parts, client } = flow;
  const giveBack = await takePermit(flow, { kind: "guess", account: user.id });
  const typed = code.replaceAll(/[\s-]/g, "").toUpperCase();
  if (typed !== pending.code || pending.expiresAt < nowSeconds(flow)) throw codeRefused();
  await giveBack();
  const { email } = pending;
  // Asked only now: who cannot read the mailbox learns of nobody's account.
  const home = { tenantId: client.tenantId, organizationId: user.orgId };
  const other = await findPerson({ ...flow, suspect: { ...flow.suspect } }, home, email, true);
  if (other && other.id !== user.id) {
    throw new Problem("email_taken", "Another account of the organization has this address");
  }
  const proof = await parts.zitadel.changeEmail(user.id, email);
  await parts.zitadel.verifyEmail(user.id, proof);
  delete memory.pending;
  if (user.profile?.emailVerified) await tellFormerAddress({ flow, user }, email);
  return { until: ({ profile }) => profile.email === email && profile.emailVerified };
};

/** Whoever took the account over cannot change its address in silence. */
async function tellFormerAddress(
  { flow: { parts, client }, user }: Pick<Visit, "flow" | "user">,
  email: string,
): Promise<void> {
  await parts.mailer.send({
    kind: "address_changed",
    newAddress: maskEmail(email),
    displayName: user.profile?.displayName || undefined,
    tenantId: client.tenantId,
    userId: user.id,
    to: user.profile!.email,
    language: user.profile?.preferredLanguage,
    expiresAt: new Date(parts.now().getTime() + 24 * 3600 * 1000),
  });
}
