// nftables knows addresses only: names are resolved now, and the file is made again when they move.
import { addressesOf, type Line, type Resolve } from "./rows.ts";

/** A table with two sets and a chain that accepts what is in them; jump to it from the chain that drops the rest. */
export async function renderNftables(lines: Line[], resolve: Resolve): Promise<string> {
  const sets: Record<4 | 6, string[]> = { 4: [], 6: [] };
  const nowhere: string[] = [];
  for (const line of lines) {
    const addresses = await addressesOf(line, resolve);
    if (addresses.length === 0) nowhere.push(line.host);
    for (const address of addresses) {
      const comment = `${line.host}: ${line.reasons.join(" · ")}`.replaceAll(" · ", ", ");
      sets[address.includes(":") ? 6 : 4].push(
        `      ${address} . ${line.port} comment "${comment.slice(0, 120)}"`,
      );
    }
  }
  const set = (name: string, type: string, elements: string[]) =>
    `  set ${name} {\n    type ${type} . inet_service\n` +
    (elements.length > 0 ? `    elements = {\n${unique(elements).join(",\n")}\n    }\n` : "") +
    "  }\n";
  return nowhere.map((host) => `# ${host} has no address now\n`).join("") +
    "table inet gatehouse_egress {\n" +
    set("gatehouse4", "ipv4_addr", sets[4]) +
    set("gatehouse6", "ipv6_addr", sets[6]) +
    "  chain gatehouse {\n" +
    "    ct state established,related accept\n" +
    "    ip daddr . tcp dport @gatehouse4 accept\n" +
    "    ip6 daddr . tcp dport @gatehouse6 accept\n" +
    "  }\n}\n";
}

/** Two names of one address are one element. */
function unique(elements: string[]): string[] {
  const known = new Map<string, string>();
  for (const element of elements) {
    const key = element.split(" comment ")[0]!;
    if (!known.has(key)) known.set(key, element);
  }
  return [...known.values()];
}
