// Where everything of one stack is: its directory, its ports, its addresses.
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Failure } from "./failure.ts";
import { findFreeRow, isFree } from "./ports.ts";

export const root = fileURLToPath(new URL("../..", import.meta.url));

export interface Options {
  dir: string;
  /** The front door's port, the others follow it. 0: free ones. Undefined: as before, else `defaultPort`. */
  port?: number | undefined;
  /** "" or "/acme-prefix". Undefined: as before, else "". */
  basePath?: string | undefined;
  /** What our own addresses call this machine. Undefined: as before, else 127.0.0.1. */
  host?: Host | undefined;
  fresh: boolean;
  demo: boolean;
}

/** Browsers keep passkeys for names only, so never for 127.0.0.1 (WebAuthn level 3, 5.1.3: a valid domain). */
export const hosts = ["127.0.0.1", "localhost"] as const;
export type Host = typeof hosts[number];

/** In the order of their ports. */
const listeners = [
  "frontDoor",
  "zitadel",
  "storefront",
  "webhookSink",
  "postgres",
  "postgrest",
  "postgrestAdmin",
  "functionsPublic",
  "functionsInternal",
  "worker",
  "mailbox",
  "smtp",
  "providers",
] as const;
export type Listener = (typeof listeners)[number];
const defaultPort = 8000;

export interface Layout {
  dir: string;
  dataDir: string;
  credentialsDir: string;
  logsDir: string;
  /** What the worker pushes out of the database: checkpoints of the sealed log. */
  auditDir: string;
  stackFile: string;
  ports: Record<Listener, number>;
  basePath: string;
  apiUrl: string;
  restUrl: string;
  functionsUrl: string;
  portalUrl: string;
  loginUrl: string;
  /** `iss` of what functions/session signs. */
  ownIssuer: string;
  issuer: string;
  storefrontUrl: string;
  webhookSinkUrl: string;
  mailUrl: string;
  /** Where Google, GitHub and the like are played. */
  providersUrl: string;
}

interface Addresses {
  port: number;
  basePath: string;
  host: Host;
}

/**
 * Decides the addresses once per directory and keeps them there: tokens, applications and accounts in the data name them.
 *
 * @throws {Failure} when other ones are asked for than the data was made with, or a port is taken
 */
export async function layOut({ dir, port, basePath, host }: Options): Promise<Layout> {
  const file = join(dir, "addresses.json");
  const kept = await readAddresses(file);
  if (kept) {
    const asked = {
      port: port || kept.port,
      basePath: basePath ?? kept.basePath,
      host: host ?? kept.host,
    };
    if (
      asked.port !== kept.port || asked.basePath !== kept.basePath || asked.host !== kept.host
    ) {
      throw new Failure(
        `The data in ${dir} was made with --port ${kept.port} --base-path "${kept.basePath}" --host ${kept.host}, and its tokens and applications name these addresses: keep them, or start empty with --fresh, or elsewhere with --dir`,
      );
    }
  }
  const chosen = kept ?? {
    port: port === 0 ? findFreeRow(listeners.length) : port ?? defaultPort,
    basePath: basePath ?? "",
    host: host ?? "127.0.0.1",
  };
  const ports = portsFrom(chosen.port);
  refuseTaken(ports);
  if (!kept) {
    await Deno.writeTextFile(file, JSON.stringify(chosen, null, 2) + "\n", { mode: 0o600 });
  }
  return { dir, ...pathsIn(dir), ports, basePath: chosen.basePath, ...addresses(ports, chosen) };
}

function pathsIn(dir: string) {
  return {
    dataDir: join(dir, "postgres"),
    credentialsDir: join(dir, "credentials"),
    logsDir: join(dir, "logs"),
    auditDir: join(dir, "audit"),
    stackFile: join(dir, "stack.json"),
  };
}

/** Empties a stack's directory of what a stack made there, and of nothing else. */
export async function forget(dir: string): Promise<void> {
  const { stackFile, ...folders } = pathsIn(dir);
  for (
    const path of [
      ...Object.values(folders),
      `${folders.dataDir}.new`, // an interrupted start left these two
      `${folders.dataDir}.password`,
      stackFile,
      join(dir, "addresses.json"),
    ]
  ) {
    await Deno.remove(path, { recursive: true }).catch(unlessMissing);
  }
}

export function portsFrom(first: number): Record<Listener, number> {
  return Object.fromEntries(listeners.map((name, i) => [name, first + i])) as Record<
    Listener,
    number
  >;
}

export function addresses(
  ports: Record<Listener, number>,
  { basePath, host }: Pick<Addresses, "basePath" | "host">,
) {
  const at = (name: Listener) => `http://127.0.0.1:${ports[name]}`;
  const apiUrl = `http://${host}:${ports.frontDoor}${basePath}`;
  return {
    apiUrl,
    restUrl: `${apiUrl}/rest/v1`,
    functionsUrl: `${apiUrl}/functions/v1`,
    portalUrl: `${apiUrl}/portal/`,
    loginUrl: `${apiUrl}/functions/v1/widget/login`,
    ownIssuer: `${apiUrl}/functions/v1/session`,
    issuer: at("zitadel"),
    storefrontUrl: at("storefront"),
    webhookSinkUrl: at("webhookSink"),
    mailUrl: at("mailbox"),
    providersUrl: at("providers"),
  };
}

function refuseTaken(ports: Record<Listener, number>): void {
  const taken = listeners.filter((name) => !isFree(ports[name]));
  if (taken.length === 0) return;
  const named = taken.map((name) => `${ports[name]} (${name})`).join(", ");
  throw new Failure(
    `Port ${named} is taken: stop what listens there, or start an own directory elsewhere, e.g. --dir .stack-2 --port 0 (any free ones)`,
  );
}

async function readAddresses(file: string): Promise<Addresses | undefined> {
  const text = await Deno.readTextFile(file).catch(unlessMissing);
  return text === undefined ? undefined : { host: "127.0.0.1", ...JSON.parse(text) }; // older data has none
}

function unlessMissing(error: unknown): undefined {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}
