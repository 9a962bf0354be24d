// A tenant whose mails are queued by the public functions' role, and the server that they go to.
import { join } from "node:path";
import { databaseMailer, type Mail, type Mailer } from "../../functions/_shared/mailer.ts";
import { type Keyring, parseKeyring, toBase64 } from "../../functions/_shared/secrets.ts";
import type { MailServer } from "../../functions/_worker/mail/server.ts";
import { sendMail } from "../../functions/_worker/mail/smtp.ts";
import { sendQueued } from "../../functions/_worker/tasks/mail__send.ts";
import { createDatabase, type TestDatabase } from "../support/database.ts";
import { MailReceiver } from "../support/smtp.ts";
import { startChild, type WorkerProcess } from "./worker_support.ts";

export interface MailRow {
  id: string;
  state: string;
  attempts: number;
  last_error: { slug: string; reply?: number; enhanced?: string } | null;
  ciphertext: Uint8Array | null;
  user_subject: string;
  dueInSeconds: number | null;
}

export class Mails implements AsyncDisposable {
  private constructor(
    readonly database: TestDatabase,
    readonly receiver: MailReceiver,
    readonly dir: string,
    readonly tenantId: string,
    readonly keyring: Keyring,
    readonly mailer: Mailer,
  ) {}

  static async start(): Promise<Mails> {
    const database = await createDatabase();
    const dir = await Deno.makeTempDir({ prefix: "gatehouse-mails-" });
    const key = toBase64(crypto.getRandomValues(new Uint8Array(32)));
    const text = JSON.stringify({ current: "k1", keys: { k1: key } });
    await Deno.writeTextFile(join(dir, "mail-key.json"), text, { mode: 0o600 });
    const keyring = await parseKeyring(text);
    const [tenant] = await database.sql<[{ id: string }]>`
      insert into tenants (slug, name) values ('acme', 'Acme & Söhne') returning id`;
    const functions = database.connect("gatehouse_functions");
    const mailer = databaseMailer({
      sql: () => functions,
      keyring: () => Promise.resolve(keyring),
    });
    return new Mails(database, await MailReceiver.start(), dir, tenant.id, keyring, mailer);
  }

  /** A verification unless told otherwise; returns the row's id. */
  async queue(more: Partial<Mail> = {}): Promise<string> {
    const key = crypto.randomUUID();
    await this.mailer.send({
      kind: "verification",
      tenantId: this.tenantId,
      userId: "330000000000000001",
      to: "vera@acme.test",
      displayName: "Vera",
      language: "de",
      code: "A1B2C3",
      expiresAt: new Date(Date.now() + 600_000),
      key,
      ...more,
    } as Mail);
    const [row] = await this.database.sql`
      select id from private.mails where key = ${more.key ?? key}`;
    return row!.id;
  }

  async row(id: string): Promise<MailRow> {
    const [row] = await this.database.sql<[MailRow]>`
      select id, state, attempts, last_error, ciphertext, user_subject,
             extract(epoch from next_attempt_at - now())::float8 as "dueInSeconds"
        from private.mails where id = ${id}`;
    return row;
  }

  /** The job's handler, in this process. */
  async run(
    id: string,
    { server, keyring = this.keyring }: { server?: MailServer; keyring?: Keyring } = {},
  ): Promise<void> {
    const post = { server: server ?? this.receiver.server(), keyring, send: sendMail };
    const sql = this.database.connect("gatehouse_worker", { max: 1 });
    const context = { sql, now: () => new Date() };
    await sendQueued({ tenantId: this.tenantId, id }, context, () => Promise.resolve(post));
  }

  /** At once, or in so long. */
  async makeDue(id: string, wait = "-1 second"): Promise<void> {
    await this.database.sql`
      update private.mails set next_attempt_at = now() + ${wait}::interval where id = ${id}`;
  }

  async startWorker(): Promise<WorkerProcess> {
    const worker = startChild(this.database.url("gatehouse_worker"), "mails", {
      GATEHOUSE_PROFILE: "embedded",
      GATEHOUSE_PUBLIC_URL: "https://id.gatehouse.test",
      GATEHOUSE_MAIL_KEY_FILE: join(this.dir, "mail-key.json"),
      GATEHOUSE_MAIL_FROM: "no-reply@gatehouse.test",
      GATEHOUSE_SMTP_URL: `smtp://127.0.0.1:${this.receiver.port}`,
      GATEHOUSE_SMTP_TLS: "none",
    });
    await worker.printed("worker ready");
    return worker;
  }

  async [Symbol.asyncDispose]() {
    await this.receiver[Symbol.asyncDispose]();
    await this.database.drop();
    await Deno.remove(this.dir, { recursive: true });
  }
}
