// Takes every mail for whomever, keeps the last ones in memory.
import type { AddressInfo } from "node:net";
import { simpleParser } from "mailparser";
import { SMTPServer } from "smtp-server";

const kept = 500;
const longestBytes = 1024 * 1024;

/** One mail as it arrived, taken apart. */
export interface Message {
  id: string;
  at: string;
  messageId: string;
  from: string;
  to: string[];
  subject: string;
  text: string;
  /** Its own pictures stand in it as data: addresses. */
  html: string;
  /** Names in lower case. */
  headers: Record<string, string>;
}

export interface Inbox {
  port: number;
  /** Oldest first. */
  messages: Message[];
  close(): Promise<void>;
}

export async function openInbox(
  { hostname, port }: { hostname: string; port: number },
  now: () => Date = () => new Date(),
): Promise<Inbox> {
  const messages: Message[] = [];
  let count = 0;
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ["AUTH", "STARTTLS"], // both ends are on this machine
    size: longestBytes,
    logger: false,
    onData(stream, session, done) {
      simpleParser(stream).then((mail) => {
        messages.push({
          id: String(++count),
          at: now().toISOString(),
          messageId: mail.messageId ?? "",
          from: mail.from?.text ?? "",
          to: session.envelope.rcptTo.map(({ address }) => address),
          subject: mail.subject ?? "",
          text: mail.text ?? "",
          html: mail.html || "",
          headers: Object.fromEntries(
            mail.headerLines.map((
              { key, line },
            ) => [key, line.slice(line.indexOf(":") + 1).trim()]),
          ),
        });
        if (messages.length > kept) messages.shift();
        done();
      }, done);
    },
  });
  server.on("error", () => {}); // a client that went away
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, hostname, resolve);
  });
  return {
    port: (server.server.address() as AddressInfo).port,
    messages,
    close: () => new Promise((resolve) => server.close(resolve)),
  };
}
