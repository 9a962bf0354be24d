// A mail server on loopback that does as it is told, and keeps what it took.
import type { AddressInfo } from "node:net";
import { simpleParser } from "mailparser";
import { SMTPServer, type SMTPServerOptions } from "smtp-server";
import type { MailServer } from "../../functions/_worker/mail/server.ts";

export interface Taken {
  messageId: string;
  from: string;
  to: string[];
  subject: string;
  text: string;
  html: string;
  headers: Record<string, string>;
  /** As it came over the line. */
  raw: string;
  /** Over TLS. */
  secure: boolean;
  /** Who had logged in. */
  user: string | undefined;
}

/** `450 4.2.0 later` and the like; undefined takes it. */
export type Reply = string | undefined | Promise<string | undefined>;

export interface ReceiverOptions {
  /** PEM; without it there is no TLS. */
  tls?: { cert: string; key: string };
  /** TLS from the first byte. */
  implicit?: boolean;
  credentials?: { user: string; password: string };
}

export class MailReceiver implements AsyncDisposable {
  readonly taken: Taken[] = [];
  /** Commands of a kind that were answered, refused ones too. */
  readonly seen = { sender: 0, recipient: 0, data: 0 };
  onSender: () => Reply = () => undefined;
  onRecipient: () => Reply = () => undefined;
  /** Called once the mail is there. */
  onData: (mail: Taken) => Reply = () => undefined;
  readonly #server: SMTPServer;

  private constructor({ tls, implicit, credentials }: ReceiverOptions) {
    const options: SMTPServerOptions = {
      ...tls,
      secure: implicit ?? false,
      authOptional: credentials === undefined,
      disabledCommands: [
        ...(tls && !implicit ? [] : ["STARTTLS"]),
        ...(credentials ? [] : ["AUTH"]),
      ],
      logger: false,
      onAuth({ username, password }, _session, done) {
        const known = username === credentials?.user && password === credentials?.password;
        if (known) done(null, { user: username });
        else done(refusal("535 5.7.8 no such user"));
      },
      onMailFrom: (_address, _session, done) => {
        this.seen.sender++;
        reply(this.onSender(), done);
      },
      onRcptTo: (_address, _session, done) => {
        this.seen.recipient++;
        reply(this.onRecipient(), done);
      },
      onData: async (stream, session, done) => {
        const chunks: Uint8Array[] = [];
        for await (const chunk of stream) chunks.push(chunk as Uint8Array);
        const raw = await new Blob(chunks as BlobPart[]).text();
        const mail = await simpleParser(raw);
        this.seen.data++;
        const taken = {
          messageId: mail.messageId ?? "",
          from: mail.from?.text ?? "",
          to: session.envelope.rcptTo.map(({ address }) => address),
          subject: mail.subject ?? "",
          text: mail.text ?? "",
          html: mail.html || "",
          headers: Object.fromEntries(
            mail.headerLines.map(({ key, line }) => [
              key,
              line.slice(line.indexOf(":") + 1).trim(),
            ]),
          ),
          raw,
          secure: session.secure,
          user: session.user as string | undefined,
        };
        const text = await this.onData(taken);
        if (text === undefined) this.taken.push(taken);
        done(text === undefined ? null : refusal(text));
      },
    };
    this.#server = new SMTPServer(options);
    this.#server.on("error", () => {}); // clients that do not trust us, or go away: that is the test
  }

  static async start(options: ReceiverOptions = {}): Promise<MailReceiver> {
    const receiver = new MailReceiver(options);
    const { promise, resolve } = Promise.withResolvers<void>();
    receiver.#server.listen(0, "127.0.0.1", resolve);
    await promise;
    return receiver;
  }

  get port(): number {
    return (this.#server.server.address() as AddressInfo).port;
  }

  /** How our side is told of it. */
  server(more: Partial<MailServer> = {}): MailServer {
    return {
      host: "127.0.0.1",
      port: this.port,
      tls: "none",
      ca: undefined,
      credentials: undefined,
      from: "no-reply@gatehouse.test",
      clientName: "gatehouse.test",
      ...more,
    };
  }

  /** Ends every connection, as a server that dies does. */
  dropConnections(): void {
    for (const connection of this.#server.connections) {
      (connection as unknown as { _socket: { destroy(): void } })._socket.destroy();
    }
  }

  async [Symbol.asyncDispose]() {
    this.dropConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}

function reply(answer: Reply, done: (error?: Error | null) => void): void {
  Promise.resolve(answer).then((text) => done(text === undefined ? null : refusal(text)));
}

/** smtp-server answers an error's `responseCode` and message. */
function refusal(text: string): Error {
  return Object.assign(new Error(text.slice(4)), { responseCode: Number(text.slice(0, 3)) });
}
