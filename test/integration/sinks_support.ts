// A database with sinks of each kind, real receivers on loopback that keep what they took, and worker processes that may be killed.
import { join } from "node:path";
import { Webhook } from "standardwebhooks";
import { parseKeyring, seal, toBase64 } from "../../functions/_shared/secrets.ts";
import { sinkSecretPlace } from "../../functions/_shared/sinks/secret.ts";
import { platform } from "../support/actors.ts";
import { createDatabase, type TestDatabase } from "../support/database.ts";
import { startChild, type WorkerProcess } from "./worker_support.ts";

export interface SentEvent {
  id: string;
  seq: number;
  type: string;
  tenant_id: string;
  data: Record<string, unknown>;
}

export interface SentBatch {
  id: string;
  headers: Record<string, string>;
  events: SentEvent[];
  checkpoints: { tenant_id: string; size: number; checkpoint: string }[];
}

/** A receiver of signed batches: what its signature holds for, it keeps. `answer` may be changed at any time. */
export class HttpReceiver implements AsyncDisposable {
  readonly batches: SentBatch[] = [];
  /** Requests that were answered, taken or not. */
  requests = 0;
  answer: (batch: SentBatch) => Response | Promise<Response> = () => new Response("ok");
  readonly #server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    (request) => this.#receive(request),
  );
  readonly #held: (() => void)[] = [];
  secret = "";

  get url(): string {
    return `http://127.0.0.1:${this.#server.addr.port}/audit`;
  }

  get events(): SentEvent[] {
    return this.batches.flatMap(({ events }) => events);
  }

  /** For `answer`: nothing comes as long as the test lasts. */
  readonly never = () =>
    new Promise<Response>((resolve) => this.#held.push(() => resolve(new Response())));

  async #receive(request: Request): Promise<Response> {
    const headers = Object.fromEntries(request.headers);
    // Throws unless the signature is good: the request then fails and the test with it.
    const { data } = new Webhook(this.secret).verify(await request.text(), headers) as {
      data: Omit<SentBatch, "id" | "headers">;
    };
    const batch = { id: headers["webhook-id"]!, headers, ...data };
    const answer = await this.answer(batch);
    this.requests++;
    if (answer.ok) this.batches.push(batch);
    return answer;
  }

  async [Symbol.asyncDispose]() {
    this.#held.forEach((release) => release());
    await this.#server.shutdown();
  }
}

export class Sinks implements AsyncDisposable {
  private constructor(
    readonly database: TestDatabase,
    readonly dir: string,
    readonly tenantId: string,
    readonly keys: string,
  ) {}

  static async start(): Promise<Sinks> {
    const database = await createDatabase();
    const dir = await Deno.makeTempDir({ prefix: "gatehouse-sinks-" });
    const key = toBase64(crypto.getRandomValues(new Uint8Array(32)));
    const keys = JSON.stringify({ current: "k1", keys: { k1: key } });
    await Deno.writeTextFile(join(dir, "keys.json"), keys, { mode: 0o600 });
    const [tenant] = await database.sql`
      insert into tenants (slug, name) values ('acme', 'Acme') returning id`;
    await database.sql`select private.sequence_events(100000)`;
    return new Sinks(database, dir, tenant!.id, keys);
  }

  async startWorker(): Promise<WorkerProcess> {
    const worker = startChild(this.database.url("gatehouse_worker"), "sinks", {
      GATEHOUSE_PROFILE: "embedded",
      GATEHOUSE_PUBLIC_URL: "http://gatehouse.test",
      GATEHOUSE_OUTBOUND_ALLOW: "127.0.0.0/8",
      GATEHOUSE_SECRETS_KEY_FILE: join(this.dir, "keys.json"),
      GATEHOUSE_AUDIT_DIR: join(this.dir, "audit"),
    });
    await worker.printed("worker ready");
    return worker;
  }

  /** From the end of the log on. Default: of the whole instance. */
  async add(kind: string, settings: Record<string, unknown>, tenantId = platform): Promise<string> {
    const { sql } = this.database;
    const [row] = await sql<[{ id: string }]>`
      insert into audit_sinks (tenant_id, name, kind, settings, cursor_seq)
      values (${tenantId}, ${crypto.randomUUID()}, ${kind}, ${sql.json(settings as never)},
        private.seq_before(${tenantId}, null)) returning id`;
    return row.id;
  }

  async addHttp(
    receiver: HttpReceiver,
    { tenantId = platform, headers = {} }: { tenantId?: string; headers?: Record<string, string> } =
      {},
  ): Promise<string> {
    receiver.secret = "whsec_" + toBase64(crypto.getRandomValues(new Uint8Array(32)));
    const id = await this.add("http", { url: receiver.url }, tenantId);
    const { keyId, ciphertext } = await seal(
      JSON.stringify({ signingSecret: receiver.secret, headers }),
      sinkSecretPlace(tenantId, id),
      await parseKeyring(this.keys),
    );
    await this.database.sql`
      insert into private.audit_sink_secrets (tenant_id, sink_id, key_id, ciphertext)
      values (${tenantId}, ${id}, ${keyId}, ${ciphertext})`;
    return id;
  }

  /** Records events of this type, each in a transaction of its own or all in one. */
  async record(type: string, count = 1, tenantId = this.tenantId): Promise<void> {
    await this.database.sql`
      select private.record_event(${tenantId}, ${type}, '[]', jsonb_build_object('n', n))
        from generate_series(1, ${count}) n`;
  }

  /** The ids of what is committed of a type. */
  async committed(type: string): Promise<string[]> {
    const rows = await this.database.sql<{ id: string }[]>`
      select id from audit_events where type = ${type}`;
    return rows.map(({ id }) => id).sort();
  }

  async state(id: string) {
    const [row] = await this.database.sql`
      select *, extract(epoch from next_attempt_at - clock_timestamp())::float as due_in_seconds
        from audit_sinks where id = ${id}`;
    return row!;
  }

  /** Whether a sink has everything that is committed. */
  async isDone(id: string): Promise<boolean> {
    const [row] = await this.database.sql`
      select not exists (select from audit_events e where not exists (
          select from private.audit_sequence q where q.event_id = e.id))
        and not exists (select from private.audit_sequence q, audit_sinks s
          where s.id = ${id} and q.seq > s.cursor_seq
            and (s.tenant_id = ${platform} or q.tenant_id = s.tenant_id)) as done`;
    return row!.done;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.database.drop();
    await Deno.remove(this.dir, { recursive: true });
  }
}
