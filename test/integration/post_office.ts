// The way of a mail from a flow to the person's mailbox: the real mailer, the real job, a real server. What is in the box is read back.
import assert from "node:assert/strict";
import { databaseMailer, type Mailer } from "../../functions/_shared/mailer.ts";
import { type Keyring, parseKeyring, toBase64 } from "../../functions/_shared/secrets.ts";
import { sendMail } from "../../functions/_worker/mail/smtp.ts";
import { sendQueued } from "../../functions/_worker/tasks/mail__send.ts";
import type { TestDatabase } from "../support/database.ts";
import { MailReceiver, type Taken } from "../support/smtp.ts";

export interface Letter extends Taken {
  /** The code in it, if any. */
  code: string;
  /** What its link says. */
  link: Record<string, string>;
}

export class PostOffice implements AsyncDisposable {
  private constructor(
    private readonly database: TestDatabase,
    readonly receiver: MailReceiver,
    private readonly keyring: Keyring,
    readonly mailer: Mailer,
  ) {}

  static async open(database: TestDatabase): Promise<PostOffice> {
    const key = toBase64(crypto.getRandomValues(new Uint8Array(32)));
    const keyring = await parseKeyring(JSON.stringify({ current: "k1", keys: { k1: key } }));
    const functions = database.connect("gatehouse_functions");
    const mailer = databaseMailer({
      sql: () => functions,
      keyring: () => Promise.resolve(keyring),
    });
    return new PostOffice(database, await MailReceiver.start(), keyring, mailer);
  }

  /** Sends what waits; returns what arrived now, oldest first. */
  async collect(): Promise<Letter[]> {
    const { receiver, keyring } = this;
    const before = receiver.taken.length;
    const worker = this.database.connect("gatehouse_worker", { max: 1 });
    const waiting = await this.database.sql`
      select tenant_id, id from private.mails where state = 'pending' order by id`;
    const post = { server: receiver.server(), keyring, send: sendMail };
    for (const { tenant_id: tenantId, id } of waiting) {
      const context = { sql: worker, now: () => new Date() };
      await sendQueued({ tenantId, id }, context, () => Promise.resolve(post));
    }
    return receiver.taken.slice(before).map(read);
  }

  /** The one that arrived now, for this address. */
  async one(to: string): Promise<Letter> {
    const [letter, ...more] = await this.collect();
    assert.equal(more.length, 0, "one mail");
    assert.deepEqual(letter?.to, [to]);
    return letter!;
  }

  async [Symbol.asyncDispose]() {
    await this.receiver[Symbol.asyncDispose]();
  }
}

function read(taken: Taken): Letter {
  const address = /^https?:\/\/\S+$/m.exec(taken.text)?.[0];
  const link = address === undefined
    ? {}
    : Object.fromEntries(new URLSearchParams(new URL(address).hash.slice(1)));
  return { ...taken, code: /^ {4}(\S+)$/m.exec(taken.text)?.[1] ?? "", link };
}
