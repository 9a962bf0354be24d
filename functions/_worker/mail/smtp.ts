/**
 * One mail to one server, over one connection. The server is the operator's choice, as the database is, so it is not reached through
 * the door (../../_shared/outbound.ts), whose rules are for addresses that somebody gave us and forbid the ports of mail.
 * The name is resolved by the system, not by nodemailer, which asks DNS servers first and knows no /etc/hosts.
 */
import { lookup } from "node:dns/promises";
import net from "node:net";
import { createTransport } from "nodemailer";
import type { MailServer } from "./server.ts";

export interface Message {
  /** Stable: the same for every attempt. */
  id: string;
  to: string;
  senderName: string;
  subject: string;
  text: string;
  html: string;
  language: string;
  date: Date;
  /** Shown by `cid:<id>`. */
  inline: { id: string; mediaType: string; base64: string }[];
}

/** Why a mail was not taken; kept in mails.last_error. */
export type MailErrorSlug =
  | "server_unreachable" // no such name, nobody listens, or no answer in time
  | "tls_failed" // the server has no TLS, or no certificate of a trusted authority for its name
  | "login_refused" // the server did not take our credentials
  | "sender_refused" // the server does not let us send from GATEHOUSE_MAIL_FROM
  | "recipient_refused" // the server does not take a mail to this address
  | "content_refused" // the server does not take this mail
  | "connection_lost"; // in between; it may have been taken

export class MailError extends Error {
  override readonly name = "MailError";
  constructor(
    readonly slug: MailErrorSlug,
    /** The server's reply, RFC 5321; its words are left out, for they quote addresses. */
    readonly code: number | undefined,
    /** RFC 3463, such as 5.1.1. */
    readonly enhanced: string | undefined,
    options: ErrorOptions,
  ) {
    super(`${slug}${code === undefined ? "" : ` ${code}`}`, options);
  }

  /** Trying again would be in vain. What an operator can mend is not meant. */
  get permanent(): boolean {
    return (this.code ?? 0) >= 500 &&
      (this.slug === "recipient_refused" || this.slug === "content_refused");
  }
}

export interface SmtpOptions {
  /** From the look-up of the name to the server's last word. */
  timeoutMs?: number;
  resolve?: (hostname: string) => Promise<string[]>;
}

const connectTimeoutMs = 10_000;
const maxTriedAddresses = 3;

/** Resolves once the server has taken it. @throws {MailError} */
export async function sendMail(
  server: MailServer,
  message: Message,
  { timeoutMs = 60_000, resolve = resolveBySystem }: SmtpOptions = {},
): Promise<void> {
  const socket = await connect(server, resolve);
  const transport = createTransport({
    host: server.host,
    port: server.port,
    name: server.clientName,
    secure: server.tls === "implicit",
    requireTLS: server.tls === "starttls",
    ignoreTLS: server.tls === "none",
    tls: {
      servername: net.isIP(server.host) ? undefined : server.host,
      ...(server.ca === undefined ? {} : { ca: server.ca }),
    },
    ...(server.credentials &&
      { auth: { user: server.credentials.user, pass: server.credentials.password } }),
    greetingTimeout: connectTimeoutMs,
    socketTimeout: timeoutMs,
    disableFileAccess: true,
    disableUrlAccess: true,
    getSocket: (_options, done) => done(null, { connection: socket }),
  });
  const deadline = setTimeout(() => socket.destroy(), timeoutMs);
  try {
    await transport.sendMail(mailOptions(server, message));
  } catch (cause) {
    throw asMailError(cause, socket.bytesWritten > 0);
  } finally {
    clearTimeout(deadline);
    transport.close();
    socket.destroy();
  }
}

function mailOptions(server: MailServer, message: Message) {
  return {
    messageId: `<${message.id}>`,
    date: message.date,
    from: { name: message.senderName, address: server.from },
    to: { name: "", address: message.to },
    envelope: { from: server.from, to: [message.to] },
    subject: message.subject,
    text: message.text,
    html: message.html,
    attachments: message.inline.map(({ id, mediaType, base64 }) => ({
      cid: id,
      contentType: mediaType,
      content: base64,
      encoding: "base64",
      contentDisposition: "inline" as const,
      filename: false as const,
    })),
    headers: {
      "Content-Language": message.language,
      "Auto-Submitted": "auto-generated", // RFC 3834: no out-of-office answers
      "X-Auto-Response-Suppress": "All", // Exchange, which does not know it
    },
  };
}

async function connect(
  { host, port }: MailServer,
  resolve: (hostname: string) => Promise<string[]>,
): Promise<net.Socket> {
  const unreachable = (cause: unknown) =>
    new MailError("server_unreachable", undefined, undefined, { cause });
  const addresses = net.isIP(host) ? [host] : await resolve(host).catch((cause) => {
    throw unreachable(cause);
  });
  let last: unknown;
  for (const address of addresses.slice(0, maxTriedAddresses)) {
    try {
      return await connectTo(address, port);
    } catch (error) {
      last = error;
    }
  }
  throw unreachable(last);
}

async function connectTo(host: string, port: number): Promise<net.Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const socket = net.connect({ host, port });
  const timer = setTimeout(() => reject(new Error("timed out")), connectTimeoutMs);
  socket.once("connect", resolve).once("error", reject);
  try {
    await promise;
    return socket;
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    clearTimeout(timer);
    socket.removeListener("error", reject);
  }
}

async function resolveBySystem(hostname: string): Promise<string[]> {
  return (await lookup(hostname, { all: true, verbatim: true })).map(({ address }) => address);
}

interface NodemailerError {
  code?: string;
  /** Of the system or of TLS, where nodemailer put its own over it. */
  originalCode?: string;
  command?: string;
  responseCode?: number;
  response?: string;
}

function asMailError(cause: unknown, begun: boolean): MailError {
  const error = cause as NodemailerError;
  const { responseCode, response = "" } = error;
  const enhanced = /^\d{3}[ -](\d\.\d{1,3}\.\d{1,3})\b/.exec(response)?.[1];
  return new MailError(slugOf(error, begun), responseCode, enhanced, { cause });
}

/** By nodemailer's code of the phase and the command that was answered. `begun`: we have said something. */
function slugOf(error: NodemailerError, begun: boolean): MailErrorSlug {
  const { code, originalCode = "", command = "" } = error;
  const lost = /^E(CONN|PIPE|TIMEDOUT|NET|HOST)/.test(originalCode);
  if (code === "ETLS" || command === "STARTTLS" || (code === "ESOCKET" && !lost)) {
    return "tls_failed";
  }
  if (code === "EAUTH" || code === "ENOAUTH" || command.startsWith("AUTH")) return "login_refused";
  if (command === "MAIL FROM") return "sender_refused";
  if (command === "RCPT TO") return "recipient_refused";
  if (code === "EMESSAGE" || command === "DATA") return "content_refused";
  return begun ? "connection_lost" : "server_unreachable";
}
