/**
 * Which addresses the door (outbound.ts) may connect to. Ranges: IANA's special-purpose registries (RFC 6890 and its updates), and
 * the metadata services of clouds. An IPv6 address that carries an IPv4 one is judged by what it carries, or refused.
 */

/** `never`: no configuration allows it · `local`: embedded profile and configuration · `private`: configuration · `public`: yes. */
export type AddressKind = "never" | "local" | "private" | "public";

export interface AddressRules {
  embedded: boolean;
  /** CIDRs that configuration allows (GATEHOUSE_OUTBOUND_ALLOW). */
  allowed: Network[];
}

export interface Network {
  bytes: Uint8Array;
  prefix: number;
}

/** 4 or 16 bytes, or null where `text` is not one plain address (no zone, no octal, no short form of IPv4). */
export function parseAddress(text: string): Uint8Array | null {
  if (/^(\d{1,3}\.){3}\d{1,3}$/.test(text)) {
    const parts = text.split(".");
    if (parts.some((part) => Number(part) > 255 || String(Number(part)) !== part)) return null;
    return Uint8Array.from(parts.map(Number));
  }
  if (!/^[0-9a-f:.]+$/i.test(text) || !text.includes(":")) return null;
  let canonical: string;
  try {
    canonical = new URL(`http://[${text}]/`).hostname.slice(1, -1);
  } catch {
    return null;
  }
  const [head, tail] = canonical.split("::") as [string, string | undefined];
  const groups = (part: string) => part === "" ? [] : part.split(":").map((g) => parseInt(g, 16));
  const before = groups(head);
  const after = tail === undefined ? [] : groups(tail);
  const all = [...before, ...Array(8 - before.length - after.length).fill(0), ...after];
  return Uint8Array.from(all.flatMap((group) => [group >> 8, group & 0xff]));
}

/** `10.0.0.0/8`, `fd00::/8`, or one address. @throws {TypeError} */
export function parseNetwork(text: string): Network {
  const [address = "", length, ...rest] = text.split("/");
  const bytes = parseAddress(address);
  const prefix = length === undefined ? (bytes?.length ?? 0) * 8 : Number(length);
  const wellFormed = length === undefined || /^\d{1,3}$/.test(length);
  if (!bytes || rest.length > 0 || !wellFormed || prefix > bytes.length * 8) {
    throw new TypeError(`"${text}" is not a network such as 10.0.0.0/8 or fd00::/8`);
  }
  return { bytes, prefix };
}

export function contains({ bytes, prefix }: Network, address: Uint8Array): boolean {
  if (bytes.length !== address.length) return false;
  for (let bit = 0; bit < prefix; bit += 8) {
    const mask = prefix - bit >= 8 ? 0xff : (0xff << (8 - (prefix - bit))) & 0xff;
    if (((bytes[bit / 8]! ^ address[bit / 8]!) & mask) !== 0) return false;
  }
  return true;
}

const ranges = (kind: AddressKind, ...networks: string[]) =>
  networks.map((text) => ({ kind, network: parseNetwork(text) }));

// The first match counts: the narrow before the wide.
const special = [
  ...ranges("local", "100.100.100.200", "168.63.129.16", "192.0.0.192"), // metadata: Alibaba, Azure, Oracle
  ...ranges("local", "fd00:ec2::254", "fd20:ce::254"), // metadata: AWS, Google
  ...ranges("local", "127.0.0.0/8", "169.254.0.0/16", "::1", "fe80::/10"),
  ...ranges("never", "0.0.0.0/8", "224.0.0.0/4", "240.0.0.0/4", "::", "ff00::/8"),
  ...ranges("never", "192.88.99.0/24", "fec0::/10", "100::/64"), // 6to4 relay, site-local, discard
  ...ranges("private", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"),
  ...ranges("private", "192.0.0.0/24", "192.0.2.0/24", "198.18.0.0/15"),
  ...ranges("private", "198.51.100.0/24", "203.0.113.0/24"), // documentation
  ...ranges("never", "2001::/32", "2002::/16", "64:ff9b:1::/48"), // Teredo, 6to4, local NAT64
  ...ranges("never", "::/96", "::ffff:0:0:0/96"), // IPv4-compatible, SIIT
  ...ranges("private", "fc00::/7", "2001::/23", "2001:db8::/32", "3fff::/20"),
  ...ranges("public", "2000::/3"),
  ...ranges("private", "::/0"), // not handed out to anybody: only where a network uses it knowingly
];

const mapped = parseNetwork("::ffff:0:0/96");
const nat64 = parseNetwork("64:ff9b::/96");

/** The IPv4 address inside a mapped or NAT64 one, else the address itself. */
export function effective(address: Uint8Array): Uint8Array {
  return contains(mapped, address) || contains(nat64, address) ? address.slice(12) : address;
}

export function kindOf(address: Uint8Array): AddressKind {
  const judged = effective(address);
  if (judged.length === 16 && isIsatap(judged)) return "never";
  return special.find(({ network }) => contains(network, judged))?.kind ?? "public";
}

/** RFC 5214: interface id [0002]00:5efe and an IPv4 address, below any prefix. */
function isIsatap(address: Uint8Array): boolean {
  return (address[8]! & 0xfd) === 0 && address[9] === 0 && address[10] === 0x5e &&
    address[11] === 0xfe;
}

export function mayConnect(address: Uint8Array, rules: AddressRules): boolean {
  const kind = kindOf(address);
  if (kind === "public") return true;
  if (kind === "never" || (kind === "local" && !rules.embedded)) return false;
  const judged = effective(address);
  return rules.allowed.some((network) => contains(network, judged));
}
