// The door behind a proxy, with a proxy of the test's own. Through a real Squid: test/integration/proxy.test.ts.
import assert from "node:assert/strict";
import { parseNetwork } from "../../../functions/_shared/addresses.ts";
import {
  createDoor,
  type Door,
  type DoorOptions,
  OutboundError,
} from "../../../functions/_shared/outbound.ts";
import { basicAuthorization, parseNoProxy } from "../../../functions/_shared/outbound_proxy.ts";
import { authority, receiver } from "./outbound_tls.ts";
import { startProxy } from "./tiny_proxy.ts";
import { eventually } from "../../support/eventually.ts";

const authorization = basicAuthorization("gatehouse:hunter2");
const names: Record<string, string[]> = { "inside.test": ["10.0.0.7"] };

function doorVia(proxyPort: number, noProxy = "", more: Partial<DoorOptions> = {}): Door {
  const proxy = { hostname: "127.0.0.1", port: proxyPort, authorization };
  return createDoor({
    embedded: true,
    allowed: [parseNetwork("127.0.0.0/8")],
    ca: authority,
    resolve: (name) => {
      const found = names[name];
      return found ? Promise.resolve(found) : Promise.reject(new Error(`asked for ${name}`));
    },
    proxies: { https: proxy, http: proxy, except: parseNoProxy(noProxy) },
    ...more,
  });
}

async function failure(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    if (!(error instanceof OutboundError)) throw error;
    assert.ok(!`${error.message} ${error.cause}`.includes("hunter2"));
    return error.errorClass;
  }
  return "sent";
}

interface Seen {
  headers: Record<string, string>;
  body: string;
}

async function withTarget(
  tls: boolean,
  run: (port: number, seen: Seen[]) => Promise<void>,
) {
  const seen: Seen[] = [];
  const server = Deno.serve(
    {
      ...(tls ? receiver : {}),
      port: 0,
      hostname: "127.0.0.1",
      onListen() {},
    } as Deno.ServeTcpOptions,
    async (request) => {
      seen.push({ headers: Object.fromEntries(request.headers), body: await request.text() });
      return new Response("ok");
    },
  );
  try {
    await run(server.addr.port, seen);
  } finally {
    await server.shutdown();
  }
}

const assertNoProxyHeader = (headers: Record<string, string>) =>
  assert.deepEqual(Object.keys(headers).filter((name) => name.startsWith("proxy")), []);

Deno.test("https goes through one tunnel, kept for the next call; the target sees no credentials", async () => {
  await using proxy = startProxy();
  const door = doorVia(proxy.port);
  await withTarget(true, async (port, seen) => {
    const url = `https://receiver.test:${port}/a?b=c`;
    for (const body of ["one", "two", "three"]) {
      const answer = await door.send({ url, body });
      assert.deepEqual([answer.status, new TextDecoder().decode(answer.body)], [200, "ok"]);
    }
    assert.equal(proxy.heads.length, 1);
    assert.equal(
      proxy.heads[0],
      `CONNECT receiver.test:${port} HTTP/1.1\r\nHost: receiver.test:${port}\r\nProxy-Authorization: ${authorization}\r\n\r\n`,
    );
    assert.deepEqual(seen.map(({ body }) => body), ["one", "two", "three"]);
    for (const { headers } of seen) {
      assertNoProxyHeader(headers);
      assert.equal(headers.host, `receiver.test:${port}`);
    }
    door.close();
  });
});

Deno.test("http is asked for in absolute form, for a strict proxy tunnels to ports of TLS only", async () => {
  await using proxy = startProxy();
  const door = doorVia(proxy.port);
  await withTarget(false, async (port, seen) => {
    const answer = await door.send({ url: `http://receiver.test:${port}/a`, body: "x" });
    assert.equal(answer.status, 200);
    assert.match(proxy.heads[0]!, new RegExp(`^POST http://receiver.test:${port}/a HTTP/1.1\r\n`));
    assert.match(proxy.heads[0]!, new RegExp(`^host: receiver.test:${port}\r$`, "m"));
    assert.ok(proxy.heads[0]!.includes(`proxy-authorization: ${authorization}\r\n`));
    assertNoProxyHeader(seen[0]!.headers);
    door.close();
  });
});

Deno.test("a raw connection goes through a tunnel, in the clear and with TLS", async () => {
  await using proxy = startProxy();
  const door = doorVia(proxy.port);
  for (const tls of [undefined, {}]) {
    const listener = tls
      ? Deno.listenTls({ hostname: "127.0.0.1", port: 0, ...receiver })
      : Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const arrived = (async () => {
      const connection = await listener.accept();
      // It speaks first: not a byte of that may be taken for the proxy's.
      await connection.write(new TextEncoder().encode("hello"));
      const buffer = new Uint8Array(100);
      const n = await connection.read(buffer);
      connection.close();
      return new TextDecoder().decode(buffer.subarray(0, n ?? 0));
    })();
    const { port } = listener.addr as Deno.NetAddr;
    const connection = await door.connect({ host: "receiver.test", port, tls });
    await connection.write(new TextEncoder().encode("<110>1 message"));
    const buffer = new Uint8Array(100);
    const n = await connection.read(buffer);
    assert.equal(new TextDecoder().decode(buffer.subarray(0, n!)), "hello");
    assert.equal(await arrived, "<110>1 message");
    connection.close();
    listener.close();
  }
  assert.equal(proxy.heads.length, 2);
});

const hostile: [string, string, string][] = [
  ["no right", "HTTP/1.1 403 Forbidden\r\n\r\n", "proxy_refused"],
  ["a page with the refusal", "HTTP/1.1 403 No\r\ncontent-length: 3\r\n\r\nNo!", "proxy_refused"],
  [
    "other credentials wanted",
    "HTTP/1.1 407 Auth\r\nproxy-authenticate: Basic realm=x\r\n\r\n",
    "proxy_refused",
  ],
  ["a redirect", "HTTP/1.1 302 Go\r\nlocation: http://127.0.0.2/\r\n\r\n", "proxy_refused"],
  ["not allowed", "HTTP/1.0 405 No\r\n\r\n", "proxy_refused"],
  ["the target is away", "HTTP/1.1 503 Unavailable\r\n\r\n", "connect_failed"],
  ["the target is slow", "HTTP/1.1 504 Timeout\r\n\r\n", "connect_failed"],
  ["another protocol", "SSH-2.0-OpenSSH\r\n\r\n", "proxy_unreachable"],
  ["TLS", "\x15\x03\x01\x00\x02\x02", "proxy_unreachable"],
  ["a status of two digits", "HTTP/1.1 20 OK\r\n\r\n", "proxy_unreachable"],
  ["a status of a thousand", "HTTP/1.1 2000 OK\r\n\r\n", "proxy_unreachable"],
  ["to be continued", "HTTP/1.1 100 Continue\r\n\r\n", "proxy_unreachable"],
  ["HTTP/2", "HTTP/2 200\r\n\r\n", "proxy_unreachable"],
  [
    "headers without end",
    "HTTP/1.1 200 OK\r\n" + `a: ${"b".repeat(98)}\r\n`.repeat(200),
    "proxy_unreachable",
  ],
];

for (const [what, bytes, errorClass] of hostile) {
  Deno.test(`a proxy that answers CONNECT with ${what}: ${errorClass}`, async () => {
    await using proxy = startProxy(() => bytes);
    const door = doorVia(proxy.port);
    const sent = door.send({ url: "https://receiver.test/", body: "{}", timeoutMs: 5_000 });
    assert.equal(await failure(sent), errorClass);
    const raw = door.connect({ host: "receiver.test", port: 6514, tls: {}, timeoutMs: 5_000 });
    assert.equal(await failure(raw), errorClass);
    assert.equal(proxy.heads.length, 2, "refused once, asked once");
    await eventually("nothing stays open", () => proxy.open() === 0);
  });
}

Deno.test("what a proxy adds after its 200 is not taken for the target", async () => {
  const evil = "HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi";
  await using proxy = startProxy(() => evil);
  const door = doorVia(proxy.port);
  const sent = door.send({ url: "https://receiver.test/", body: "{}", timeoutMs: 5_000 });
  assert.equal(await failure(sent), "proxy_unreachable");
  const raw = door.connect({ host: "receiver.test", port: 6514, tls: {}, timeoutMs: 5_000 });
  assert.equal(await failure(raw), "tls_failed");
});

Deno.test("a proxy that answers 407 to a request in absolute form: proxy_refused", async () => {
  await using proxy = startProxy(() => "HTTP/1.1 407 Auth\r\ncontent-length: 0\r\n\r\n");
  const door = doorVia(proxy.port);
  assert.equal(await failure(door.send({ url: "http://receiver.test/" })), "proxy_refused");
  door.close();
});

Deno.test("no proxy where one should be: proxy_unreachable, and nothing is called directly", async () => {
  const closed = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  closed.close();
  const door = doorVia(closed.addr.port);
  assert.equal(await failure(door.send({ url: "https://receiver.test/" })), "proxy_unreachable");
  assert.equal(await failure(door.send({ url: "http://receiver.test/" })), "proxy_unreachable");
  const raw = door.connect({ host: "receiver.test", port: 6514, tls: {} });
  assert.equal(await failure(raw), "proxy_unreachable");
});

Deno.test("a proxy that hangs up: proxy_unreachable", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const hangingUp = (async () => {
    for await (const connection of listener) {
      await connection.read(new Uint8Array(1024));
      connection.close();
    }
  })();
  const door = doorVia(listener.addr.port);
  assert.equal(await failure(door.send({ url: "https://receiver.test/" })), "proxy_unreachable");
  const raw = door.connect({ host: "receiver.test", port: 6514, tls: {} });
  assert.equal(await failure(raw), "proxy_unreachable");
  listener.close();
  await hangingUp;
});

Deno.test("the time limit covers the tunnel, and ends it", async () => {
  await using silent = startProxy(() => null);
  const door = doorVia(silent.port);
  const url = "https://receiver.test/";
  assert.equal(await failure(door.send({ url, timeoutMs: 80 })), "timeout");
  const raw = door.connect({ host: "receiver.test", port: 6514, tls: {}, timeoutMs: 80 });
  assert.equal(await failure(raw), "timeout");
  await eventually("nothing stays open", () => silent.open() === 0);
  // The tunnel stands and the handshake hangs.
  await using dumb = startProxy(() => "HTTP/1.1 200 OK\r\n\r\n");
  assert.equal(await failure(doorVia(dumb.port).send({ url, timeoutMs: 80 })), "timeout");
  await eventually("nothing stays open", () => dumb.open() === 0);
});

Deno.test("TLS is with the target: its certificate is judged by its own name", async () => {
  await using proxy = startProxy();
  await withTarget(true, async (port) => {
    const trusting = doorVia(proxy.port);
    const other = trusting.send({ url: `https://other.test:${port}/` });
    assert.equal(await failure(other), "tls_failed");
    const doubting = doorVia(proxy.port, "", { ca: undefined });
    const unknown = doubting.send({ url: `https://receiver.test:${port}/` });
    assert.equal(await failure(unknown), "tls_failed");
  });
});

Deno.test("a kept tunnel that the target closed is not a failure", async () => {
  await using proxy = startProxy();
  const door = doorVia(proxy.port);
  const listener = Deno.listenTls({ hostname: "127.0.0.1", port: 0, ...receiver });
  const serving = (async () => {
    for await (const connection of listener) {
      const buffer = new Uint8Array(4096);
      await connection.read(buffer);
      const answer = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
      await connection.write(new TextEncoder().encode(answer));
      connection.read(buffer).catch(() => {}).finally(() => connection.close());
    }
  })();
  const { port } = listener.addr as Deno.NetAddr;
  for (let i = 0; i < 3; i++) {
    assert.equal((await door.send({ url: `https://receiver.test:${port}/` })).status, 200);
  }
  door.close();
  listener.close();
  await serving;
});

Deno.test("a literal address is asked for as it is written in an authority", async () => {
  await using proxy = startProxy(() => "HTTP/1.1 503 Unavailable\r\n\r\n");
  const door = doorVia(proxy.port, "", {
    embedded: false,
    allowed: [parseNetwork("fd00::/8"), parseNetwork("10.0.0.0/8")],
  });
  for (const authority of ["[fd00::1]:8443", "10.0.0.7:8443"]) {
    assert.equal(await failure(door.send({ url: `https://${authority}/` })), "connect_failed");
    assert.ok(proxy.heads.at(-1)!.startsWith(`CONNECT ${authority} HTTP/1.1\r\n`));
  }
  const raw = door.connect({ host: "fd00::1", port: 601 }); // in the clear: allowed, and known
  assert.equal(await failure(raw), "connect_failed");
  assert.ok(proxy.heads.at(-1)!.startsWith("CONNECT [fd00::1]:601 "));
});

Deno.test("NO_PROXY is direct mode: looked up, judged, and no word to the proxy", async () => {
  await using proxy = startProxy();
  const door = doorVia(proxy.port, "inside.test");
  assert.equal(await failure(door.send({ url: "https://inside.test/" })), "address_refused");
  assert.equal(proxy.heads.length, 0);
});

Deno.test("the rules for names and literal addresses stay ours behind a proxy", async () => {
  await using proxy = startProxy();
  const standard = doorVia(proxy.port, "", { embedded: false, allowed: [] });
  const refused: [string, string][] = [
    ["https://127.0.0.1/", "address_refused"],
    ["https://2130706433/", "address_refused"],
    ["https://[::ffff:127.0.0.1]/", "address_refused"],
    ["https://[64:ff9b::a9fe:a9fe]/", "address_refused"],
    ["https://169.254.169.254/latest/", "address_refused"],
    ["https://10.0.0.7/", "address_refused"],
    ["https://[fd00::1]/", "address_refused"],
    ["https://localhost/", "address_refused"],
    ["https://a.localhost./", "address_refused"],
    ["https://localhost.localdomain/", "address_refused"],
    ["https://ip6-localhost/", "address_refused"],
    ["https://ip6-loopback/", "address_refused"],
    ["https://metadata.google.internal/computeMetadata/v1/", "address_refused"],
    ["https://METADATA.google.internal./", "address_refused"],
    ["https://metadata/", "address_refused"],
    ["https://instance-data/latest/", "address_refused"],
    ["https://user:pw@receiver.test/", "url_refused"],
    ["https://receiver.test:22/", "url_refused"],
    ["https://receiver.test:25/", "url_refused"],
    ["http://receiver.test/", "url_refused"],
    ["https://receiver.test/#x", "url_refused"],
  ];
  for (const [url, errorClass] of refused) {
    assert.equal(await failure(standard.send({ url })), errorClass, url);
    assert.throws(() => standard.checkUrl(url), OutboundError, url);
  }
  const rawRefused: [string, number, object | undefined, string][] = [
    ["127.0.0.1", 601, {}, "address_refused"],
    ["metadata.google.internal", 601, {}, "address_refused"],
    ["receiver.test", 22, {}, "url_refused"],
    ["receiver.test\r\nevil: 1", 601, {}, "url_refused"],
    ["receiver.test", 601, undefined, "url_refused"], // in the clear to who knows where
    ["93.184.215.14", 601, undefined, "url_refused"],
  ];
  for (const [host, port, tls, errorClass] of rawRefused) {
    assert.equal(await failure(standard.connect({ host, port, tls })), errorClass, host);
  }
  assert.equal(proxy.heads.length, 0);
});

Deno.test("no caller speaks to the proxy in our place", async () => {
  await using proxy = startProxy();
  const door = doorVia(proxy.port);
  for (const name of ["Proxy-Authorization", "proxy-connection"]) {
    const sent = door.send({ url: "https://receiver.test/", headers: { [name]: "x" } });
    await assert.rejects(sent, TypeError);
  }
  assert.equal(proxy.heads.length, 0);
});
