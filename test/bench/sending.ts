// What a bench of sending needs: a durable database with a tenant, a receiver in a process of its own, endpoints whose secrets are sealed, and the worker.
import { join } from "node:path";
import { seal, toBase64 } from "../../functions/_shared/secrets.ts";
import { webhookSecretPlace } from "../../functions/_shared/signing.ts";
import { newWebhookSecret } from "../../functions/_shared/signing_keys.ts";
import endpoint__pump from "../../functions/_worker/tasks/endpoint__pump.ts";
import endpoints__find_due from "../../functions/_worker/tasks/endpoints__find_due.ts";
import { startWorker, type Worker } from "../../functions/_worker/worker.ts";
import { fromFileUrl } from "../support/paths.ts";
import { type BenchDatabase, benchDatabase } from "./support.ts";

export interface Sending extends AsyncDisposable {
  database: BenchDatabase;
  tenantId: string;
  /** Where the receiver answers 204 to everything. */
  url: string;
  /** An endpoint for events of this type. */
  addEndpoint(type: string, url?: string): Promise<{ id: string; secret: string }>;
  startWorker(): Promise<Worker>;
}

export async function openSending(): Promise<Sending> {
  const database = await benchDatabase();
  const keyFile = join(database.dir, "keys.json");
  const key = toBase64(crypto.getRandomValues(new Uint8Array(32)));
  await Deno.writeTextFile(keyFile, JSON.stringify({ current: "k1", keys: { k1: key } }), {
    mode: 0o600,
  });
  Deno.env.set("GATEHOUSE_PROFILE", "embedded");
  Deno.env.set("GATEHOUSE_OUTBOUND_ALLOW", "127.0.0.0/8");
  Deno.env.set("GATEHOUSE_SECRETS_KEY_FILE", keyFile);
  Deno.env.set("LOG_LEVEL", "error");
  const receiver = new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-net=127.0.0.1", fromFileUrl("../bench/receiver.ts")],
    stdout: "piped",
  }).spawn();
  const { sql } = database;
  const [tenant] = await sql<[{ id: string }]>`
    insert into public.tenants (slug, name) values ('bench', 'Bench') returning id`;
  const url = `http://127.0.0.1:${await firstLine(receiver.stdout)}/`;
  return {
    database,
    tenantId: tenant.id,
    url,
    async addEndpoint(type, at = url) {
      const [endpoint] = await sql<[{ id: string }]>`
        insert into public.webhook_endpoints (tenant_id, url, event_types)
        values (${tenant.id}, ${at}, ${[type]}) returning id`;
      const secret = newWebhookSecret();
      const place = webhookSecretPlace(tenant.id, endpoint.id);
      const { keyId, ciphertext } = await seal(secret, place);
      await sql`insert into private.webhook_secrets (tenant_id, endpoint_id, key_id, ciphertext)
        values (${tenant.id}, ${endpoint.id}, ${keyId}, ${ciphertext})`;
      return { id: endpoint.id, secret };
    },
    startWorker: () =>
      startWorker({
        databaseUrl: database.url("gatehouse_worker"),
        connections: 8,
        pools: [{ name: "deliveries", concurrency: 100, tasks: { endpoint__pump } }],
        loops: [{ name: "endpoints__find_due", everyMs: 100, task: endpoints__find_due }],
        lost: (why) => {
          throw new Error(why);
        },
      }),
    async [Symbol.asyncDispose]() {
      receiver.kill("SIGKILL");
      await receiver.status;
      await database[Symbol.asyncDispose]();
    },
  };
}

/** Events of one type in one statement, as anything records them. */
export async function record(
  { database, tenantId }: Sending,
  type: string,
  count: number,
): Promise<void> {
  await database.sql`select count(private.record_event(${tenantId}, ${type},
    '[{"kind": "app", "id": "01890a5d-ac96-774b-bcce-b302099a8057"}]',
    '{"before": {"name": "A name"}, "after": {"name": "Another name"}}'))
    from generate_series(1, ${count}::int)`;
}

/** Resolves when nothing waits at these endpoints, and no pump is at them. */
export async function drained(
  { database, tenantId }: Sending,
  endpoints: string[],
): Promise<void> {
  const { sql } = database;
  for (;;) {
    const [{ busy }] = await sql<[{ busy: boolean }]>`
      select exists (select from public.webhook_endpoint_states
        where endpoint_id = any (${endpoints}) and pump is not null) as busy`;
    // Looking among the deliveries walks over all that was just settled: every 20 ms that took a fifth of the machine from what it watched.
    if (!busy) {
      const [{ open }] = await sql<[{ open: boolean }]>`
        select exists (select from public.webhook_deliveries
          where tenant_id = ${tenantId} and state = 'pending'
            and endpoint_id = any (${endpoints})) as open`;
      if (!open) return;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function firstLine(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<string> {
  let text = "";
  for await (const chunk of stream.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    if (text.includes("\n")) return text.trim();
  }
  throw new Error("The receiver did not start");
}
