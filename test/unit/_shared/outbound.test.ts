// The door at work. What it refuses: outbound_hostile.test.ts.
import assert from "node:assert/strict";
import { parseNetwork } from "../../../functions/_shared/addresses.ts";
import { createDoor, type Door, OutboundError } from "../../../functions/_shared/outbound.ts";
import { authority, receiver } from "./outbound_tls.ts";

const names: Record<string, string[]> = { "receiver.test": ["127.0.0.1"] };
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

Deno.test("for many calls to one address its name is looked up once, and anew after a failure", async () => {
  await withReceiver(ok, async (port) => {
    lookups = 0;
    const target = embedded.target(`http://receiver.test:${port}/`);
    await Promise.all(Array.from({ length: 5 }, () => target.send({ body: "x" })));
    assert.equal((await target.send({ body: "x" })).status, 200);
    assert.equal(lookups, 1);
  });
  // Nobody listens any more.
  const closed = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  closed.close();
  const gone = embedded.target(`http://receiver.test:${closed.addr.port}/`);
  lookups = 0;
  for (const nth of [1, 2]) {
    await assert.rejects(gone.send({ body: "x" }), { errorClass: "connect_failed" });
    assert.equal(lookups, nth);
  }
  const refused = embedded.target("ftp://receiver.test/");
  await assert.rejects(refused.send({ body: "x" }), { errorClass: "url_refused" });
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
