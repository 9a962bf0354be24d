// What the kill test kills: a durable Postgres, a worker and the functions as processes that are started again whenever they end, and a receiver that notes
// what it was sent. Next: kill_writers.ts (who commits and rolls back meanwhile).
import { join } from "node:path";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import postgres, { type Sql } from "postgres";
import { findFreeRow } from "../../scripts/stack/ports.ts";
import { parseKeyring, seal, toBase64 } from "../../functions/_shared/secrets.ts";
import { webhookSecretPlace } from "../../functions/_shared/signing.ts";
import { newWebhookSecret } from "../../functions/_shared/signing_keys.ts";
import { arrangeCast, claims, issuer, kid, tenants } from "../support/actors.ts";
import { verify } from "./deliveries_support.ts";
import { eventually } from "../support/eventually.ts";
import { queueDatabase, RestartablePostgres, sleep } from "./worker_support.ts";

const here = import.meta.dirname!;
const deno = join(here, "../../node_modules/.bin/deno");

export interface Taken {
  webhookId: string;
  body: string;
  status: number;
}

/** A process that is started again when it ends, as a supervisor does, without its back-off. */
export class Phoenix {
  #child: Deno.ChildProcess | undefined;
  #over = false;
  #running: Promise<void>;
  starts = 0;

  constructor(args: string[], env: Record<string, string>) {
    this.#running = this.#run(args, env);
  }

  async #run(args: string[], env: Record<string, string>) {
    while (!this.#over) {
      this.#child = new Deno.Command(deno, {
        args: ["run", "-A", "--cached-only", ...args],
        env: { DENO_NO_UPDATE_CHECK: "1", NO_COLOR: "1", LOG_LEVEL: "error", ...env },
        stdin: "null",
        stdout: "null",
        stderr: "null",
      }).spawn();
      this.starts++;
      await this.#child.status;
      this.#child = undefined;
      if (!this.#over) await sleep(100);
    }
  }

  kill(): void {
    this.#child?.kill("SIGKILL");
  }

  async end(): Promise<void> {
    this.#over = true;
    this.kill();
    await this.#running;
  }
}

export class KillBench implements AsyncDisposable {
  readonly taken: Taken[] = [];
  readonly forged: string[] = [];
  readonly sql: Sql;
  /** As `authenticator`, where callers come in. */
  readonly callers: Sql;
  secret = "";

  private constructor(
    readonly server: RestartablePostgres,
    readonly dir: string,
    readonly worker: Phoenix,
    readonly functions: Phoenix,
    readonly functionsUrl: string,
    readonly token: () => Promise<string>,
    readonly receiver: Deno.HttpServer<Deno.NetAddr>,
    urls: { superuser: string; callers: string },
  ) {
    this.sql = connect(urls.superuser, 3);
    this.callers = connect(urls.callers, 8);
  }

  static async start(random: () => number): Promise<KillBench> {
    globalThis.addEventListener("error", forgive);
    const server = await RestartablePostgres.start();
    const workerUrl = await queueDatabase(server, "gatehouse");
    const admin = connect(server.url("gatehouse"), 1);
    const password = crypto.randomUUID();
    for (const role of ["authenticator", "gatehouse_provision"]) {
      await admin.unsafe(`alter role ${role} password '${password}'`);
    }
    const at = (role: string) =>
      `postgres://${role}:${password}@127.0.0.1:${server.cluster.port}/gatehouse`;
    await arrangeCast(admin);
    const token = await tokens(admin);

    const dir = await Deno.makeTempDir({ prefix: "gatehouse-kill-" });
    const keys = JSON.stringify({
      current: "k1",
      keys: { k1: toBase64(crypto.getRandomValues(new Uint8Array(32))) },
    });
    const keyFile = join(dir, "keys.json");
    await Deno.writeTextFile(keyFile, keys, { mode: 0o600 });

    let bench: KillBench | undefined = undefined;
    const receiver = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen() {} },
      (request) => bench!.#take(request, random()),
    );
    const secret = await arrangeEndpoint(admin, `http://127.0.0.1:${receiver.addr.port}/`, keys);
    await admin.end();

    const common = {
      GATEHOUSE_PROFILE: "embedded",
      GATEHOUSE_OUTBOUND_ALLOW: "127.0.0.0/8",
      GATEHOUSE_SECRETS_KEY_FILE: keyFile,
    };
    const port = findFreeRow(1);
    const worker = new Phoenix([join(here, "worker_child.ts"), workerUrl, "deliveries"], common);
    const functions = new Phoenix([join(here, "../../functions/main/index.ts")], {
      ...common,
      GATEHOUSE_DB_URL: at("gatehouse_provision"),
      GATEHOUSE_PUBLIC_URL: "http://gatehouse.test",
      GATEHOUSE_FUNCTIONS: "events",
      GATEHOUSE_LISTEN: `127.0.0.1:${port}`,
      ZITADEL_ISSUER: issuer,
    });
    const url = `http://127.0.0.1:${port}`;
    bench = new KillBench(server, dir, worker, functions, url, token, receiver, {
      superuser: server.url("gatehouse"),
      callers: at("authenticator"),
    });
    bench.secret = secret;
    return bench;
  }

  /** One in fifty is refused the first time: what is sent again must be the same too. */
  async #take(request: Request, drawn: number): Promise<Response> {
    const webhookId = request.headers.get("webhook-id")!;
    const body = await request.text();
    const headers = Object.fromEntries(request.headers);
    const first = !this.taken.some((taken) => taken.webhookId === webhookId);
    const status = first && drawn < 0.02 ? 500 : 204;
    this.taken.push({ webhookId, body, status });
    try {
      verify(this.secret, { path: "/", headers, body, at: Date.now() });
    } catch {
      this.forged.push(webhookId);
    }
    await sleep((drawn * 997) % 15);
    return new Response(null, { status });
  }

  /** kill -9 of one backend: the postmaster ends all sessions and recovers from the log. */
  async killBackend(drawn: number): Promise<void> {
    const backends = await this.sql<{ pid: number }[]>`
      select pid from pg_stat_activity
       where backend_type = 'client backend' and datname = 'gatehouse' order by state, pid`;
    const { pid } = backends[Math.floor(drawn * backends.length)]!;
    Deno.kill(pid, "SIGKILL");
    // Until the postmaster has ended our session too: before, it would answer as if nothing had happened.
    await this.sql`select pg_sleep(30)`.catch(() => {});
  }

  async killPostgres(): Promise<void> {
    await this.server.stop("kill");
    await this.server.start();
  }

  /** Does not wait for the schedule of what was refused. */
  async makeDue(): Promise<void> {
    await this.recovered();
    await this.sql`update public.webhook_endpoints set paused_until = null`;
    await this
      .sql`update public.webhook_deliveries set next_attempt_at = now() where state = 'pending'`;
  }

  /** When the database takes connections again. */
  async recovered(): Promise<void> {
    const answers = () => this.sql`select 1`.then(() => true, () => false);
    await eventually("the database answers", answers, 30_000);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    globalThis.removeEventListener("error", forgive);
    await Promise.all([this.worker.end(), this.functions.end()]);
    await Promise.all([this.sql.end({ timeout: 1 }), this.callers.end({ timeout: 1 })]);
    await this.receiver.shutdown();
    await this.server[Symbol.asyncDispose]();
    await Deno.remove(this.dir, { recursive: true });
  }
}

/** postgres.js 3.4.9 writes to a socket that is gone (connection.js, nextWrite), outside of every promise; the query itself is refused as it should be. */
function forgive(event: ErrorEvent): void {
  const { error } = event;
  if (error instanceof TypeError && /nextWrite/.test(error.stack ?? "")) event.preventDefault();
}

const connect = (url: string, max: number) =>
  postgres(url, { max, connect_timeout: 5, backoff: () => 0.1, onnotice: () => {} });

async function tokens(sql: Sql): Promise<() => Promise<string>> {
  const { publicKey, privateKey } = await generateKeyPair("RS256", { extractable: true });
  const { n, e } = await exportJWK(publicKey);
  const keys = sql.json([{ kty: "RSA", n: n!, e: e!, kid }]);
  await sql`select private.put_verification_keys(${issuer}, ${keys})`;
  return () =>
    new SignJWT(claims("alice")!).setProtectedHeader({ alg: "RS256", kid, typ: "JWT" })
      .sign(privateKey);
}

async function arrangeEndpoint(sql: Sql, url: string, keys: string): Promise<string> {
  const schema = {
    type: "object",
    required: ["marker"],
    additionalProperties: false,
    properties: { marker: { type: "string" } },
  };
  await sql`insert into public.custom_event_types (tenant_id, name, schema)
    values (${tenants.A}, 'custom.killed', ${sql.json(schema)})`;
  const [endpoint] = await sql<[{ id: string }]>`
    insert into public.webhook_endpoints (tenant_id, url, event_types)
    values (${tenants.A}, ${url}, array['provider.created', 'custom.killed']) returning id`;
  const secret = newWebhookSecret();
  const place = webhookSecretPlace(tenants.A, endpoint.id);
  const { keyId, ciphertext } = await seal(secret, place, await parseKeyring(keys));
  await sql`insert into private.webhook_secrets (tenant_id, endpoint_id, key_id, ciphertext)
    values (${tenants.A}, ${endpoint.id}, ${keyId}, ${ciphertext})`;
  return secret;
}
