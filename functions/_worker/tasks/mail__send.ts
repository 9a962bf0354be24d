/**
 * Sends one mail through the SMTP server of the configuration.
 *
 * Queued by `private.queue_mail` in the transaction that made the mail, one job each (`job_key`). Payload `{ tenantId, id }`. The
 * schedule is `mails.next_attempt_at`: each outcome and the next time are one transaction, so this always returns. A mail that was
 * taken by the server and could not be settled is sent again, with the same Message-ID. What is logged holds ids and reply codes only.
 * Next: ../mail/write.ts (the words), ../mail/smtp.ts (the way out), sql/60_mails/20_send.sql.
 */
import { z } from "zod";
import { config, ConfigError } from "../../_shared/config.ts";
import { mailKeyring, mailPlace, Sealed } from "../../_shared/mailer.ts";
import { fromBase64, type Keyring, openText } from "../../_shared/secrets.ts";
import { log } from "../../_shared/telemetry.ts";
import { queueAgain } from "../again.ts";
import { type MailServer, mailServer } from "../mail/server.ts";
import { MailError, type Message, sendMail } from "../mail/smtp.ts";
import { logoId, type MailLook, writeMail } from "../mail/write.ts";
import { task, type TaskContext } from "../task.ts";

const Payload = z.strictObject({ tenantId: z.uuid(), id: z.uuid() });
type MailId = z.output<typeof Payload>;

export interface Post {
  server: MailServer;
  keyring: Keyring;
  send(server: MailServer, message: Message): Promise<void>;
}

/** As `private.claim_mail` gives it. */
interface Claimed {
  key: string;
  kind: string;
  language: string | null;
  attempt: number;
  createdAt: string;
  expiresAt: string;
  keyId: string;
  ciphertext: string;
  look: MailLook;
}

/** Longer than an attempt takes. */
const leaseSeconds = 120;
/** After the first attempt, the second and so on; the last holds on. Codes live for minutes, servers that grey-list ask for one to five. */
const retrySeconds = [5, 15, 60, 180, 600, 1800, 3600];

export default task(
  Payload,
  async (payload, context) => await sendQueued(payload, context, openPost),
);

export async function sendQueued(
  payload: MailId,
  { sql, now }: Pick<TaskContext, "sql" | "now">,
  open: () => Promise<Post>,
): Promise<void> {
  const { tenantId, id } = payload;
  const [{ claim }] = await sql<[{ claim: Claimed | { waitSeconds: number } | null }]>`
    select private.claim_mail(${tenantId}, ${id}, ${leaseSeconds}) as claim`;
  if (claim === null) return;
  if ("waitSeconds" in claim) {
    const job = { task: "mail__send", key: `mail__send:${id}`, payload };
    return await queueAgain(sql, { ...job, inSeconds: claim.waitSeconds });
  }
  const { attempt, kind } = claim;
  const startedAt = performance.now();
  const settle = async (state: string, error: Fault | null, retry: number | null) => {
    const [row] = await sql<[{ state: string | null }]>`
      select private.settle_mail(${tenantId}, ${id}, ${attempt}, ${state},
        ${error && sql.json({ ...error })}, ${retry}) as state`;
    return row.state;
  };
  const fields = { tenant: tenantId, mail: id, kind, attempt };
  try {
    const { server, keyring, send } = await open();
    await send(server, await messageOf(payload, claim, server, keyring, now()));
  } catch (error) {
    const fault = faultOf(error);
    const permanent = error instanceof MailError && error.permanent;
    const wait = retrySeconds[Math.min(attempt, retrySeconds.length) - 1]!;
    const state = await settle(permanent ? "refused" : "pending", fault, permanent ? null : wait);
    return log("warn", "mail not sent", { ...fields, state, ...fault });
  }
  await settle("sent", null, null);
  log("info", "mail sent", { ...fields, duration_ms: Math.round(performance.now() - startedAt) });
}

async function messageOf(
  { tenantId, id }: MailId,
  { key, language, createdAt, expiresAt, keyId, ciphertext, look }: Claimed,
  { from }: MailServer,
  keyring: Keyring,
  now: Date,
): Promise<Message> {
  const sealed = { keyId, ciphertext: fromBase64(ciphertext) };
  const place = mailPlace(tenantId, key);
  const { to, content } = Sealed.parse(JSON.parse(await openText(sealed, place, keyring)));
  const validMs = new Date(expiresAt).getTime() - now.getTime();
  const { logo } = look;
  return {
    ...writeMail({ content, language, look, validMs }),
    id: `${id}@${from.split("@")[1]}`,
    to,
    date: new Date(createdAt),
    inline: logo ? [{ id: logoId, mediaType: logo.mediaType, base64: logo.data }] : [],
  };
}

interface Fault {
  slug: string;
  /** A server's, such as 450; `code` would be redacted in the log. */
  reply?: number;
  enhanced?: string;
}

/** What may be kept and shown of a failure. Everything but a server's refusal is ours to mend, and tried again. */
function faultOf(error: unknown): Fault {
  if (error instanceof MailError) {
    const { slug, code, enhanced } = error;
    return { slug, ...(code && { reply: code }), ...(enhanced && { enhanced }) };
  }
  return { slug: error instanceof ConfigError ? "not_configured" : "mail_unusable" };
}

let post: Promise<Post> | undefined;

/** As this process is told; once. @throws {ConfigError} */
function openPost(): Promise<Post> {
  return post ??= readPost().catch((error) => {
    post = undefined;
    throw error;
  });
}

async function readPost(): Promise<Post> {
  const server = await mailServer(config());
  if (server === undefined) throw new ConfigError("GATEHOUSE_SMTP_URL", "is needed to send mails");
  const keyring = mailKeyring();
  if (keyring === undefined) {
    throw new ConfigError("GATEHOUSE_MAIL_KEY_FILE", "is needed to send mails");
  }
  return { server, keyring: await keyring(), send: sendMail };
}
