// A tenant with webhook endpoints, a receiver on loopback that does as it is told, and a worker process that sends.
import { join } from "node:path";
import { Webhook } from "standardwebhooks";
import { parseKeyring, seal, toBase64 } from "../../functions/_shared/secrets.ts";
import { webhookSecretPlace } from "../../functions/_shared/signing.ts";
import { newWebhookKeyPair, newWebhookSecret } from "../../functions/_shared/signing_keys.ts";
import { createDatabase, type TestDatabase } from "../support/database.ts";
import { startChild, type WorkerProcess } from "./worker_support.ts";

export interface Received {
  path: string;
  headers: Record<string, string>;
  body: string;
  at: number;
}

export type Answer = (request: Received) => Response | Promise<Response>;

export interface Endpoint {
  id: string;
  /** Its path at the receiver, unless made for another address. */
  path: string;
  secret: string;
}

export class Deliveries implements AsyncDisposable {
  readonly received: Received[] = [];
  readonly #answers = new Map<string, Answer>();
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  readonly #held: (() => void)[] = [];

  private constructor(
    readonly database: TestDatabase,
    readonly dir: string,
    readonly tenantId: string,
    readonly keys: string,
  ) {
    this.#server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen() {} },
      (request) => this.#receive(request),
    );
  }

  static async start(): Promise<Deliveries> {
    const database = await createDatabase();
    const dir = await Deno.makeTempDir({ prefix: "gatehouse-deliveries-" });
    const key = toBase64(crypto.getRandomValues(new Uint8Array(32)));
    const keys = JSON.stringify({ current: "k1", keys: { k1: key } });
    await Deno.writeTextFile(join(dir, "keys.json"), keys, { mode: 0o600 });
    const [tenant] = await database.sql`
      insert into tenants (slug, name) values ('acme', 'Acme') returning id`;
    return new Deliveries(database, dir, tenant!.id, keys);
  }

  get origin(): string {
    return `http://127.0.0.1:${this.#server.addr.port}`;
  }

  async startWorker(env: Record<string, string> = {}): Promise<WorkerProcess> {
    const worker = startChild(this.database.url("gatehouse_worker"), "deliveries", {
      GATEHOUSE_PROFILE: "embedded",
      GATEHOUSE_OUTBOUND_ALLOW: "127.0.0.0/8",
      GATEHOUSE_SECRETS_KEY_FILE: join(this.dir, "keys.json"),
      ...env,
    });
    await worker.printed("worker ready");
    return worker;
  }

  /** An endpoint for events of this type; answers 204 unless told otherwise. */
  async endpoint(
    type: string,
    answer: Answer = () => new Response(null, { status: 204 }),
    url?: string,
  ): Promise<Endpoint> {
    const { sql } = this.database;
    const path = `/${crypto.randomUUID()}`;
    this.#answers.set(path, answer);
    const [row] = await sql`
      insert into webhook_endpoints (tenant_id, url, event_types)
      values (${this.tenantId}, ${url ?? this.origin + path}, ${[type]}) returning id`;
    const endpoint = { id: row!.id as string, path, secret: "" };
    endpoint.secret = await this.addSecret(endpoint.id);
    return endpoint;
  }

  async addSecret(endpointId: string, secret = newWebhookSecret()): Promise<string> {
    const place = webhookSecretPlace(this.tenantId, endpointId);
    const sealed = await seal(secret, place, await parseKeyring(this.keys));
    await this.database.sql`
      insert into private.webhook_secrets (tenant_id, endpoint_id, scheme, key_id, ciphertext)
      values (${this.tenantId}, ${endpointId}, ${
      secret.startsWith("whsk_") ? "v1a" : "v1"
    }, ${sealed.keyId}, ${sealed.ciphertext})`;
    return secret;
  }

  /** Signs with new keys of this scheme from now on; the old ones stay for so long. */
  async setScheme(
    endpointId: string,
    scheme: "v1" | "v1a" | "both",
    overlapSeconds = 0,
  ): Promise<{ secret?: string; publicKey?: string }> {
    const { sql } = this.database;
    await sql`
      update private.webhook_secrets set expires_at = now() + make_interval(secs => ${overlapSeconds})
       where endpoint_id = ${endpointId} and expires_at is null`;
    const secret = scheme === "v1a" ? undefined : await this.addSecret(endpointId);
    const pair = scheme === "v1" ? undefined : await newWebhookKeyPair();
    if (pair) await this.addSecret(endpointId, pair.privateKey);
    await sql`
      update webhook_endpoints set signature_scheme = ${scheme}, public_key = ${
      pair?.publicKey ?? null
    } where id = ${endpointId}`;
    return { ...(secret && { secret }), ...(pair && { publicKey: pair.publicKey }) };
  }

  async setHeaders(endpointId: string, headers: Record<string, string>): Promise<void> {
    const place = { table: "webhook_headers", tenantId: this.tenantId, id: endpointId };
    const sealed = await seal(JSON.stringify(headers), place, await parseKeyring(this.keys));
    await this.database.sql`
      insert into private.webhook_headers (tenant_id, endpoint_id, key_id, ciphertext)
      values (${this.tenantId}, ${endpointId}, ${sealed.keyId}, ${sealed.ciphertext})`;
    await this.database.sql`
      update webhook_endpoints set header_names = ${Object.keys(headers)} where id = ${endpointId}`;
  }

  /** Records events of this type in one transaction. */
  async record(type: string, count = 1): Promise<void> {
    await this.database.sql`
      select private.record_event(${this.tenantId}, ${type}, '[]', jsonb_build_object('n', n))
        from generate_series(1, ${count}) n`;
  }

  at(endpoint: Endpoint): Received[] {
    return this.received.filter(({ path }) => path === endpoint.path);
  }

  async deliveries(endpoint: Endpoint) {
    return await this.database.sql`
      select id, state, attempts, next_attempt_at, claimed_until, event_id,
             extract(epoch from next_attempt_at - clock_timestamp())::float as due_in_seconds
        from webhook_deliveries where endpoint_id = ${endpoint.id} order by id`;
  }

  async attempts(endpoint: Endpoint) {
    return await this.database.sql`
      select a.number, a.status, a.error_class, a.response_headers, a.response_body
        from webhook_attempts a join webhook_deliveries d on d.id = a.delivery_id
       where d.endpoint_id = ${endpoint.id} order by a.delivery_id, a.number`;
  }

  /** Does not wait for the schedule. */
  async makeDue(endpoint: Endpoint): Promise<void> {
    const { sql } = this.database;
    await sql`update webhook_endpoints set paused_until = null where id = ${endpoint.id}`;
    await sql`update webhook_deliveries set next_attempt_at = now() where endpoint_id = ${endpoint.id}`;
  }

  /** An answer that never comes, as long as the test lasts. */
  never: Answer = () =>
    new Promise((resolve) => this.#held.push(() => resolve(new Response(null, { status: 204 }))));

  async #receive(request: Request): Promise<Response> {
    const received = {
      path: new URL(request.url).pathname,
      headers: Object.fromEntries(request.headers),
      body: await request.text(),
      at: Date.now(),
    };
    this.received.push(received);
    return await (this.#answers.get(received.path) ?? (() => new Response("?", { status: 404 })))(
      received,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#held.forEach((answer) => answer());
    await this.#server.shutdown();
    await this.database.drop();
    await Deno.remove(this.dir, { recursive: true });
  }
}

/** As a receiver would: with the library of the standard. Throws when the signature does not hold. */
export function verify(secret: string, { body, headers }: Received): Record<string, unknown> {
  return new Webhook(secret).verify(body, headers) as Record<string, unknown>;
}
