// What the door refuses: addresses in every disguise, names that lead somewhere else, answers that lie. The resolver is the test's own.
import assert from "node:assert/strict";
import { parseNetwork } from "../../../functions/_shared/addresses.ts";
import { createDoor, type Door, OutboundError } from "../../../functions/_shared/outbound.ts";

const names: Record<string, string[]> = {
  "public.test": ["93.184.215.14"],
  "private.test": ["10.0.0.7"],
  "xn--bcher-kva.test": ["10.0.0.7"],
  "rebind.test": ["93.184.215.14", "127.0.0.1"],
  "mixed6.test": ["93.184.215.14", "::1"],
  "last.test": ["93.184.215.14", "93.184.215.15", "93.184.215.16", "93.184.215.17", "10.0.0.7"],
  "metadata.google.internal": ["169.254.169.254"],
  "mapped.test": ["::ffff:127.0.0.1"],
  "nat64.test": ["64:ff9b::7f00:1"],
  "6to4.test": ["2002:7f00:1::"],
  "siit.test": ["::ffff:0:127.0.0.1"],
  "link.test": ["fe80::1"],
  "zone.test": ["fe80::1%eth0"],
  // what no resolver should answer
  "decimal.test": ["2130706433"],
  "octal.test": ["0177.0.0.1"],
  "short.test": ["127.1"],
  "name.test": ["localhost"],
  "empty.test": [],
};
const resolve = (name: string) => {
  const found = names[name];
  return found ? Promise.resolve(found) : Promise.reject(new Error("ENOTFOUND"));
};
const standard = createDoor({ embedded: false, allowed: [parseNetwork("10.8.0.0/16")], resolve });

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
  ["https://127.255.255.254/", "address_refused"],
  ["https://0x7f.1/", "address_refused"],
  ["https://0x7F.0X0.0x0.0x1/", "address_refused"],
  ["https://0177.1/", "address_refused"],
  ["https://127.000.000.001/", "address_refused"],
  ["https://１２７.０.０.１/", "address_refused"],
  ["https://127。0。0。1/", "address_refused"],
  ["https://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ/", "address_refused"],
  ["https://local\thost/", "address_refused"],
  ["https:/\\127.0.0.1/", "address_refused"],
  ["https:127.0.0.1", "address_refused"],
  ["https:\\\\127.0.0.1\\", "address_refused"],
  ["  https://127.0.0.1/\n", "address_refused"],
  ["https://[::ffff:0:127.0.0.1]/", "address_refused"],
  ["https://[0:0:0:0:0:ffff:7f00:0001]/", "address_refused"],
  ["https://[64:ff9b:1::7f00:1]/", "address_refused"],
  ["https://[64:ff9b::a9fe:a9fe]/", "address_refused"],
  ["https://[2001:0:4136:e378:8000:63bf:80ff:fffe]/", "address_refused"],
  ["https://[2001:db8::5efe:127.0.0.1]/", "address_refused"],
  ["https://[2a00:1450:4001::200:5efe:10.0.0.1]/", "address_refused"],
  // the link, metadata, and networks nobody allowed
  ["https://169.254.169.254/latest/meta-data/", "address_refused"],
  ["https://[fe80::1]/", "address_refused"],
  ["https://[fd00:ec2::254]/", "address_refused"],
  ["https://100.100.100.200/", "address_refused"],
  ["https://168.63.129.16/", "address_refused"],
  ["https://169.254.170.2/v2/credentials", "address_refused"],
  ["https://2852039166/latest/", "address_refused"],
  ["https://0xa9fea9fe/", "address_refused"],
  ["https://0251.0376.0251.0376/", "address_refused"],
  ["https://[::ffff:169.254.169.254]/", "address_refused"],
  ["https://[fd20:ce::254]/", "address_refused"],
  ["https://192.0.0.192/opc/v2/", "address_refused"],
  ["https://[febf::1]/", "address_refused"],
  ["https://[fec0::1]/", "address_refused"],
  ["https://[ff02::1]/", "address_refused"],
  ["https://[100::1]/", "address_refused"],
  ["https://[2001:db8::1]/", "address_refused"],
  ["https://[4000::1]/", "address_refused"],
  ["https://172.31.255.255/", "address_refused"],
  ["https://100.64.0.1/", "address_refused"],
  ["https://198.18.0.1/", "address_refused"],
  ["https://192.88.99.1/", "address_refused"],
  ["https://10.7.255.255/", "address_refused"], // beside the network that is allowed
  ["https://10.9.0.0/", "address_refused"],
  ["https://[::ffff:10.9.0.0]/", "address_refused"],
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
  ["https://siit.test/", "address_refused"],
  ["https://link.test/", "address_refused"],
  ["https://decimal.test/", "address_refused"],
  ["https://octal.test/", "address_refused"],
  ["https://short.test/", "address_refused"],
  ["https://name.test/", "address_refused"],
  ["https://mixed6.test/", "address_refused"],
  ["https://last.test/", "address_refused"],
  ["https://PRIVATE.TEST./", "address_refused"],
  ["https://ｐｒｉｖａｔｅ.test/", "address_refused"],
  ["https://bücher.test/", "address_refused"],
  ["https://xn--bcher-kva.test/", "address_refused"],
  // tricks with what stands before the host
  ["https://public.test@127.0.0.1/", "url_refused"],
  ["https://public.test:443@127.0.0.1/", "url_refused"],
  ["https://public.test%2f@127.0.0.1/", "url_refused"],
  ["https://127.0.0.1%40public.test@public.test/", "url_refused"],
  ["https://@public.test@public.test/", "url_refused"],
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
  ["https://public.test:1/", "url_refused"],
  ["https://public.test:1023/", "url_refused"],
  ["https://public.test:2049/", "url_refused"],
  ["https://public.test:6000/", "url_refused"],
  ["https://public.test:10080/", "url_refused"],
  ["https://public.test:-1/", "url_refused"],
  ["https://public.test:4a3/", "url_refused"],
  ["https://public.test:443:443/", "url_refused"],
  ["HTTP://PUBLIC.TEST/", "url_refused"],
  ["ws://public.test/", "url_refused"],
  ["wss://public.test/", "url_refused"],
  ["unix:/var/run/docker.sock", "url_refused"],
  ["blob:https://public.test/1", "url_refused"],
  ["https://[::1", "url_refused"],
  ["https://[::ffff:999.0.0.1]/", "url_refused"],
  ["https://[1.2.3.4]/", "url_refused"],
  ["https://0x100000000/", "url_refused"],
  ["https://1.2.3.4.5/", "url_refused"],
  ["https://127.0.0.08/", "url_refused"],
  ["https://pub\0lic.test/", "url_refused"],
  ["https://public%00.test/", "url_refused"],
  ["https://pub<lic.test/", "url_refused"],
  ["https://public.test%0d%0aevil:1/", "url_refused"],
  [`https://${"a.".repeat(130)}test/`, "url_refused"],
  ["", "url_refused"],
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
  Deno.test(`the door refuses ${JSON.stringify(url).slice(1, 60)}: ${errorClass}`, async () => {
    assert.equal(await failure(standard, url), errorClass);
  });
}

Deno.test("the standard profile lets no configuration open this machine, the link or metadata", async () => {
  const everything = createDoor({
    embedded: false,
    allowed: [parseNetwork("0.0.0.0/0"), parseNetwork("::/0")],
    resolve,
  });
  const local = [
    "127.0.0.1",
    "[::1]",
    "[::ffff:127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "169.254.169.254",
    "[fd00:ec2::254]",
    "100.100.100.200",
    "168.63.129.16",
    "[fe80::1]",
    "0.0.0.0",
    "[::]",
    "224.0.0.1",
    "[2002:7f00:1::]",
    "localhost",
  ];
  for (const host of local) {
    assert.equal(await failure(everything, `https://${host}/`), "address_refused", host);
  }
});

Deno.test("a raw connection is judged by the same rules", async () => {
  const refused: [string, number, string][] = [
    ["127.0.0.1", 601, "address_refused"],
    ["::1", 601, "address_refused"],
    ["::ffff:127.0.0.1", 601, "address_refused"],
    ["2130706433", 601, "address_refused"],
    ["0x7f.1", 601, "address_refused"],
    ["localhost", 601, "address_refused"],
    ["169.254.169.254", 601, "address_refused"],
    ["private.test", 601, "address_refused"],
    ["rebind.test", 601, "address_refused"],
    ["fe80::1%eth0", 601, "url_refused"],
    ["a@127.0.0.1", 601, "url_refused"],
    ["public.test/x", 601, "url_refused"],
    ["public.test", 22, "url_refused"],
    ["public.test", 443, "url_refused"],
    ["public.test", 6000, "url_refused"],
    ["unknown.test", 601, "dns_failed"],
  ];
  for (const [host, port, errorClass] of refused) {
    await assert.rejects(
      standard.connect({ host, port, tls: {} }),
      (error: OutboundError) => error.errorClass === errorClass,
      `${host}:${port}`,
    );
  }
});

/** A receiver that counts its connections; `answer` is what it writes, byte for byte. */
async function withRaw(
  address: string,
  answer: string,
  run: (port: number, reached: () => number) => Promise<void>,
) {
  const listener = Deno.listen({ port: 0, hostname: address });
  let reached = 0;
  const serving = (async () => {
    for await (const connection of listener) {
      reached++;
      await connection.read(new Uint8Array(4096));
      await connection.write(new TextEncoder().encode(answer)).catch(() => {});
      connection.close();
    }
  })();
  try {
    await run(listener.addr.port, () => reached);
  } finally {
    listener.close();
    await serving;
  }
}

const loopback = [parseNetwork("127.0.0.1/32")];
const answered = "HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n";

Deno.test("a name that changes between the look-up and the connection leads to what was judged", async () => {
  await withRaw("127.0.0.2", answered, async (port, reached) => {
    let lookups = 0;
    const flipping = createDoor({
      embedded: true,
      allowed: loopback,
      resolve: () => Promise.resolve([lookups++ === 0 ? "127.0.0.1" : "127.0.0.2"]),
    });
    const url = `http://flip.test:${port}/`;
    assert.equal(await failure(flipping, url), "connect_failed"); // nobody on 127.0.0.1
    assert.equal(lookups, 1);
    assert.equal(await failure(flipping, url), "address_refused"); // judged anew
    assert.equal(reached(), 0);
    flipping.close();
  });
});

Deno.test("one refused address among those that are allowed refuses them all, before anything is sent", async () => {
  await withRaw("127.0.0.1", answered, async (port, reached) => {
    for (const second of ["10.0.0.7", "::1", "127.0.0.2", "fe80::1%lo", "not an address"]) {
      const door = createDoor({
        embedded: true,
        allowed: loopback,
        resolve: () => Promise.resolve(["127.0.0.1", second]),
      });
      assert.equal(await failure(door, `http://two.test:${port}/`), "address_refused", second);
    }
    assert.equal(reached(), 0);
  });
});

const refusedRedirects = [301, 302, 303, 307, 308];
const places = ["http://127.0.0.2/", "//169.254.169.254/latest/", "file:///etc/passwd", "\\evil"];

Deno.test("no redirect is followed, whatever it names", async () => {
  for (const [n, status] of refusedRedirects.entries()) {
    const location = places[n % places.length];
    const redirect = `HTTP/1.1 ${status} Go\r\nlocation: ${location}\r\ncontent-length: 0\r\n` +
      `refresh: 0;url=${location}\r\nalt-svc: h2="127.0.0.2:443"\r\nconnection: close\r\n\r\n`;
    await withRaw("127.0.0.1", redirect, async (port, reached) => {
      const door = createDoor({ embedded: true, allowed: loopback, resolve });
      const answer = await door.send({ url: `http://127.0.0.1:${port}/`, body: "{}" });
      assert.equal(answer.status, status);
      assert.equal(reached(), 1);
      door.close();
    });
  }
});

const lies: [string, string, string][] = [
  ["no HTTP", "\x16\x03\x01\x02\x00", "protocol_error"],
  ["a status line of another protocol", "ICY 200 OK\r\n\r\n", "protocol_error"],
  [
    "two lengths",
    "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nxx",
    "protocol_error",
  ],
  ["a negative length", "HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n", "protocol_error"],
  [
    "a chunk of no size",
    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
    "protocol_error",
  ],
  [
    "headers without end",
    "HTTP/1.1 200 OK\r\n" + `a: ${"b".repeat(1000)}\r\n`.repeat(200),
    "protocol_error",
  ],
  ["a header of no name", "HTTP/1.1 200 OK\r\n: x\r\n\r\n", "protocol_error"],
  ["less than it says", "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nshort", "connection_lost"],
  ["nothing", "", "connection_lost"],
];

for (const [what, bytes, errorClass] of lies) {
  Deno.test(`an answer of ${what} is ${errorClass}`, async () => {
    await withRaw("127.0.0.1", bytes, async (port) => {
      const door = createDoor({ embedded: true, allowed: loopback, resolve });
      assert.equal(
        await failure(door, `http://127.0.0.1:${port}/`, { timeoutMs: 2_000 }),
        errorClass,
      );
      door.close();
    });
  });
}

Deno.test("a compressed answer is kept as it came: it cannot grow past the limit", async () => {
  const bomb = "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 4\r\n\r\nabcd";
  await withRaw("127.0.0.1", bomb, async (port) => {
    const door = createDoor({ embedded: true, allowed: loopback, resolve });
    const answer = await door.send({ url: `http://127.0.0.1:${port}/`, body: "{}" });
    assert.equal(new TextDecoder().decode(answer.body), "abcd");
    door.close();
  });
});
