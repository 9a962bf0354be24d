// One request to one judged address. outbound.ts decides which.
import http from "node:http";
import https from "node:https";
import type { LookupFunction } from "node:net";
import { parseAddress } from "./addresses.ts";
import { OutboundError } from "./outbound_error.ts";
import type { OutboundResponse } from "./outbound.ts";

export interface Attempt {
  url: URL;
  address: string;
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
  const { url, address, deadline } = options;
  const family = parseAddress(address)!.length === 4 ? 4 : 6;
  // The pin: whatever asks for the name gets the judged address.
  const lookup: LookupFunction = (_name, given, done) =>
    given.all ? done(null, [{ address, family }]) : done(null, address, family);
  const secure = url.protocol === "https:";
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const request = (secure ? https : http).request({
    protocol: url.protocol,
    host: url.hostname.replace(/^\[|\]$/g, ""),
    port: url.port || (secure ? 443 : 80),
    path: url.pathname + url.search,
    method: options.method,
    headers: { host: url.host, ...options.headers },
    agent: options.agent ?? false,
    lookup,
    ...(secure && options.ca ? { ca: options.ca } : {}),
  });
  let connected = false;
  let reused = false;
  let answered = false;
  const fail = (error: unknown) => {
    const failure = classify(error, { connected, secure, timedOut: deadline.aborted });
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
    } else connected = reused = true; // kept alive from an earlier call
  });
  request.on("error", fail);
  request.on("response", (response) => {
    answered = true;
    read(response, options.maxBytes).then(resolve, fail);
  });
  request.end(options.body);
  return promise.finally(() => deadline.removeEventListener("abort", expire));
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
  { connected, secure, timedOut }: { connected: boolean; secure: boolean; timedOut: boolean },
): OutboundError {
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
  if (!connected) return new OutboundError("connect_failed", "Cannot connect", options);
  return new OutboundError("connection_lost", "The connection was lost", options);
}
