import assert from "node:assert/strict";
import { parseNetwork } from "../../../functions/_shared/addresses.ts";
import { createDoor, type Door, OutboundError } from "../../../functions/_shared/outbound.ts";
import { authority, receiver } from "./outbound_tls.ts";

const names: Record<string, string[]> = {
  "receiver.test": ["127.0.0.1"],
  "public.test": ["93.184.215.14"],
  "private.test": ["10.0.0.7"],
  "rebind.test": ["93.184.215.14", "127.0.0.1"],
  "metadata.google.internal": ["169.254.169.254"],
  "mapped.test": ["::ffff:127.0.0.1"],
  "nat64.test": ["64:ff9b::7f00:1"],
  "6to4.test": ["2002:7f00:1::"],
  "zone.test": ["fe80::1%eth0"],
  "empty.test": [],
};
let lookups = 0;
const resolve = (name: string) => {
  lookups++;
  const found = names[name];
  return found ? Promise.resolve(found) : Promise.reject(new Error("ENOTFOUND"));
};
const standard = createDoor({ embedded: false, allowed: [parseNetwork("10.8.0.0/16")], resolve });
const embedded = createDoor({ embedded: true, allowed: [parseNetwork("127.0.0.0/8")], resolve });

async function failure(door: Door, url: string, more = {}): Promise<string> {
  try {
    await door.send({ url, body: "{}", ...more });
  } catch (error) {
    if (error instanceof OutboundError) return error.errorClass;
    throw error;
  }
  return "sent";
}

const hostile: [string, string][] = [
  // addresses of this machine, in every spelling
  ["https://127.0.0.1/", "address_refused"],
  ["https://127.1/", "address_refused"],
  ["https://127.0.1/", "address_refused"],
  ["https://2130706433/", "address_refused"],
  ["https://0x7f000001/", "address_refused"],
  ["https://0x7f.0.0.1/", "address_refused"],
  ["https://0177.0.0.1/", "address_refused"],
  ["https://017700000001/", "address_refused"],
  ["https://127.0.0.1./", "address_refused"],
  ["https://①②⑦.⓪.⓪.①/", "address_refused"],
  ["https://127%2e0%2e0%2e1/", "address_refused"],
  ["https://localhost/", "address_refused"],
  ["https://LOCALHOST./", "address_refused"],
  ["https://anything.localhost/", "address_refused"],
  ["https://[::1]/", "address_refused"],
  ["https://[0:0:0:0:0:0:0:1]/", "address_refused"],
  ["https://[::]/", "address_refused"],
  ["https://0.0.0.0/", "address_refused"],
  ["https://0/", "address_refused"],
  ["https://[::ffff:127.0.0.1]/", "address_refused"],
  ["https://[::ffff:7f00:1]/", "address_refused"],
  ["https://[::127.0.0.1]/", "address_refused"],
  ["https://[64:ff9b::127.0.0.1]/", "address_refused"],
  ["https://[2002:7f00:1::]/", "address_refused"],
  // the link, metadata, and networks nobody allowed
  ["https://169.254.169.254/latest/meta-data/", "address_refused"],
  ["https://[fe80::1]/", "address_refused"],
  ["https://[fd00:ec2::254]/", "address_refused"],
  ["https://100.100.100.200/", "address_refused"],
  ["https://168.63.129.16/", "address_refused"],
  ["https://10.0.0.1/", "address_refused"],
  ["https://192.168.0.1/", "address_refused"],
  ["https://[fc00::1]/", "address_refused"],
  ["https://224.0.0.1/", "address_refused"],
  ["https://255.255.255.255/", "address_refused"],
  // names that lead there
  ["https://private.test/", "address_refused"],
  ["https://rebind.test/", "address_refused"],
  ["https://metadata.google.internal/", "address_refused"],
  ["https://mapped.test/", "address_refused"],
  ["https://nat64.test/", "address_refused"],
  ["https://6to4.test/", "address_refused"],
  ["https://zone.test/", "address_refused"],
  ["https://public.test@127.0.0.1/", "url_refused"],
  // what is no address of a receiver
  ["http://public.test/", "url_refused"],
  ["https://user@public.test/", "url_refused"],
  ["https://user:password@public.test/", "url_refused"],
  ["https://:@public.test:22/", "url_refused"],
  ["https://public.test:22/", "url_refused"],
  ["https://public.test:25/", "url_refused"],
  ["https://public.test:0/", "url_refused"],
  ["https://public.test:6667/", "url_refused"],
  ["https://public.test:65536/", "url_refused"],
  ["https://public.test/#fragment", "url_refused"],
  ["https://", "url_refused"],
  ["https://[fe80::1%25eth0]/", "url_refused"],
  ["https://256.256.256.256/", "url_refused"],
  ["https://exa mple.test/", "url_refused"],
  ["//public.test/", "url_refused"],
  ["public.test", "url_refused"],
  ["ftp://public.test/", "url_refused"],
  ["file:///etc/passwd", "url_refused"],
  ["gopher://public.test/", "url_refused"],
  ["javascript:alert(1)", "url_refused"],
  ["data:text/plain,x", "url_refused"],
  ["https://public.test/" + "a".repeat(2048), "url_refused"],
  ["https://unknown.test/", "dns_failed"],
  ["https://empty.test/", "dns_failed"],
];

for (const [url, errorClass] of hostile) {
  Deno.test(`the door refuses ${url.slice(0, 60)}: ${errorClass}`, async () => {
    assert.equal(await failure(standard, url), errorClass);
  });
}

Deno.test("a refusal does not repeat credentials that the address held", () => {
  assert.throws(() => standard.checkUrl("https://user:hunter2@public.test/"), (error: Error) => {
    assert.ok(!error.message.includes("hunter2"));
    return true;
  });
});

Deno.test("the rules that need no look-up pass what a receiver may be", () => {
  for (
    const url of [
      "https://public.test/hook?x=1",
      "https://hooks.example.com:8443/a",
      "https://10.8.1.2/",
      "https://[::ffff:10.8.1.2]/",
      "https://bücher.example/",
      "https://intranet/",
    ]
  ) assert.doesNotThrow(() => standard.checkUrl(url), url);
});

interface Seen {
  host: string | null;
  body: string;
  peer: number;
}

/** A receiver on loopback; `seen` is what reached it. */
async function withReceiver(
  answer: (request: Request) => Response | Promise<Response>,
  run: (port: number, seen: Seen[]) => Promise<void>,
  tls: { cert?: string; key?: string } = {},
) {
  const seen: Seen[] = [];
  const server = Deno.serve(
    { ...tls, port: 0, hostname: "127.0.0.1", onListen: () => {} } as Deno.ServeTcpOptions,
    async (request, info) => {
      const { port } = info.remoteAddr as Deno.NetAddr;
      seen.push({ host: request.headers.get("host"), body: await request.text(), peer: port });
      return await answer(request);
    },
  );
  try {
    await run(server.addr.port, seen);
  } finally {
    embedded.close();
    await server.shutdown();
  }
}

const ok = () => new Response("ok", { headers: { "x-answer": "yes" } });

Deno.test("the request goes to the judged address under the receiver's name, looked up once", async () => {
  await withReceiver(ok, async (port, seen) => {
    lookups = 0;
    const answer = await embedded.send({ url: `http://receiver.test:${port}/a`, body: "héllo" });
    assert.equal(answer.status, 200);
    assert.equal(answer.headers["x-answer"], "yes");
    assert.equal(new TextDecoder().decode(answer.body), "ok");
    assert.equal(answer.truncated, false);
    assert.deepEqual(seen.map(({ host, body }) => [host, body]), [[
      `receiver.test:${port}`,
      "héllo",
    ]]);
    assert.equal(lookups, 1);
  });
});

Deno.test("connections are kept for the next request", async () => {
  await withReceiver(ok, async (port, seen) => {
    for (let i = 0; i < 3; i++) {
      await embedded.send({ url: `http://127.0.0.1:${port}/`, body: "x" });
    }
    assert.equal(new Set(seen.map(({ peer }) => peer)).size, 1);
  });
});

Deno.test("a kept connection that the receiver closed is not a failure", async () => {
  const listener = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  const serving = (async () => {
    for await (const connection of listener) {
      const buffer = new Uint8Array(4096);
      await connection.read(buffer);
      await connection.write(
        new TextEncoder().encode("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"),
      );
      connection.read(buffer).catch(() => {}).finally(() => connection.close());
    }
  })();
  const url = `http://127.0.0.1:${listener.addr.port}/`;
  for (let i = 0; i < 3; i++) {
    assert.equal((await embedded.send({ url, body: "x" })).status, 200);
  }
  embedded.close();
  listener.close();
  await serving;
});

Deno.test("a redirect is an answer, not a way", async () => {
  const toSecret = () => Response.redirect("http://127.0.0.1:1/secret", 307);
  await withReceiver(toSecret, async (port, seen) => {
    const answer = await embedded.send({ url: `http://127.0.0.1:${port}/`, body: "x" });
    assert.equal(answer.status, 307);
    assert.equal(seen.length, 1);
  });
});

Deno.test("no more than the limit is read of an answer without end", async () => {
  const endless = () =>
    new Response(new ReadableStream({ pull: (c) => c.enqueue(new Uint8Array(10_000)) }));
  await withReceiver(endless, async (port) => {
    const url = `http://127.0.0.1:${port}/`;
    const answer = await embedded.send({ url, body: "x" });
    assert.equal(answer.body.byteLength, 65_536);
    assert.equal(answer.truncated, true);
    assert.equal((await embedded.send({ url, maxBytes: 10 })).body.byteLength, 10);
  });
});

Deno.test("the time limit covers the whole: a name, a silent receiver, a slow answer", async () => {
  const never = createDoor({
    embedded: true,
    allowed: [parseNetwork("127.0.0.0/8")],
    resolve: () => new Promise(() => {}),
  });
  assert.equal(await failure(never, "http://receiver.test:8080/", { timeoutMs: 50 }), "timeout");
  let release = () => {};
  const silent = () => new Promise<Response>((resolve) => release = () => resolve(new Response()));
  await withReceiver(silent, async (port) => {
    assert.equal(
      await failure(embedded, `http://127.0.0.1:${port}/`, { timeoutMs: 80 }),
      "timeout",
    );
    release();
  });
  const drip = () =>
    new Response(
      new ReadableStream({
        async pull(c) {
          await new Promise((resolve) => setTimeout(resolve, 20));
          c.enqueue(new Uint8Array(1));
        },
      }),
    );
  await withReceiver(drip, async (port) => {
    assert.equal(
      await failure(embedded, `http://127.0.0.1:${port}/`, { timeoutMs: 120 }),
      "timeout",
    );
  });
});

Deno.test("each way to fail has its class", async () => {
  const raw = async (bytes: string) => {
    const listener = Deno.listen({ port: 0, hostname: "127.0.0.1" });
    const serving = (async () => {
      const connection = await listener.accept();
      await connection.read(new Uint8Array(4096));
      if (bytes) await connection.write(new TextEncoder().encode(bytes));
      connection.close();
    })();
    const result = await failure(embedded, `http://127.0.0.1:${listener.addr.port}/`);
    await serving;
    listener.close();
    return result;
  };
  assert.equal(await raw("SSH-2.0-OpenSSH\r\n\r\n"), "protocol_error");
  assert.equal(await raw(""), "connection_lost");
  assert.equal(await raw("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nshort"), "connection_lost");
  const closed = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  closed.close();
  assert.equal(await failure(embedded, `http://127.0.0.1:${closed.addr.port}/`), "connect_failed");
});

Deno.test("TLS: only a certificate of a trusted authority for that name", async () => {
  const trusting = createDoor({
    embedded: true,
    allowed: [parseNetwork("127.0.0.0/8")],
    ca: authority,
    resolve: () => Promise.resolve(["127.0.0.1"]),
  });
  await withReceiver(ok, async (port) => {
    const url = `https://receiver.test:${port}/`;
    assert.equal((await trusting.send({ url, body: "x" })).status, 200);
    assert.equal(await failure(embedded, url), "tls_failed");
    assert.equal(await failure(trusting, `https://other.test:${port}/`), "tls_failed");
    trusting.close();
  }, receiver);
});

Deno.test("headers that frame the request are the door's own, and none breaks out of its line", async () => {
  for (const name of ["Host", "content-length", "Transfer-Encoding", "connection"]) {
    await assert.rejects(
      embedded.send({ url: "http://127.0.0.1:8080/", headers: { [name]: "x" } }),
      TypeError,
    );
  }
  await assert.rejects(
    embedded.send({ url: "http://127.0.0.1:8080/", headers: { a: "b\r\nevil: 1" } }),
    TypeError,
  );
});
