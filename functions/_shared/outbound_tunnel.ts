/**
 * A tunnel through a forward proxy (RFC 9110, 9.3.6): CONNECT, the proxy's credentials with it and with nothing else, and from its
 * 2xx on the bytes are the target's. Once for node:https, whose agents keep tunnels, and once for raw connections.
 */
import https from "node:https";
import net from "node:net";
import tls from "node:tls";
import { parseAddress } from "./addresses.ts";
import { OutboundError } from "./outbound_error.ts";
import type { ForwardProxy } from "./outbound_proxy.ts";

export interface Tunnel {
  proxy: ForwardProxy;
  hostname: string;
  port: number;
  deadline: AbortSignal;
}

/** A proxy that says more than this before it answers has no answer. */
const maxHeadBytes = 16_384;

function connectMessage({ proxy, hostname, port }: Tunnel): Uint8Array<ArrayBuffer> {
  const authority = `${parseAddress(hostname)?.length === 16 ? `[${hostname}]` : hostname}:${port}`;
  const lines = [`CONNECT ${authority} HTTP/1.1`, `Host: ${authority}`];
  if (proxy.authorization) lines.push(`Proxy-Authorization: ${proxy.authorization}`);
  return new TextEncoder().encode(lines.join("\r\n") + "\r\n\r\n");
}

/** False until the head is whole. @throws {OutboundError} proxy_refused, proxy_unreachable, connect_failed */
function answered(head: string): boolean {
  if (!"HTTP/1.".startsWith(head.slice(0, 7))) throw noProxy("What answers is no HTTP proxy");
  const end = head.indexOf("\r\n\r\n");
  if (end < 0) {
    if (head.length >= maxHeadBytes) throw noProxy("The proxy's answer has no end");
    return false;
  }
  const status = Number(/^HTTP\/1\.[01] ([2-5]\d\d)[ \r]/.exec(head)?.[1]);
  if (Number.isNaN(status)) throw noProxy("The proxy's answer is not HTTP");
  if (status >= 500) {
    throw new OutboundError("connect_failed", `The proxy cannot connect (${status})`);
  }
  if (status >= 300) throw refusedByProxy(status);
  if (end + 4 < head.length) throw noProxy("The proxy speaks where the target should");
  return true;
}

export function refusedByProxy(status: number): OutboundError {
  const why = status === 407 ? "The proxy wants other credentials" : "The proxy refuses";
  return new OutboundError("proxy_refused", `${why} (${status})`);
}

const noProxy = (why: string, cause?: unknown) =>
  new OutboundError("proxy_unreachable", why, { cause });

const late = () => new OutboundError("timeout", "There was no connection in time");

type Done = Parameters<https.Agent["createConnection"]>[1];

/** TLS connections through tunnels; a `Tunnel` is given with each request, as `tunnel`. */
export class TunnelAgent extends https.Agent {
  override createConnection(options: https.RequestOptions & { tunnel?: Tunnel }, done: Done) {
    const { tunnel, ...rest } = options;
    const secure = secureTunnel(tunnel!, rest as tls.ConnectionOptions);
    secure.then((socket) => done!(null, socket), (error) => done!(error, undefined!));
    return undefined;
  }
}

async function secureTunnel(
  tunnel: Tunnel,
  options: tls.ConnectionOptions,
): Promise<tls.TLSSocket> {
  const { deadline } = tunnel;
  const plain = net.connect({ host: tunnel.proxy.hostname, port: tunnel.proxy.port });
  const close = () => plain.destroy(late());
  deadline.addEventListener("abort", close, { once: true });
  try {
    if (deadline.aborted) throw late();
    await dial(plain, tunnel);
    return await new Promise<tls.TLSSocket>((resolve, reject) => {
      const secure = tls.connect({ ...options, host: tunnel.hostname, socket: plain });
      secure.once("error", reject).once("secureConnect", () => {
        secure.off("error", reject);
        resolve(secure);
      });
      plain.once("close", () => reject(new Error("TLS handshake: the connection was closed")));
    });
  } catch (error) {
    plain.destroy();
    throw deadline.aborted ? late() : error;
  } finally {
    deadline.removeEventListener("abort", close);
  }
}

function dial(plain: net.Socket, tunnel: Tunnel): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let head = "";
  const read = (chunk: Uint8Array) => {
    head += new TextDecoder("latin1").decode(chunk);
    try {
      if (answered(head)) resolve();
    } catch (error) {
      reject(error);
    }
  };
  const lost = (cause?: unknown) => reject(noProxy("The proxy cannot be reached", cause));
  plain.on("data", read).once("error", lost).once("close", lost);
  plain.once("connect", () => plain.write(connectMessage(tunnel)));
  return promise.finally(() => {
    plain.off("data", read).off("close", lost).off("error", lost);
    plain.on("error", () => {}); // whoever uses it hears of it there
  });
}

/** The caller closes it. @throws {OutboundError} */
export async function openTunnel(tunnel: Tunnel): Promise<Deno.TcpConn> {
  const { proxy, deadline } = tunnel;
  const connection = await Deno.connect({ ...proxy, signal: deadline }).catch((cause) => {
    throw deadline.aborted ? late() : noProxy("The proxy cannot be reached", cause);
  });
  const close = () => connection.close();
  deadline.addEventListener("abort", close, { once: true });
  try {
    const message = connectMessage(tunnel);
    for (let at = 0; at < message.length;) at += await connection.write(message.subarray(at));
    // A byte at a time: what comes after the head is the target's.
    const byte = new Uint8Array(1);
    for (let head = ""; !answered(head);) {
      if (await connection.read(byte) === null) throw noProxy("The proxy closed the connection");
      head += String.fromCharCode(byte[0]!);
    }
    return connection;
  } catch (cause) {
    if (deadline.aborted) throw late();
    close();
    throw cause instanceof OutboundError ? cause : noProxy("The proxy cannot be reached", cause);
  } finally {
    deadline.removeEventListener("abort", close);
  }
}
