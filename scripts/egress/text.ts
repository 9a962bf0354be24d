// Plain text and Squid: names stay names.
import type { Line } from "./rows.ts";

/** One line an address: host, port, and after # who goes there. */
export function renderList(lines: Line[]): string {
  return lines.map(({ host, port, reasons }) => `${host}\t${port}\t# ${reasons.join(" · ")}\n`)
    .join("");
}

/**
 * For `include` in squid.conf, before its own rules: each pair of host and port, and nothing else. Whoever is not ours is told apart by
 * the ACL `gatehouse_clients`, which stands where this is included.
 */
export function renderSquid(lines: Line[]): string {
  const rules = lines.map(({ host, port, family, reasons }, index) => {
    const name = `gatehouse_${index + 1}`;
    // A literal is compared as it stands in the request; -n asks no name server about it.
    const destination = family === 6 ? `dst ${host}` : `dstdomain -n ${host}`;
    return `# ${reasons.join(" · ")}\n` +
      `acl ${name}_host ${destination}\n` +
      `acl ${name}_port port ${port}\n` +
      `http_access allow gatehouse_clients ${name}_host ${name}_port\n`;
  });
  return `${rules.join("\n")}\nhttp_access deny gatehouse_clients\n`;
}
