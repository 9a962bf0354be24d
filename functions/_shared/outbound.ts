/**
 * The only door out, for whatever an address was given to us: webhooks, sinks, connection tests. Direct mode: the name is resolved
 * once, every address is judged (addresses.ts), and the connection goes to a judged one: no second look-up can answer otherwise.
 * Redirects are not followed. `fetch` cannot pin an address; node:https can.
 */
import { lookup } from "node:dns/promises";
import http from "node:http";
import https from "node:https";
import { type AddressRules, kindOf, mayConnect, parseAddress } from "./addresses.ts";
import { config } from "./config.ts";
import { type Attempt, attempt } from "./outbound_attempt.ts";
import { type ConnectRequest, connectTo, syslogPorts } from "./outbound_connect.ts";
import { OutboundError } from "./outbound_error.ts";
import { span, SpanKind } from "./telemetry.ts";

export type { ConnectRequest } from "./outbound_connect.ts";
export { OutboundError, type OutboundErrorClass } from "./outbound_error.ts";

export interface OutboundRequest {
  url: string;
  /** Default POST. */
  method?: string;
  /** Names in any case. host, connection and the lengths are the door's. */
  headers?: Record<string, string>;
  body?: string | Uint8Array;
  /** From the look-up of the name to the last byte. Default 15 000. */
  timeoutMs?: number;
  /** What is read of the answer; the rest is cut. Default 65 536. */
  maxBytes?: number;
}

export interface OutboundResponse {
  status: number;
  /** Lower-case names; repeated ones joined by ", ". */
  headers: Record<string, string>;
  body: Uint8Array<ArrayBuffer>;
  /** The answer was longer than `maxBytes`. */
  truncated: boolean;
  durationMs: number;
}

export interface Door {
  /** @throws {OutboundError} */
  send(request: OutboundRequest): Promise<OutboundResponse>;
  /** The rules that need no look-up. @throws {OutboundError} url_refused, address_refused */
  checkUrl(url: string): URL;
  /** The same guard for a raw connection; the caller closes it. @throws {OutboundError} */
  connect(request: ConnectRequest): Promise<Deno.Conn>;
  /** The rules of `connect` that need no look-up. @throws {OutboundError} url_refused, address_refused */
  checkHost(request: Pick<ConnectRequest, "host" | "port">): URL;
  /** Closes idle connections. */
  close(): void;
}

export interface DoorOptions extends AddressRules {
  /** PEM of the authorities to trust instead of the built-in ones; to add one to those, set NODE_EXTRA_CA_CERTS. */
  ca?: string | undefined;
  resolve?: (hostname: string) => Promise<string[]>;
}

const maxUrlLength = 2048;
const maxTriedAddresses = 3;
const ownHeaders =
  /^(host|connection|content-length|transfer-encoding|expect|upgrade|te|trailer|keep-alive)$/i;

export function createDoor(options: DoorOptions): Door {
  const resolve = options.resolve ?? resolveBySystem;
  const pool = { keepAlive: true, maxFreeSockets: 64, timeout: 60_000 };
  const agents = { http: new http.Agent(pool), https: new https.Agent(pool) };

  const checkUrl = (text: string) => checkStatic(text, options);

  async function addressesOf(url: URL): Promise<string[]> {
    const host = bareHost(url);
    if (parseAddress(host)) return [host]; // judged by checkUrl
    let addresses: string[];
    try {
      addresses = await resolve(host);
    } catch (cause) {
      throw new OutboundError("dns_failed", `Cannot resolve "${host}"`, { cause });
    }
    if (addresses.length === 0) {
      throw new OutboundError("dns_failed", `"${host}" has no address`);
    }
    for (const address of addresses) {
      const bytes = parseAddress(address);
      if (!bytes || !mayConnect(bytes, options)) {
        throw new OutboundError(
          "address_refused",
          `"${host}" resolves to "${address}", which is not in an allowed network`,
        );
      }
    }
    return addresses.slice(0, maxTriedAddresses);
  }

  async function send(request: OutboundRequest): Promise<OutboundResponse> {
    const startedAt = performance.now();
    const url = checkUrl(request.url);
    const headers = ownedHeaders(request);
    const { deadline, cancel } = deadlineIn(request.timeoutMs ?? 15_000);
    const base: Omit<Attempt, "address"> = {
      url,
      headers,
      method: request.method ?? "POST",
      body: request.body,
      maxBytes: request.maxBytes ?? 65_536,
      agent: url.protocol === "https:" ? agents.https : agents.http,
      ca: options.ca,
      deadline,
    };
    const attributes = { "server.address": url.hostname, "http.request.method": base.method };
    return await span(`${base.method} outbound`, attributes, async (span) => {
      const addresses = await untilDeadline(addressesOf(url), deadline);
      for (const [index, address] of addresses.entries()) {
        try {
          const answer = await attempt({ ...base, address });
          span.setAttribute("http.response.status_code", answer.status);
          return { ...answer, durationMs: Math.round(performance.now() - startedAt) };
        } catch (error) {
          const unsent = error instanceof OutboundError && error.errorClass === "connect_failed";
          if (!unsent || index === addresses.length - 1) throw error;
        }
      }
      throw new OutboundError("dns_failed", `"${url.hostname}" has no address`);
    }, SpanKind.CLIENT).finally(cancel);
  }

  const checkHost = ({ host, port }: Pick<ConnectRequest, "host" | "port">) => {
    const url = hostUrl(host);
    if (!syslogPorts.has(port) && (port < 1024 || !portAllowed(port))) {
      throw new OutboundError("url_refused", `Cannot connect: port ${port} is not allowed`);
    }
    return checkUrl(url);
  };

  async function connect(request: ConnectRequest): Promise<Deno.Conn> {
    const url = checkHost(request);
    const deadline = AbortSignal.timeout(request.timeoutMs ?? 15_000);
    const authorities = [options.ca, request.tls?.ca].filter((pem) => pem !== undefined);
    const base = {
      hostname: bareHost(url),
      port: request.port,
      tls: request.tls && { caCerts: authorities },
      deadline,
    };
    const attributes = { "server.address": base.hostname, "server.port": request.port };
    return await span("connect outbound", attributes, async () => {
      const addresses = await untilDeadline(addressesOf(url), deadline);
      if (!request.tls && !addresses.every((address) => clearAllowed(address, options))) {
        throw new OutboundError("url_refused", "Without TLS only to networks that are allowed");
      }
      for (const [index, address] of addresses.entries()) {
        try {
          return await connectTo({ ...base, address });
        } catch (error) {
          const unsent = error instanceof OutboundError && error.errorClass === "connect_failed";
          if (!unsent || index === addresses.length - 1) throw error;
        }
      }
      throw new OutboundError("dns_failed", `"${base.hostname}" has no address`);
    }, SpanKind.CLIENT);
  }

  return {
    send,
    checkUrl,
    connect,
    checkHost,
    close() {
      agents.http.destroy();
      agents.https.destroy();
    },
  };
}

function checkStatic(text: string, rules: AddressRules): URL {
  const refuse = (why: string) => new OutboundError("url_refused", `Cannot call "${text}": ${why}`);
  if (text.length > maxUrlLength) {
    throw new OutboundError("url_refused", `Cannot call an address of ${text.length} characters`);
  }
  if (!URL.canParse(text)) throw refuse("it is not a URL");
  const url = new URL(text);
  if (url.username !== "" || url.password !== "") {
    throw new OutboundError("url_refused", "Cannot call an address that holds credentials");
  }
  if (url.protocol !== "https:" && !(url.protocol === "http:" && rules.embedded)) {
    throw refuse("only https is allowed");
  }
  if (url.hash !== "") throw refuse("it has a fragment");
  const port = Number(url.port || (url.protocol === "https:" ? 443 : 80));
  if (!portAllowed(port)) throw refuse(`port ${port} is not allowed`);
  const host = bareHost(url);
  if (host === "" || host.length > 253) throw refuse("its host is not a name");
  const address = parseAddress(host);
  if (address) {
    if (!mayConnect(address, rules)) {
      throw new OutboundError(
        "address_refused",
        `Cannot call "${text}": ${host} is not in an allowed network`,
      );
    }
  } else if (/(^|\.)localhost$/.test(host) && !mayConnect(loopback, rules)) {
    throw new OutboundError("address_refused", `Cannot call "${text}": it is this machine`);
  }
  return url;
}

/** As a URL, so that every spelling of an address is read the way that judges it. @throws {OutboundError} url_refused */
function hostUrl(host: string): string {
  const literal = parseAddress(host)?.length === 16;
  if (!literal && !/^[\p{L}\p{N}._-]+$/u.test(host)) {
    throw new OutboundError("url_refused", `Cannot connect to "${host}": it is no host`);
  }
  return `https://${literal ? `[${host}]` : host}/`;
}

/** In the clear nothing leaves for the public networks. */
function clearAllowed(address: string, rules: AddressRules): boolean {
  return rules.embedded || kindOf(parseAddress(address)!) !== "public";
}

const loopback = parseAddress("127.0.0.1")!;

/** Without brackets and the dot of a rooted name. */
const bareHost = (url: URL) => url.hostname.replace(/^\[|\]$/g, "").replace(/\.$/, "");

/** Web ports, and above 1023 all but those that Fetch calls bad (https://fetch.spec.whatwg.org/#port-blocking). */
const badPorts = new Set(
  [1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6679, 6697, 10080],
);
const portAllowed = (port: number) =>
  port === 80 || port === 443 ||
  (port > 1023 && !badPorts.has(port) && !(port >= 6665 && port <= 6669));

function ownedHeaders({ headers = {}, body }: OutboundRequest): Record<string, string> {
  const own = Object.keys(headers).find((name) => ownHeaders.test(name));
  if (own !== undefined) throw new TypeError(`The header "${own}" is the door's own`);
  const lower = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]);
  const length = typeof body === "string"
    ? new TextEncoder().encode(body).byteLength
    : body?.byteLength;
  return {
    "user-agent": "Gatehouse",
    "accept-encoding": "identity",
    ...Object.fromEntries(lower),
    ...(length === undefined ? {} : { "content-length": String(length) }),
  };
}

async function resolveBySystem(hostname: string): Promise<string[]> {
  return (await lookup(hostname, { all: true, verbatim: true })).map(({ address }) => address);
}

/** As `AbortSignal.timeout`, which lives on until its time when the answer has long come: 120,000 of them at 8,000 requests a second. */
function deadlineIn(ms: number): { deadline: AbortSignal; cancel(): void } {
  const controller = new AbortController();
  const expire = () => controller.abort(new DOMException("Too late", "TimeoutError"));
  const timer = setTimeout(expire, ms);
  return { deadline: controller.signal, cancel: () => clearTimeout(timer) };
}

async function untilDeadline<T>(work: Promise<T>, deadline: AbortSignal): Promise<T> {
  const timedOut = Promise.withResolvers<never>();
  const expire = () =>
    timedOut.reject(new OutboundError("timeout", "The name was not resolved in time"));
  deadline.addEventListener("abort", expire, { once: true });
  try {
    return await Promise.race([work, timedOut.promise]);
  } finally {
    deadline.removeEventListener("abort", expire);
  }
}

let shared: Promise<Door> | undefined;

/** This process's door, by its configuration. */
export function door(): Promise<Door> {
  shared ??= openDoor().catch((error) => {
    shared = undefined;
    throw error;
  });
  return shared;
}

async function openDoor(): Promise<Door> {
  const { outboundAllow, outboundCaFile, profile } = config();
  const ca = outboundCaFile === undefined ? undefined : await Deno.readTextFile(outboundCaFile);
  return createDoor({ embedded: profile === "embedded", allowed: outboundAllow, ca });
}

/** Connects through this process's door. @throws {OutboundError} */
export async function connect(request: ConnectRequest): Promise<Deno.Conn> {
  return await (await door()).connect(request);
}

/** Sends through this process's door. @throws {OutboundError} */
export async function send(request: OutboundRequest): Promise<OutboundResponse> {
  return await (await door()).send(request);
}
