// A backlog drained to 2xx on loopback by the worker as it runs (find, claim, sign, send, settle), against a loop in the same process that signs
// and posts the same bodies by the same client and guard, at the same concurrency, and writes nothing down.
import { join } from "node:path";
import { send } from "../../functions/_shared/outbound.ts";
import { seal, toBase64 } from "../../functions/_shared/secrets.ts";
import { signWebhook, webhookSecretPlace } from "../../functions/_shared/signing.ts";
import { importWebhookKey, newWebhookSecret } from "../../functions/_shared/signing_keys.ts";
import endpoint__pump from "../../functions/_worker/tasks/endpoint__pump.ts";
import endpoints__find_due from "../../functions/_worker/tasks/endpoints__find_due.ts";
import { startWorker } from "../../functions/_worker/worker.ts";
import { fromFileUrl } from "../support/paths.ts";
import { type BenchDatabase, benchDatabase, type Figure, inTurns } from "./support.ts";

const endpoints = 4;
const lanesPerEndpoint = 8; // as endpoint__pump.ts
const perEndpoint = 8_000;

export async function drain(): Promise<Figure[]> {
  await using database = await benchDatabase();
  const keys = {
    current: "k1",
    keys: { k1: toBase64(crypto.getRandomValues(new Uint8Array(32))) },
  };
  const keyFile = join(database.dir, "keys.json");
  await Deno.writeTextFile(keyFile, JSON.stringify(keys), { mode: 0o600 });
  Deno.env.set("GATEHOUSE_PROFILE", "embedded");
  Deno.env.set("GATEHOUSE_OUTBOUND_ALLOW", "127.0.0.0/8");
  Deno.env.set("GATEHOUSE_SECRETS_KEY_FILE", keyFile);
  Deno.env.set("LOG_LEVEL", "error");
  const receiver = new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-net=127.0.0.1", fromFileUrl("../bench/receiver.ts")],
    stdout: "piped",
  }).spawn();
  try {
    const url = `http://127.0.0.1:${await firstLine(receiver.stdout)}/`;
    const { tenantId, secret } = await arrange(database, url);
    const { worker, bare } = await inTurns({
      worker: () => byWorker(database, tenantId),
      bare: () => byLoop(database, url, secret),
    }, 3);
    return [{
      name: "backlog drained to 2xx ÷ bare loop that signs and posts",
      value: worker / bare,
      unit: "×",
      goal: { at: "least", value: 0.5 },
      note: `${worker.toFixed(0)} and ${bare.toFixed(0)} deliveries/s, ${endpoints} endpoints × ` +
        `${lanesPerEndpoint} lanes, attempts committed`,
    }];
  } finally {
    receiver.kill("SIGKILL");
    await receiver.status;
  }
}

async function arrange({ sql }: BenchDatabase, url: string) {
  const [tenant] = await sql<[{ id: string }]>`
    insert into public.tenants (slug, name) values ('bench', 'Bench') returning id`;
  const tenantId = tenant.id;
  const secret = newWebhookSecret();
  for (let n = 0; n < endpoints; n++) {
    const [endpoint] = await sql<[{ id: string }]>`
      insert into public.webhook_endpoints (tenant_id, url, event_types)
      values (${tenantId}, ${url}, array['app.updated']) returning id`;
    const { keyId, ciphertext } = await seal(secret, webhookSecretPlace(tenantId, endpoint.id));
    await sql`insert into private.webhook_secrets (tenant_id, endpoint_id, key_id, ciphertext)
      values (${tenantId}, ${endpoint.id}, ${keyId}, ${ciphertext})`;
  }
  return { tenantId, secret };
}

/** From the start of a worker on a full backlog to the last 2xx written down; its start is inside. */
async function byWorker({ sql, url }: BenchDatabase, tenantId: string): Promise<number> {
  await sql`select count(private.record_event(${tenantId}, 'app.updated',
    '[{"kind": "app", "id": "01890a5d-ac96-774b-bcce-b302099a8057"}]',
    '{"before": {"name": "A name"}, "after": {"name": "Another name"}}'))
    from generate_series(1, ${perEndpoint})`;
  await sql`vacuum analyze public.webhook_deliveries`;
  const began = performance.now();
  const worker = await startWorker({
    databaseUrl: url("gatehouse_worker"),
    connections: 8,
    pools: [{ name: "deliveries", concurrency: 100, tasks: { endpoint__pump } }],
    loops: [{ name: "endpoints__find_due", everyMs: 100, task: endpoints__find_due }],
    lost: (why) => {
      throw new Error(why);
    },
  });
  for (;;) {
    const [{ open }] = await sql<[{ open: boolean }]>`
      select exists (select from public.webhook_deliveries where state = 'pending') as open`;
    if (!open) break;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const seconds = (performance.now() - began) / 1_000;
  await worker.stop();
  const [{ lost }] = await sql<[{ lost: number }]>`
    select count(*)::integer as lost from public.webhook_deliveries where state <> 'delivered'`;
  if (lost > 0) throw new Error(`${lost} deliveries did not arrive`);
  return endpoints * perEndpoint / seconds;
}

async function byLoop({ sql }: BenchDatabase, url: string, secret: string): Promise<number> {
  const bodies = await sql<{ id: string; body: string }[]>`
    select e.id, private.delivery_body(e) as body
      from public.audit_events e where e.type = 'app.updated' limit ${perEndpoint}`;
  const jobs = Array.from({ length: endpoints }, () => [...bodies]).flat().values();
  const began = performance.now();
  const keys = [await importWebhookKey(secret)];
  await Promise.all(Array.from({ length: endpoints * lanesPerEndpoint }, async () => {
    for (const { id, body } of jobs) {
      const timestampSeconds = Math.floor(Date.now() / 1_000);
      const headers = await signWebhook({ id, timestampSeconds, body }, keys);
      const { status } = await send({
        url,
        headers: { ...headers, "content-type": "application/json" },
        body,
      });
      if (status !== 204) throw new Error(`The receiver answered ${status}`);
    }
  }));
  return endpoints * perEndpoint / ((performance.now() - began) / 1_000);
}

async function firstLine(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<string> {
  let text = "";
  for await (const chunk of stream.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    if (text.includes("\n")) return text.trim();
  }
  throw new Error("The receiver did not start");
}
