// One request to one judged address, or through a proxy. outbound.ts decides which.
import http from "node:http";
import https from "node:https";
import type { LookupFunction } from "node:net";
import { OutboundError } from "./outbound_error.ts";
import type { OutboundResponse } from "./outbound.ts";
import type { ForwardProxy } from "./outbound_proxy.ts";
import { bareHost, portOf } from "./outbound_rules.ts";
import { refusedByProxy, TunnelAgent } from "./outbound_tunnel.ts";

export interface Attempt {
  url: URL;
  via: { address: string } | { proxy: ForwardProxy };
  method: string;
  headers: Record<string, string>;
  body: string | Uint8Array | undefined;
  maxBytes: number;
  /** Undefined: a connection of its own, closed after the answer. */
  agent: http.Agent | undefined;
  ca: string | undefined;
  deadline: AbortSignal;
}

type Answer = Omit<OutboundResponse, "durationMs">;

/** @throws {OutboundError} */
export function attempt(options: Attempt): Promise<Answer> {
  const { url, via, deadline } = options;
  const secure = url.protocol === "https:";
  const byForm = "proxy" in via && !secure; // a request in absolute form, whose answer may be the proxy's own
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const request = (secure ? https : http).request({
    protocol: url.protocol,
    host: url.hostname.replace(/^\[|\]$/g, ""),
    port: portOf(url),
    path: url.pathname + url.search,
    method: options.method,
    headers: { host: url.host, ...options.headers },
    agent: options.agent ?? false,
    ...(secure && options.ca ? { ca: options.ca } : {}),
    ...("address" in via ? pinned(via.address) : throughProxy(options, via.proxy)),
  });
  let connected = false;
  let reused = false;
  let answered = false;
  const fail = (error: unknown) => {
    const failure = classify(error, { connected, secure, byForm, timedOut: deadline.aborted });
    request.destroy();
    // The receiver closed the idle connection while we wrote to it: usual, and no failure of its own.
    if (reused && !answered && failure.errorClass === "connection_lost") {
      resolve(attempt({ ...options, agent: undefined }));
    } else reject(failure);
  };
  const expire = () => fail(deadline.reason);
  if (deadline.aborted) expire();
  deadline.addEventListener("abort", expire, { once: true });
  request.on("socket", (socket) => {
    if (socket.connecting) {
      socket.once(secure ? "secureConnect" : "connect", () => connected = true);
    } else connected = true; // kept alive from an earlier call, or a tunnel
    reused = request.reusedSocket;
  });
  request.on("error", fail);
  request.on("response", (response) => {
    answered = true;
    if (byForm && response.statusCode === 407) return fail(refusedByProxy(407));
    read(response, options.maxBytes).then(resolve, fail);
  });
  request.end(options.body);
  return promise.finally(() => deadline.removeEventListener("abort", expire));
}

/** The pin: whatever asks for the name gets the judged address. */
function pinned(address: string): { lookup: LookupFunction } {
  const family = address.includes(":") ? 6 : 4;
  return {
    lookup: (_name, given, done) =>
      given.all ? done(null, [{ address, family }]) : done(null, address, family),
  };
}

/** https through a tunnel; http in absolute form (RFC 9112, 3.2.2), since proxies let CONNECT through to ports of TLS only. */
function throughProxy({ url, headers, agent, deadline }: Attempt, proxy: ForwardProxy) {
  if (url.protocol === "https:") {
    const tunnel = { proxy, hostname: bareHost(url), port: portOf(url), deadline };
    return { agent: agent ?? new TunnelAgent(), tunnel };
  }
  const { hostname, port, authorization } = proxy;
  return {
    host: hostname,
    port,
    path: url.href,
    headers: {
      host: url.host,
      ...headers,
      ...(authorization ? { "proxy-authorization": authorization } : {}),
    },
  };
}

async function read(response: http.IncomingMessage, maxBytes: number): Promise<Answer> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  let truncated = false;
  for await (const chunk of response as AsyncIterable<Uint8Array>) {
    const room = maxBytes - length;
    chunks.push(chunk.subarray(0, room));
    length += Math.min(chunk.byteLength, room);
    if (chunk.byteLength > room) {
      truncated = true;
      break; // destroys the response, and with it the connection
    }
  }
  const body = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    body.set(chunk, at);
    at += chunk.byteLength;
  }
  const headers = Object.entries(response.headers).map(([name, value]) =>
    [name, Array.isArray(value) ? value.join(", ") : value ?? ""] as const
  );
  return { status: response.statusCode!, headers: Object.fromEntries(headers), body, truncated };
}

function classify(
  error: unknown,
  { connected, secure, byForm, timedOut }: {
    connected: boolean;
    secure: boolean;
    byForm: boolean;
    timedOut: boolean;
  },
): OutboundError {
  if (error instanceof OutboundError) return error;
  const { code, message = "" } = (error ?? {}) as { code?: string; message?: string };
  const options = { cause: error };
  if (timedOut) return new OutboundError("timeout", "There was no full answer in time", options);
  if (/^HPE_/.test(code ?? "") || /parse error|invalid http/i.test(message)) {
    return new OutboundError("protocol_error", "The answer is not HTTP", options);
  }
  if (
    !connected && secure &&
    /certificate|tls|ssl|handshake|^CERT_|UNABLE_TO/i.test(`${code} ${message}`)
  ) {
    return new OutboundError("tls_failed", "No trusted TLS connection could be made", options);
  }
  if (!connected) {
    return byForm
      ? new OutboundError("proxy_unreachable", "The proxy cannot be reached", options)
      : new OutboundError("connect_failed", "Cannot connect", options);
  }
  return new OutboundError("connection_lost", "The connection was lost", options);
}
