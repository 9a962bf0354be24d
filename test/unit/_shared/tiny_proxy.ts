// A forward proxy that keeps what it was told and does as the test says. Every name leads to loopback: it is the proxy that resolves.
export interface TinyProxy extends AsyncDisposable {
  port: number;
  /** Each head as it came, up to its empty line. */
  heads: string[];
  /** Connections that are open now. */
  open(): number;
}

/** What is sent instead of a tunnel, byte for byte; undefined: it makes one. `null`: nothing, ever. */
export type Scripted = (head: string) => string | null | undefined;

export function startProxy(scripted: Scripted = () => undefined): TinyProxy {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const heads: string[] = [];
  const connections = new Set<Deno.Conn>();
  const work: Promise<void>[] = [];
  const keep = (connection: Deno.Conn) => {
    connections.add(connection);
    return connection;
  };

  async function serve(client: Deno.Conn) {
    const head = await readHead(client);
    if (head === "") return;
    heads.push(head);
    const bytes = scripted(head);
    if (bytes === null) return await pipe(client, undefined);
    if (bytes !== undefined) {
      await write(client, bytes);
      return await pipe(client, undefined).catch(() => {});
    }
    const [method, target] = head.split(" ", 2) as [string, string];
    const { port, pathname } = new URL(method === "CONNECT" ? `http://${target}` : target);
    const upstream = keep(await Deno.connect({ hostname: "127.0.0.1", port: Number(port) }));
    if (method === "CONNECT") await write(client, "HTTP/1.1 200 Connection established\r\n\r\n");
    else await write(upstream, originForm(head, pathname));
    await Promise.all([pipe(client, upstream), pipe(upstream, client)]);
  }

  /** Ends when either side does; then both are closed. */
  async function pipe(from: Deno.Conn, to: Deno.Conn | undefined) {
    const buffer = new Uint8Array(16_384);
    try {
      for (let n; (n = await from.read(buffer)) !== null;) {
        for (let at = 0; to && at < n;) at += await to.write(buffer.subarray(at, n));
      }
    } finally {
      close(from);
      if (to) close(to);
    }
  }

  function close(connection: Deno.Conn) {
    if (connections.delete(connection)) connection.close();
  }

  const accepting = (async () => {
    for await (const client of listener) {
      work.push(serve(keep(client)).catch(() => {}).finally(() => close(client)));
    }
  })();

  return {
    port: listener.addr.port,
    heads,
    open: () => connections.size,
    async [Symbol.asyncDispose]() {
      listener.close();
      await accepting;
      [...connections].forEach(close);
      await Promise.all(work);
    },
  };
}

/** As a proxy hands a request on: without what was meant for itself. */
function originForm(head: string, pathname: string): string {
  return head.replace(/^(\S+) \S+/, `$1 ${pathname}`).replace(/^proxy-[^\r]*\r\n/gim, "");
}

async function readHead(connection: Deno.Conn): Promise<string> {
  const byte = new Uint8Array(1);
  let head = "";
  while (!head.endsWith("\r\n\r\n")) {
    if (await connection.read(byte) === null) return "";
    head += String.fromCharCode(byte[0]!);
  }
  return head;
}

async function write(connection: Deno.Conn, text: string) {
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
}
