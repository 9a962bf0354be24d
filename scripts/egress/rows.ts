// The egress list as rows, from wherever it comes, and what the renderers share.
import { domainToASCII } from "node:url";
import { z } from "zod";

export const callers = ["zitadel", "functions", "worker", "browser"] as const;
export type Caller = (typeof callers)[number];

const Row = z.object({
  /** A name, or an address without brackets. */
  host: z.string().transform((host) => host.includes(":") ? host : domainToASCII(host))
    .pipe(z.string().regex(/^[a-z0-9._:-]{1,253}$/)),
  port: z.int().min(1).max(65_535),
  scheme: z.string(),
  caller: z.enum(callers),
  reason: z.string(),
});
export type Row = z.infer<typeof Row>;

/** As `rpc/egress_allowlist` answers. @throws {z.ZodError} */
export const parseRows = (json: unknown): Row[] => z.array(Row).parse(json);

/** One line of an access list: who goes there and why stands beside it. */
export interface Line {
  host: string;
  port: number;
  /** Of an address: 4 or 6; of a name undefined. */
  family: 4 | 6 | undefined;
  /** `worker: webhook … of acme` */
  reasons: string[];
}

export function linesOf(rows: Row[]): Line[] {
  const lines = new Map<string, Line>();
  for (const { host, port, caller, reason } of rows) {
    const key = `${host} ${port}`;
    const line = lines.get(key) ?? { host, port, family: familyOf(host), reasons: [] };
    line.reasons.push(`${caller}: ${plain(reason)}`);
    lines.set(key, line);
  }
  return [...lines.values()].toSorted((a, b) =>
    a.host < b.host ? -1 : a.host > b.host ? 1 : a.port - b.port
  );
}

/** Names that tenants chose stand in comments: of one line, and nothing that ends it. */
const plain = (text: string) => text.replace(/[^\p{L}\p{N} .,:;@_-]/gu, "?").slice(0, 120);

function familyOf(host: string): 4 | 6 | undefined {
  if (host.includes(":")) return 6;
  return /^\d+(\.\d+){3}$/.test(host) ? 4 : undefined;
}

/** The addresses of a line, by whoever can tell; a name that leads nowhere has none. */
export type Resolve = (host: string) => Promise<string[]>;

export async function addressesOf(line: Line, resolve: Resolve): Promise<string[]> {
  return line.family === undefined ? (await resolve(line.host)).toSorted() : [line.host];
}
