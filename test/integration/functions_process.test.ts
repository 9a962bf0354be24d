// The functions as processes: started as an operator starts them, stopped by a signal.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { join } from "node:path";
import { tenants } from "../support/actors.ts";
import { root } from "../support/paths.ts";
import { arrange, type Arranged, receive } from "./functions_support.ts";

let arranged: Arranged;
before(async () => {
  arranged = await arrange();
});
after(() => arranged.dispose());

interface Process {
  url: string;
  child: Deno.ChildProcess;
  /** Every log line so far, as text. */
  output: () => string;
  /** When the last line is read. */
  ended: Promise<unknown>;
}

/** Runs a function's file until it says where it listens. */
async function start(file: string, environment: Record<string, string>): Promise<Process> {
  const child = new Deno.Command(join(root, "node_modules/.bin/deno"), {
    args: [
      "run",
      "--cached-only",
      "--no-prompt",
      "--allow-net",
      "--allow-env",
      "--allow-sys",
      "--allow-read",
      file,
    ],
    cwd: root,
    env: { ...arranged.environment, LOG_LEVEL: "info", DENO_NO_UPDATE_CHECK: "1", ...environment },
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let output = "";
  const listening = Promise.withResolvers<string>();
  const collect = async (stream: ReadableStream<Uint8Array<ArrayBuffer>>) => {
    for await (const text of stream.pipeThrough(new TextDecoderStream())) {
      output += text;
      const port = /"port":(\d+)|Listening on http:\/\/[^:]+:(\d+)/.exec(output);
      if (port) listening.resolve(port[1] ?? port[2]!);
    }
  };
  const collecting = Promise.all([collect(child.stdout), collect(child.stderr)]);
  collecting.then(() => listening.reject(new Error(output)));
  return {
    url: `http://127.0.0.1:${await listening.promise}`,
    child,
    output: () => output,
    ended: collecting,
  };
}

const main = "functions/main/index.ts";
const listen = { GATEHOUSE_LISTEN: "127.0.0.1:0" };

test("a request under way ends with its answer when the process is told to stop, then the process exits 0", async () => {
  const { url, child } = await start(main, { ...listen, GATEHOUSE_FUNCTIONS: "webhooks" });
  const reached = Promise.withResolvers<void>();
  const release = Promise.withResolvers<void>();
  await using receiver = receive(async () => {
    reached.resolve();
    await release.promise;
    return new Response("slow but sure");
  });
  const headers = {
    "content-type": "application/json",
    authorization: `Bearer ${await arranged.token("alice")}`,
  };
  const post = async (path: string, content: unknown) => {
    const request = { method: "POST", headers, body: JSON.stringify(content) };
    const response = await fetch(`${url}/functions/v1/webhooks${path}`, request);
    return await response.json();
  };
  assert.equal((await (await fetch(`${url}/ready`)).json()).status, "ok");
  const { id } = await post("/endpoints", { tenantId: tenants.A, url: receiver.url });
  const underWay = post(`/endpoints/${id}/test`, { tenantId: tenants.A });
  await reached.promise;
  child.kill("SIGTERM");
  await new Promise((resolve) => setTimeout(resolve, 200));
  await assert.rejects(fetch(`${url}/health`), TypeError); // no new connection
  release.resolve();
  assert.equal((await underWay).responseBody, "slow but sure");
  assert.equal((await child.status).code, 0);
});

test("what is wrong with the environment is said by name, exit 1", async () => {
  const wrong: [Record<string, string>, RegExp][] = [
    [{ GATEHOUSE_FUNCTIONS: "" }, /GATEHOUSE_FUNCTIONS/],
    [{ GATEHOUSE_FUNCTIONS: "nope" }, /no function \\"nope\\"/],
    [{ GATEHOUSE_FUNCTIONS: "session", GATEHOUSE_PROFILE: "standard" }, /ZITADEL_ISSUER.*https/],
  ];
  for (const [environment, expected] of wrong) {
    await assert.rejects(start(main, { ...listen, ...environment }), expected);
  }
});

test("with the runtime's tracing on, our spans and log lines are in the caller's trace", async () => {
  const traceId = "0af7651916cd43dd8448eb211c80319c";
  const { url, child, output, ended } = await start(main, {
    ...listen,
    GATEHOUSE_FUNCTIONS: "session",
    OTEL_DENO: "true",
    OTEL_EXPORTER_OTLP_PROTOCOL: "console",
  });
  const headers = { traceparent: `00-${traceId}-b7ad6b7169203331-01` };
  await (await fetch(`${url}/functions/v1/session/keys`, { headers })).text();
  child.kill("SIGTERM");
  await ended;
  // deno-lint-ignore no-control-regex
  const plain = output().replace(/\x1b\[[\d;]*m/g, "");
  assert.match(plain, new RegExp(`SPAN GET /session \\[${traceId}/`));
  assert.match(plain, new RegExp(`"trace_id":"${traceId}".*"function":"session"`));
});

test("a function's own index.ts serves it alone, as Supabase's edge runtime runs it", async () => {
  const alone = { DENO_SERVE_ADDRESS: "tcp:127.0.0.1:0" };
  const { url, child, output } = await start("functions/session/index.ts", alone);
  const response = await fetch(`${url}/session/keys`);
  assert.equal((await response.json()).keys.length, 1);
  assert.match(output(), /"function":"session".*"status":200/);
  child.kill("SIGTERM");
  await child.status;
});
