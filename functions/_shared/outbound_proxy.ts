/**
 * Which proxy a call goes through. Rules and order of precedence: docs/proxy.md. The runtime's own `fetch` reads HTTPS_PROXY
 * and the others too, by the same order; credentials are never taken from there, for it sends them on to the target.
 */
import { contains, effective, type Network, parseAddress, parseNetwork } from "./addresses.ts";
import { toBase64 } from "./secrets.ts";

/** A forward proxy that is spoken to in the clear, as Squid's http_port is. */
export interface ForwardProxy {
  hostname: string;
  port: number;
  /** The value of proxy-authorization. */
  authorization?: string | undefined;
}

export interface ProxyRules {
  /** For https, and for what is not HTTP. */
  https: ForwardProxy | undefined;
  http: ForwardProxy | undefined;
  /** What is called directly all the same. */
  except: ProxyException[];
}

/** An entry of NO_PROXY, by the rules of Go's httpproxy: what runs beside us (ZITADEL, the collector) reads it that way. */
export type ProxyException =
  | { kind: "all" }
  | { kind: "network"; network: Network; port: number | undefined }
  | { kind: "name"; name: string; port: number | undefined; itself: boolean };

/** `http://HOST:PORT`, `HOST:PORT` or `HOST`. Messages do not repeat the text: it may hold credentials. @throws {TypeError} */
export function parseProxy(text: string): ForwardProxy {
  const full = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`;
  if (!URL.canParse(full)) throw new TypeError("expected http://HOST:PORT");
  const url = new URL(full);
  if (url.username !== "" || url.password !== "") {
    throw new TypeError(
      "must hold no credentials: they belong into the file that GATEHOUSE_OUTBOUND_PROXY_AUTH_FILE names",
    );
  }
  const more = url.pathname.length > 1 || url.search !== "" || url.hash !== "";
  if (url.protocol !== "http:" || url.hostname === "" || more) {
    throw new TypeError("expected http://HOST:PORT");
  }
  return { hostname: url.hostname.replace(/^\[|\]$/g, ""), port: Number(url.port || 80) };
}

/** Basic credentials of `USER:PASSWORD`. @throws {TypeError} */
export function basicAuthorization(text: string): string {
  if (text.indexOf(":") < 1) throw new TypeError("expected USER:PASSWORD");
  return `Basic ${toBase64(new TextEncoder().encode(text))}`;
}

/** What cannot be read is passed over: the variable is shared with programs that know other forms. */
export function parseNoProxy(text: string): ProxyException[] {
  return text.split(/[\s,]+/).flatMap((entry) => entry === "" ? [] : exception(entry) ?? []);
}

function exception(entry: string): ProxyException | undefined {
  if (entry === "*") return { kind: "all" };
  if (entry.includes("/")) {
    try {
      return { kind: "network", network: parseNetwork(entry), port: undefined };
    } catch {
      return undefined;
    }
  }
  const [, literal, named, digits] =
    /^(?:\[([0-9a-f:.]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/i.exec(entry) ?? [];
  const port = digits === undefined ? undefined : Number(digits);
  const address = parseAddress(literal ?? named ?? entry); // `entry`: IPv6 without brackets
  if (address) {
    const network = { bytes: effective(address), prefix: effective(address).length * 8 };
    return { kind: "network", network, port };
  }
  if (named === undefined) return undefined;
  const name = named.replace(/^\*?\./, "");
  const canonical = URL.canParse(`http://${name}/`) ? new URL(`http://${name}/`).hostname : name;
  if (!/^[a-z0-9._-]+$/.test(canonical)) return undefined;
  return { kind: "name", name: canonical.replace(/\.$/, ""), port, itself: name === named };
}

/**
 * The proxy for a call to this host, or undefined where it is made directly. Networks are compared with literal addresses only:
 * behind a proxy names are the proxy's to resolve.
 */
export function proxyFor(
  { secure, hostname, port }: { secure: boolean; hostname: string; port: number },
  rules: ProxyRules,
): ForwardProxy | undefined {
  const proxy = secure ? rules.https : rules.http;
  if (!proxy || isThisMachine(hostname)) return undefined;
  const address = parseAddress(hostname);
  const matches = (entry: ProxyException) => {
    if (entry.kind === "all") return true;
    if (entry.port !== undefined && entry.port !== port) return false;
    if (entry.kind === "network") return !!address && contains(entry.network, effective(address));
    if (address) return false;
    return hostname.endsWith(`.${entry.name}`) || (entry.itself && hostname === entry.name);
  };
  return rules.except.some(matches) ? undefined : proxy;
}

const loopback = [parseNetwork("127.0.0.0/8"), parseNetwork("::1")];

/** Sent to a proxy, this machine's name would lead to the proxy's own. */
function isThisMachine(hostname: string): boolean {
  const address = parseAddress(hostname);
  if (!address) return /(^|\.)localhost$/.test(hostname);
  return loopback.some((network) => contains(network, effective(address)));
}
