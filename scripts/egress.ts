/**
 * Where this installation goes, as a firewall reads it: from the live configuration, nothing else gets through.
 *
 * Usage: deno task egress FORMAT [--rows FILE|-] [--caller zitadel,functions,worker,browser]
 *   FORMAT        list · squid · nftables · kubernetes · cilium
 *   --rows        the answer of `POST /rest/v1/rpc/egress_allowlist`; default: asked of GATEHOUSE_DB_URL, as the owner of the schemas
 *   --caller      only these; default: zitadel, functions and worker
 * GATEHOUSE_SMTP_URL adds the mail server, which stands in no table.
 * nftables and kubernetes know addresses only: names are resolved from here, now. A name without an address is told of on stderr.
 *
 * Exit 0 done · 1 failed · 2 wrong use. Next: egress/ (one file a format), docs/egress.md.
 */
import { lookup } from "node:dns/promises";
import { parseArgs } from "node:util";
import postgres from "postgres";
import { renderCilium, renderKubernetes } from "./egress/kubernetes.ts";
import { renderNftables } from "./egress/nftables.ts";
import { type Caller, callers, linesOf, parseRows, type Row } from "./egress/rows.ts";
import { renderList, renderSquid } from "./egress/text.ts";

const renderers: Record<string, (rows: Row[]) => string | Promise<string>> = {
  list: (rows) => renderList(linesOf(rows)),
  squid: (rows) => renderSquid(linesOf(rows)),
  nftables: (rows) => renderNftables(linesOf(rows), resolve),
  kubernetes: (rows) => renderKubernetes(rows, resolve),
  cilium: (rows) => renderCilium(rows),
};

function misused(why: string): never {
  console.error(
    `egress: ${why}\nusage: egress ${
      Object.keys(renderers).join("|")
    } [--rows FILE|-] [--caller …]`,
  );
  Deno.exit(2);
}

async function resolve(host: string): Promise<string[]> {
  try {
    return (await lookup(host, { all: true })).map(({ address }) => address);
  } catch {
    console.error(`egress: "${host}" has no address now; it is left out`);
    return [];
  }
}

async function readRows(file: string | undefined): Promise<Row[]> {
  if (file !== undefined) {
    const text = file === "-"
      ? await new Response(Deno.stdin.readable).text()
      : await Deno.readTextFile(file);
    return parseRows(JSON.parse(text));
  }
  const url = Deno.env.get("GATEHOUSE_DB_URL");
  if (!url) misused("GATEHOUSE_DB_URL is missing, and so is --rows");
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  try {
    return parseRows(
      await sql`
      select distinct host, port, scheme, caller, reason from private.egress_addresses()
       where host is not null`,
    );
  } finally {
    await sql.end();
  }
}

/** The worker's own, by its environment. */
function mailServer(): Row[] {
  const text = Deno.env.get("GATEHOUSE_SMTP_URL");
  const found = /^(smtps?):\/\/(\[[0-9a-f:]+\]|[^:/@]+)(?::(\d+))?\/?$/i.exec(text ?? "");
  if (!text) return [];
  if (!found) misused("GATEHOUSE_SMTP_URL is no smtp://HOST:PORT or smtps://HOST:PORT");
  const [, scheme = "", host = "", port] = found;
  return [{
    host: host.toLowerCase().replace(/^\[|\]$/g, ""),
    port: Number(port ?? (scheme === "smtps" ? 465 : 587)),
    scheme,
    caller: "worker",
    reason: "mail",
  }];
}

function parseCommand(): { format: string; rows: string | undefined; wanted: Set<Caller> } {
  try {
    const { values, positionals } = parseArgs({
      args: Deno.args,
      allowPositionals: true,
      options: { rows: { type: "string" }, caller: { type: "string" } },
    });
    const names = (values.caller ?? "zitadel,functions,worker").split(",") as Caller[];
    const unknown = names.find((name) => !callers.includes(name));
    if (unknown !== undefined) misused(`there is no caller "${unknown}"`);
    const [format, ...rest] = positionals;
    if (!format || !(format in renderers) || rest.length > 0) misused("give one format");
    return { format, rows: values.rows, wanted: new Set(names) };
  } catch (error) {
    misused((error as Error).message);
  }
}

if (import.meta.main) {
  const { format, rows: file, wanted } = parseCommand();
  try {
    const rows = [...await readRows(file), ...mailServer()].filter(({ caller }) =>
      wanted.has(caller)
    );
    const text = await renderers[format]!(rows);
    await Deno.stdout.write(new TextEncoder().encode(text));
  } catch (error) {
    console.error(`egress: ${(error as Error).message}`);
    Deno.exit(1);
  }
}
