// The door through a real Squid: open, with credentials, with an access list, with TLS interception; and one webhook end to end.
import assert from "node:assert/strict";
import { join } from "node:path";
import { parseNetwork } from "../../functions/_shared/addresses.ts";
import { createDoor, type Door, OutboundError } from "../../functions/_shared/outbound.ts";
import { basicAuthorization, parseProxy } from "../../functions/_shared/outbound_proxy.ts";
import { eventually } from "../support/eventually.ts";
import { authority, receiver } from "../unit/_shared/outbound_tls.ts";
import { Deliveries, type Endpoint, type Received, verify } from "./deliveries_support.ts";
import { credentials, proxyAuthority, Squid } from "./proxy_support.ts";

let squid: Squid;
Deno.test.beforeAll(async () => {
  squid = await Squid.start();
});
Deno.test.afterAll(async () => {
  await squid[Symbol.asyncDispose]();
});

/** What it is asked to resolve it cannot: names are Squid's. */
function doorVia(port: keyof Squid["ports"], { ca = authority, user = "" } = {}): Door {
  const authorization = user === "" ? undefined : basicAuthorization(user);
  const proxy = { ...parseProxy(squid.url(port)), authorization };
  return createDoor({
    embedded: true,
    allowed: [parseNetwork("127.0.0.0/8")],
    ca,
    resolve: (name) => Promise.reject(new Error(`asked for ${name}`)),
    proxies: { https: proxy, http: proxy, except: [] },
  });
}

async function failure(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    if (error instanceof OutboundError) return error.errorClass;
    throw error;
  }
  return "sent";
}

async function withReceiver(
  tls: boolean,
  run: (port: number, seen: (Received & { peer: number })[]) => Promise<void>,
) {
  const seen: (Received & { peer: number })[] = [];
  const server = Deno.serve(
    { ...(tls ? receiver : {}), hostname: "127.0.0.1", port: 0, onListen() {} } as
      & Deno.ServeTcpOptions
      & Deno.TlsCertifiedKeyPem,
    async (request, info) => {
      seen.push({
        path: new URL(request.url).pathname,
        headers: Object.fromEntries(request.headers),
        body: await request.text(),
        at: Date.now(),
        peer: (info.remoteAddr as Deno.NetAddr).port,
      });
      return new Response("ok");
    },
  );
  try {
    await run(server.addr.port, seen);
  } finally {
    await server.shutdown();
  }
}

const noneOfTheProxy = ({ headers }: Received) =>
  !Object.keys(headers).some((name) => name.startsWith("proxy-"));

Deno.test("through an open proxy: https in one tunnel for all calls, under a name that only the proxy knows", async () => {
  const door = doorVia("open");
  await withReceiver(true, async (port, seen) => {
    for (const body of ["one", "two", "three"]) {
      const answer = await door.send({ url: `https://receiver.test:${port}/a`, body });
      assert.equal(answer.status, 200);
    }
    assert.deepEqual(seen.map(({ body }) => body), ["one", "two", "three"]);
    assert.equal(new Set(seen.map(({ peer }) => peer)).size, 1);
    door.close();
    const line = `TCP_TUNNEL/200 CONNECT receiver.test:${port} -`;
    await eventually("it is logged", async () => (await squid.log()).includes(line));
  });
});

Deno.test("through an open proxy: http in absolute form", async () => {
  const door = doorVia("open");
  await withReceiver(false, async (port, seen) => {
    const answer = await door.send({ url: `http://receiver.test:${port}/a?b=c`, body: "x" });
    assert.equal(answer.status, 200);
    assert.equal(seen[0]!.headers.host, `receiver.test:${port}`);
    assert.match(seen[0]!.headers.via!, /squid/);
    door.close();
  });
});

Deno.test("with Basic credentials: the right ones pass and never reach the target, others are refused", async () => {
  for (const tls of [true, false]) {
    await withReceiver(tls, async (port, seen) => {
      const url = `${tls ? "https" : "http"}://receiver.test:${port}/a`;
      const door = doorVia("basic", { user: credentials });
      assert.equal((await door.send({ url, body: "x" })).status, 200);
      assert.ok(seen.every(noneOfTheProxy));
      door.close();
      for (const user of ["", "gatehouse:wrong", "nobody:hunter:2@ %"]) {
        assert.equal(await failure(doorVia("basic", { user }).send({ url })), "proxy_refused");
      }
      assert.equal(seen.length, 1);
      const [method, target] = tls ? ["CONNECT", `receiver.test:${port}`] : ["POST", url];
      await eventually(
        "it is logged by its name",
        async () =>
          (await squid.log()).some((line) => line.endsWith(`/200 ${method} ${target} gatehouse`)),
      );
    });
  }
});

Deno.test("what the access list forbids, what does not resolve, where nobody listens", async () => {
  const door = doorVia("open");
  assert.equal(await failure(door.send({ url: "https://forbidden.test/" })), "proxy_refused");
  const raw = door.connect({ host: "forbidden.test", port: 6514, tls: {} });
  assert.equal(await failure(raw), "proxy_refused");
  assert.equal(await failure(door.send({ url: "https://unknown.test/" })), "connect_failed");
  const closed = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  closed.close();
  const url = `https://receiver.test:${closed.addr.port}/`;
  assert.equal(await failure(door.send({ url })), "connect_failed");
});

Deno.test("TLS through the tunnel is with the target, and judged by its own name", async () => {
  await withReceiver(true, async (port) => {
    const other = doorVia("open").send({ url: `https://elsewhere.test:${port}/` });
    assert.equal(await failure(other), "tls_failed");
  });
});

Deno.test("TLS interception: only with the proxy's own authority", async () => {
  await withReceiver(true, async (port, seen) => {
    const url = `https://receiver.test:${port}/a`;
    const door = doorVia("intercepting", { ca: proxyAuthority });
    assert.equal((await door.send({ url, body: "read on the way" })).status, 200);
    assert.match(seen[0]!.headers.via!, /squid/); // it saw the request
    door.close();
    assert.equal(await failure(doorVia("intercepting").send({ url })), "tls_failed");
    assert.equal(seen.length, 1);
  });
});

Deno.test("a raw connection with TLS, as syslog has it, and an interception that it does not trust", async () => {
  const listener = Deno.listenTls({ hostname: "127.0.0.1", port: 0, ...receiver });
  const arrived = (async () => {
    const connection = await listener.accept();
    const text = await new Response(connection.readable).text();
    return text;
  })();
  const { port } = listener.addr as Deno.NetAddr;
  const door = doorVia("basic", { user: credentials });
  const connection = await door.connect({ host: "receiver.test", port, tls: {} });
  await connection.write(new TextEncoder().encode("9 <110>1 - "));
  connection.close();
  assert.equal(await arrived, "9 <110>1 - ");
  const intercepted = doorVia("intercepting").connect({ host: "receiver.test", port, tls: {} });
  assert.equal(await failure(intercepted), "tls_failed");
  listener.close();
});

Deno.test("a webhook is delivered by the worker through the proxy; without it, it waits", async () => {
  await using bench = await Deliveries.start();
  const authFile = join(bench.dir, "proxy-credentials");
  const caFile = join(bench.dir, "authority.pem");
  await Deno.writeTextFile(authFile, credentials + "\n", { mode: 0o600 });
  await Deno.writeTextFile(caFile, authority);
  await withReceiver(true, async (port, seen) => {
    const at = (host: string) => `https://${host}:${port}/hook`;
    const endpoint = await bench.endpoint("tenant.updated", undefined, at("receiver.test"));
    const forbidden = await bench.endpoint("tenant.updated", undefined, at("forbidden.test"));
    const worker = await bench.startWorker({
      GATEHOUSE_OUTBOUND_PROXY: squid.url("basic"),
      GATEHOUSE_OUTBOUND_PROXY_AUTH_FILE: authFile,
      GATEHOUSE_OUTBOUND_CA_FILE: caFile,
    });
    /** Resolves once the endpoint rests; holds that nothing is counted against its receiver. */
    const putOff = async (one: Endpoint, why: string) => {
      const rests = await eventually("it rests", async () => {
        const [row] = await bench.database.sql`
          select extract(epoch from paused_until - now())::float8 as seconds, s.circuit,
                 s.failures_in_a_row, s.first_failure_at
            from webhook_endpoints e join webhook_endpoint_states s on s.endpoint_id = e.id
           where e.id = ${one.id}`;
        return row!.seconds !== null && row!;
      });
      assert.ok(rests.seconds > 30 && rests.seconds <= 60, `${rests.seconds} s`);
      assert.deepEqual(
        [rests.circuit, rests.failures_in_a_row, rests.first_failure_at],
        ["closed", 0, null],
      );
      const { attempts, state, due_in_seconds: due } = (await bench.deliveries(one)).at(-1)!;
      assert.deepEqual([attempts, state], [0, "pending"]);
      assert.ok(due > 30 && due <= 60, `due in ${due} s`);
      assert.ok((await bench.attempts(one)).every(({ status }) => status === 200));
      const told = await eventually("it is logged", () => {
        const lines = worker.lines.filter((line) => line.endpoint === one.id);
        return lines.length > 0 && lines;
      });
      assert.deepEqual(told.map(({ level, errorClass }) => [level, errorClass]), [["error", why]]);
    };
    const rename = (name: string) => bench.database.sql`update tenants set name = ${name}`;

    await rename("Acme by proxy");
    await eventually("it arrives", () => seen.length === 1);
    assert.equal(verify(endpoint.secret, seen[0]!).type, "tenant.updated");
    assert.ok(noneOfTheProxy(seen[0]!));
    await putOff(forbidden, "proxy_refused");

    await squid.stop();
    await rename("Acme without a proxy");
    await putOff(endpoint, "proxy_unreachable");
    await squid.restart();
    await bench.makeDue(endpoint);
    await eventually("it arrives after all", () => seen.length === 2);
    await eventually(
      "both are settled at the first attempt",
      async () =>
        (await bench.deliveries(endpoint)).every(({ state, attempts }) =>
          state === "delivered" && attempts === 1
        ),
    );
    await worker.signal("SIGTERM");
  });
});
