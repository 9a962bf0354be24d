// What a name leads to: looked up once, and every address judged.
import { lookup } from "node:dns/promises";
import { type AddressRules, mayConnect, parseAddress } from "./addresses.ts";
import { OutboundError } from "./outbound_error.ts";

const maxTriedAddresses = 3;

/** Of a literal address itself, which checkUrl judged. @throws {OutboundError} dns_failed, address_refused */
export async function judgedAddresses(
  host: string,
  rules: AddressRules,
  resolve: (hostname: string) => Promise<string[]>,
): Promise<string[]> {
  if (parseAddress(host)) return [host];
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
    if (!bytes || !mayConnect(bytes, rules)) {
      throw new OutboundError(
        "address_refused",
        `"${host}" resolves to "${address}", which is not in an allowed network`,
      );
    }
  }
  return addresses.slice(0, maxTriedAddresses);
}

export async function resolveBySystem(hostname: string): Promise<string[]> {
  return (await lookup(hostname, { all: true, verbatim: true })).map(({ address }) => address);
}

export async function untilDeadline<T>(work: Promise<T>, deadline: AbortSignal): Promise<T> {
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
