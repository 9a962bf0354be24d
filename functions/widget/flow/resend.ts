/** Mails with a code: how soon another one is sent, and how long a code is good. */
import type { MailContent } from "../../_shared/mailer.ts";
import type { User } from "../../_shared/zitadel/types.ts";
import { type Flow, nowSeconds } from "./flow.ts";

/** Sooner no other is sent. */
export const resendAfterSeconds = 30;
/** ZITADEL's own (cmd/defaults.yaml); longer would only mail what is dead. */
export const codeLivesSeconds = {
  verification: 60 * 60,
  password_reset: 60 * 60,
  sign_in_code: 5 * 60,
};

/** When the next one may be sent, in Unix seconds. */
export const nextResendAt = (flow: Flow) => nowSeconds(flow) + resendAfterSeconds;

/** How long a person still waits. */
export const resendWait = (flow: Flow, resendAt: number) =>
  Math.max(0, resendAt - nowSeconds(flow));

/** The link's way back into this sign-in: on our page only, where this browser has a cookie. */
export const linkBack = ({ memory }: Flow) => memory.mode === "page" ? memory.ref : undefined;

/** To the person's own address, in their language. */
export async function mailTo(
  { parts, memory }: Flow,
  user: User,
  tenantId: string,
  livesSeconds: number,
  content: MailContent,
): Promise<void> {
  await parts.mailer.send({
    ...content,
    displayName: user.profile?.displayName || undefined,
    tenantId,
    userId: user.id,
    to: user.profile?.email ?? "",
    language: user.profile?.preferredLanguage ?? memory.language,
    expiresAt: new Date(parts.now().getTime() + livesSeconds * 1000),
  });
}
