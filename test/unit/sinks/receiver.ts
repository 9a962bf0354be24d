// A syslog receiver on loopback: over TCP, or over TLS with the tests' own authority. Closes its side when it has read everything.
import { receiver as certificate } from "../_shared/outbound_tls.ts";
import { parseSyslog, type SyslogMessage, takeFrames } from "./parse_syslog.ts";

export interface SyslogReceiver extends AsyncDisposable {
  port: number;
  messages: SyslogMessage[];
  faults: unknown[];
}

export function receiveSyslog(
  { tls = false, closes = true }: { tls?: boolean; closes?: boolean } = {},
): SyslogReceiver {
  const where = { hostname: "127.0.0.1", port: 0 };
  const listener = tls ? Deno.listenTls({ ...where, ...certificate }) : Deno.listen(where);
  const messages: SyslogMessage[] = [];
  const faults: unknown[] = [];
  const open = new Set<Deno.Conn>();

  async function serve(connection: Deno.Conn): Promise<void> {
    open.add(connection);
    let waiting = new Uint8Array();
    const buffer = new Uint8Array(65_536);
    try {
      for (let read; (read = await connection.read(buffer)) !== null;) {
        waiting = Uint8Array.of(...waiting, ...buffer.subarray(0, read));
        const { frames, rest } = takeFrames(waiting);
        messages.push(...frames.map(parseSyslog));
        waiting = rest.slice();
      }
      if (waiting.byteLength > 0) throw new SyntaxError("half a frame");
    } catch (error) {
      faults.push(error);
    }
    if (closes) close(connection);
  }
  function close(connection: Deno.Conn): void {
    open.delete(connection);
    try {
      connection.close();
    } catch {
      // gone already
    }
  }
  const serving = (async () => {
    for (;;) {
      try {
        serve(await listener.accept());
      } catch (error) {
        if (error instanceof Deno.errors.BadResource) return; // it was closed
        faults.push(error); // a handshake that failed
      }
    }
  })();
  return {
    port: (listener.addr as Deno.NetAddr).port,
    messages,
    faults,
    async [Symbol.asyncDispose]() {
      listener.close();
      await serving;
      [...open].forEach(close);
    },
  };
}
