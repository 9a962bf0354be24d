// The door's rules that need no look-up: what a URL or a host may be. What a name resolves to: outbound.ts.
import { type AddressRules, kindOf, mayConnect, parseAddress } from "./addresses.ts";
import { OutboundError } from "./outbound_error.ts";

const maxUrlLength = 2048;

/** @throws {OutboundError} url_refused, address_refused */
export function checkStatic(text: string, rules: AddressRules): URL {
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
  const port = portOf(url);
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

/**
 * Names that a proxy would resolve to itself or to its cloud's metadata. Without a proxy their addresses give them away; with one
 * we see none, and what else resolves there to what nobody should reach is for its own access list.
 */
const namesOfTheProxy =
  /^(localhost[46]?(\.localdomain[46]?)?|ip6-(localhost|loopback)|metadata|metadata\.(google\.internal|goog|azure\.internal)|instance-data(\.ec2\.internal)?)$/;

/** @throws {OutboundError} address_refused */
export function refuseNamesOfTheProxy(host: string): void {
  if (namesOfTheProxy.test(host)) {
    throw new OutboundError(
      "address_refused",
      `Cannot call "${host}": for the proxy it is its own machine, or its cloud's metadata`,
    );
  }
}

/** As a URL, so that every spelling of an address is read the way that judges it. @throws {OutboundError} url_refused */
export function hostUrl(host: string): string {
  const literal = parseAddress(host)?.length === 16;
  if (!literal && !/^[\p{L}\p{N}._-]+$/u.test(host)) {
    throw new OutboundError("url_refused", `Cannot connect to "${host}": it is no host`);
  }
  return `https://${literal ? `[${host}]` : host}/`;
}

/** In the clear nothing leaves for the public networks, nor for a name that only the proxy can resolve. */
export function clearAllowed(host: string, rules: AddressRules): boolean {
  const address = parseAddress(host);
  return rules.embedded || (address !== null && kindOf(address) !== "public");
}

const loopback = parseAddress("127.0.0.1")!;

/** Without brackets and the dot of a rooted name. */
export const bareHost = (url: URL) => url.hostname.replace(/^\[|\]$/g, "").replace(/\.$/, "");

export const portOf = (url: URL) => Number(url.port || (url.protocol === "https:" ? 443 : 80));

/** Web ports, and above 1023 all but those that Fetch calls bad (https://fetch.spec.whatwg.org/#port-blocking). */
const badPorts = new Set(
  [1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6679, 6697, 10080],
);
export const portAllowed = (port: number) =>
  port === 80 || port === 443 ||
  (port > 1023 && !badPorts.has(port) && !(port >= 6665 && port <= 6669));
