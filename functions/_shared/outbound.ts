/**
 * The only door out, for whatever an address was given to us: webhooks, sinks, connection tests. Direct mode: the name is resolved
 * once, every address is judged (addresses.ts), and the connection goes to a judged one: no second look-up can answer otherwise.
 * Behind a proxy (outbound_proxy.ts) literal addresses and names are judged here, and what names resolve to by the proxy's own
 * access list: docs/proxy.md. Redirects are not followed. `fetch` cannot pin an address; node:https can.
 */
import http from "node:http";
import https from "node:https";
import type { AddressRules } from "./addresses.ts";
import { config, ConfigError, readSecretFile } from "./config.ts";
import { type Attempt, attempt } from "./outbound_attempt.ts";
import { type ConnectRequest, connectTo, directoryPorts, syslogPorts } from "./outbound_connect.ts";
import { OutboundError } from "./outbound_error.ts";
import {
  basicAuthorization,
  type ForwardProxy,
  proxyFor,
  type ProxyRules,
} from "./outbound_proxy.ts";
import { judgedAddresses, resolveBySystem, untilDeadline } from "./outbound_resolve.ts";
import {
  bareHost,
  checkStatic,
  clearAllowed,
  hostUrl,
  portAllowed,
  portOf,
  refuseNamesOfTheProxy,
} from "./outbound_rules.ts";
import { TunnelAgent } from "./outbound_tunnel.ts";
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

/** One address for many calls. What its name leads to is looked up and judged once, and anew after a failure: keep it for seconds, as for a batch. */
export interface Target {
  /** @throws {OutboundError} */
  send(request: Omit<OutboundRequest, "url">): Promise<OutboundResponse>;
}

export interface Door {
  /** @throws {OutboundError} */
  send(request: OutboundRequest): Promise<OutboundResponse>;
  /** Never throws: a URL that is refused is refused at each call. */
  target(url: string): Target;
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
  /** Default: none, every call is made directly. */
  proxies?: ProxyRules;
}

type Way = Attempt["via"];

const ownHeaders =
  /^(host|connection|content-length|transfer-encoding|expect|upgrade|te|trailer|keep-alive|proxy-.*)$/i;

export function createDoor(options: DoorOptions): Door {
  const resolve = options.resolve ?? resolveBySystem;
  const pool = { keepAlive: true, maxFreeSockets: 64, timeout: 60_000 };
  const agents = {
    http: new http.Agent(pool),
    https: new https.Agent(pool),
    tunnel: new TunnelAgent(pool),
  };

  const proxyOf = (url: URL, port: number) =>
    options.proxies && proxyFor(
      { secure: url.protocol === "https:", hostname: bareHost(url), port },
      options.proxies,
    );

  const checkUrl = (text: string) => checkReachable(checkStatic(text, options));

  function checkReachable(url: URL, port = portOf(url)): URL {
    if (proxyOf(url, port)) refuseNamesOfTheProxy(bareHost(url));
    return url;
  }

  /** How to get there: through the proxy, or to each of the judged addresses until one can be connected to. */
  async function waysTo(
    url: URL,
    proxy: ForwardProxy | undefined,
    deadline: AbortSignal,
  ): Promise<Way[]> {
    if (proxy) return [{ proxy }];
    const judged = judgedAddresses(bareHost(url), options, resolve);
    const addresses = await untilDeadline(judged, deadline);
    return addresses.map((address) => ({ address }));
  }

  function target(text: string): Target {
    let place: { url: URL; proxy: ForwardProxy | undefined; agent: http.Agent } | undefined;
    let known: Promise<Way[]> | undefined;

    function open() {
      const url = checkUrl(text);
      const proxy = proxyOf(url, portOf(url));
      const secureAgent = proxy ? agents.tunnel : agents.https;
      return { url, proxy, agent: url.protocol === "https:" ? secureAgent : agents.http };
    }

    async function send(request: Omit<OutboundRequest, "url">): Promise<OutboundResponse> {
      const startedAt = performance.now();
      const { url, proxy, agent } = place ??= open();
      const headers = ownedHeaders(request);
      const { deadline, cancel } = deadlineIn(request.timeoutMs ?? 15_000);
      const base: Omit<Attempt, "via"> = {
        url,
        headers,
        method: request.method ?? "POST",
        body: request.body,
        maxBytes: request.maxBytes ?? 65_536,
        agent,
        ca: options.ca,
        deadline,
      };
      const attributes = { "server.address": url.hostname, "http.request.method": base.method };
      return await span(`${base.method} outbound`, attributes, async (span) => {
        const looked = known ??= waysTo(url, proxy, deadline);
        try {
          const answer = await firstThatTakes(await looked, base);
          span.setAttribute("http.response.status_code", answer.status);
          return { ...answer, durationMs: Math.round(performance.now() - startedAt) };
        } catch (error) {
          if (known === looked) known = undefined; // it may have moved
          throw error;
        }
      }, SpanKind.CLIENT).finally(cancel);
    }
    return { send };
  }

  /** One address after the other, while nobody takes the connection. */
  async function firstThatTakes(ways: Way[], base: Omit<Attempt, "via">) {
    for (const [index, via] of ways.entries()) {
      try {
        return await attempt({ ...base, via });
      } catch (error) {
        const unsent = error instanceof OutboundError && error.errorClass === "connect_failed";
        if (!unsent || index === ways.length - 1) throw error;
      }
    }
    throw new OutboundError("dns_failed", `"${base.url.hostname}" has no address`);
  }

  const send = ({ url, ...request }: OutboundRequest) => target(url).send(request);

  const checkHost = ({ host, port }: Pick<ConnectRequest, "host" | "port">) => {
    const url = hostUrl(host);
    const raw = syslogPorts.has(port) || directoryPorts.has(port);
    if (!raw && (port < 1024 || !portAllowed(port))) {
      throw new OutboundError("url_refused", `Cannot connect: port ${port} is not allowed`);
    }
    return checkReachable(checkStatic(url, options), port);
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
    const proxy = proxyOf(url, request.port);
    return await span("connect outbound", attributes, async () => {
      const ways = await waysTo(url, proxy, deadline);
      const judged = ways.map((way) => "address" in way ? way.address : base.hostname);
      if (!request.tls && !judged.every((host) => clearAllowed(host, options))) {
        throw new OutboundError("url_refused", "Without TLS only to networks that are allowed");
      }
      for (const [index, via] of ways.entries()) {
        try {
          return await connectTo({ ...base, via });
        } catch (error) {
          const unsent = error instanceof OutboundError && error.errorClass === "connect_failed";
          if (!unsent || index === ways.length - 1) throw error;
        }
      }
      throw new OutboundError("dns_failed", `"${base.hostname}" has no address`);
    }, SpanKind.CLIENT);
  }

  return {
    send,
    target,
    checkUrl,
    connect,
    checkHost,
    close() {
      agents.http.destroy();
      agents.https.destroy();
      agents.tunnel.destroy();
    },
  };
}

function ownedHeaders(
  { headers = {}, body }: Omit<OutboundRequest, "url">,
): Record<string, string> {
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

/** As `AbortSignal.timeout`, which lives on until its time when the answer has long come: 120,000 of them at 8,000 requests a second. */
function deadlineIn(ms: number): { deadline: AbortSignal; cancel(): void } {
  const controller = new AbortController();
  const expire = () => controller.abort(new DOMException("Too late", "TimeoutError"));
  const timer = setTimeout(expire, ms);
  return { deadline: controller.signal, cancel: () => clearTimeout(timer) };
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
  return createDoor({
    embedded: profile === "embedded",
    allowed: outboundAllow,
    ca,
    proxies: await proxyRules(),
  });
}

async function proxyRules(): Promise<ProxyRules> {
  const { outboundProxies, outboundProxyAuthFile: file } = config();
  if (file === undefined) return outboundProxies;
  const variable = "GATEHOUSE_OUTBOUND_PROXY_AUTH_FILE";
  let authorization: string;
  try {
    authorization = basicAuthorization(await readSecretFile(variable, file));
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new ConfigError(variable, `"${file}": ${error.message}`);
  }
  const { https, http, except } = outboundProxies;
  return {
    https: https && { ...https, authorization },
    http: http && { ...http, authorization },
    except,
  };
}

/** Connects through this process's door. @throws {OutboundError} */
export async function connect(request: ConnectRequest): Promise<Deno.Conn> {
  return await (await door()).connect(request);
}

/** Through this process's door. */
export async function target(url: string): Promise<Target> {
  return (await door()).target(url);
}

/** Sends through this process's door. @throws {OutboundError} */
export async function send(request: OutboundRequest): Promise<OutboundResponse> {
  return await (await door()).send(request);
}
