/**
 * Mails to people, as whoever has something to tell them sees it: what, to whom, until when. The row it makes is sent by
 * functions/_worker/tasks/mail__send.ts. Address and parameters lie sealed until then, under a key of their own: a process that
 * only queues mails holds no key to anything else. Next: sql/60_mails/10_mails.sql.
 */
import { z } from "zod";
import { config, readSecretFile } from "./config.ts";
import type { Sql, Transaction } from "./db.ts";
import { type Keyring, parseKeyring, type Place, seal, toBase64 } from "./secrets.ts";

const text = z.string().min(1).max(300);
const code = z.string().min(4).max(100);
/** linkAddress (links.ts) makes it. */
const link = z.url({ protocol: /^https?$/ }).max(2000);

/** What a mail says, by its kind. `displayName` greets the person; absent: nobody is named. */
export const MailContent = z.discriminatedUnion("kind", [
  /** Is this address yours? A code to type, and a link that carries it. */
  z.strictObject({
    kind: z.literal("verification"),
    displayName: text.optional(),
    code,
    link: link.optional(),
  }),
  z.strictObject({
    kind: z.literal("password_reset"),
    displayName: text.optional(),
    code,
    link: link.optional(),
  }),
  /** Somebody made an account for them. */
  z.strictObject({
    kind: z.literal("invitation"),
    displayName: text.optional(),
    inviterName: text.optional(),
    link,
  }),
  /** A code to type, as a second factor or to sign in with. */
  z.strictObject({
    kind: z.literal("sign_in_code"),
    displayName: text.optional(),
    appName: text.optional(),
    code,
  }),
  /** Somebody, perhaps they themselves, wanted to make an account for an address that has one. */
  z.strictObject({ kind: z.literal("already_registered"), displayName: text.optional() }),
  /** To the address that was: another one stands there now. */
  z.strictObject({
    kind: z.literal("address_changed"),
    displayName: text.optional(),
    /** Masked: `v…@example.com`. */
    newAddress: text,
  }),
]);
export type MailContent = z.input<typeof MailContent>;
export type MailKind = MailContent["kind"];

/** Sealed in the row: with the code goes the address. */
export const Sealed = z.strictObject({ to: z.email().max(320), content: MailContent });

export type Mail = MailContent & {
  /** Whose look and name the mail has. */
  tenantId: string;
  /** ZITADEL's id of the person. */
  userId: string;
  to: string;
  /** BCP 47, as the person prefers it; English where we have no texts. */
  language: string | undefined;
  /** Later it is not sent any more: when the code runs out. */
  expiresAt: Date;
  /** Of two mails with the same key of one tenant only the first is sent. Default: random. Letters, digits and `._:-`; nothing secret. */
  key?: string;
};

export interface Mailer {
  /** False: there is no mail server. Nothing is queued then, and ways that need a mail are not offered. */
  readonly available: boolean;
  /** Queues it; once this returns, it will be sent or run out. In `sql`'s transaction where one is given. Does nothing when not available. */
  send(mail: Mail, sql?: Transaction): Promise<void>;
}

/** A mail's row is sealed for its tenant and key. */
export const mailPlace = (tenantId: string, key: string): Place => ({
  table: "mails",
  tenantId,
  id: key,
});

/** `keyring` undefined: there is no mail server. */
export function databaseMailer(
  { sql, keyring }: { sql: () => Sql; keyring: (() => Promise<Keyring>) | undefined },
): Mailer {
  return {
    available: keyring !== undefined,
    async send(mail, transaction) {
      if (keyring === undefined) return;
      const { tenantId, userId, to, language, expiresAt, key = crypto.randomUUID(), ...rest } =
        mail;
      const content = MailContent.parse(rest);
      const { keyId, ciphertext } = await seal(
        JSON.stringify(Sealed.parse({ to, content })),
        mailPlace(tenantId, key),
        await keyring(),
      );
      await (transaction ?? sql())`
        select private.queue_mail(${tenantId}, ${key}, ${userId}, ${content.kind},
          ${language ?? null}, ${expiresAt}, ${keyId}, decode(${toBase64(ciphertext)}, 'base64'))`;
    },
  };
}

let cached: Promise<Keyring> | undefined;

/** This process's key of mails, read on first use; undefined where it was given none: there is no mail server. */
export function mailKeyring(): (() => Promise<Keyring>) | undefined {
  const { mailKeyFile } = config();
  if (mailKeyFile === undefined) return undefined;
  const variable = "GATEHOUSE_MAIL_KEY_FILE";
  return () =>
    cached ??= readSecretFile(variable, mailKeyFile)
      .then((text) => parseKeyring(text, variable))
      .catch((error) => {
        cached = undefined;
        throw error;
      });
}
