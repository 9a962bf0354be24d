// A Postgres that a test may restart or kill, with the queue in it, and worker processes beside it.
import { join } from "node:path";
import postgres from "postgres";
import { migrate } from "../../scripts/migrate.ts";
import type { Child } from "../../scripts/stack/child.ts";
import {
  type Cluster,
  initPostgres,
  startPostgres,
  superuserUrl,
} from "../../scripts/stack/postgres.ts";
import { findFreeRow } from "../../scripts/stack/ports.ts";

const here = import.meta.dirname!;
const deno = join(here, "../../node_modules/.bin/deno");

export class RestartablePostgres implements AsyncDisposable {
  #child: Child | undefined;
  private constructor(readonly dir: string, readonly cluster: Cluster) {}

  /** Durable as in production: what a crash loses is part of what is tested. */
  static async start(): Promise<RestartablePostgres> {
    const dir = await Deno.makeTempDir({ prefix: "gatehouse-worker-" });
    await Deno.chmod(dir, 0o755);
    const server = new RestartablePostgres(dir, {
      dataDir: join(dir, "data"),
      port: findFreeRow(1),
      password: crypto.randomUUID(),
      logFile: join(dir, "postgres.log"),
      durable: true,
    });
    await initPostgres(server.cluster);
    await server.start();
    return server;
  }

  async start(): Promise<void> {
    this.#child = await startPostgres(this.cluster);
  }

  /**
   * `fast` ends the sessions; `immediate` is a crash: recovery follows at the next start; `kill` is kill -9 of the
   * postmaster, whose backends find out by themselves. Resolves when the last of them is gone.
   */
  async stop(how: "fast" | "immediate" | "kill"): Promise<void> {
    const signals = { fast: "SIGINT", immediate: "SIGQUIT", kill: "SIGKILL" } as const;
    Deno.kill(this.#child!.pid, signals[how]);
    await this.#child!.exited;
    this.#child = undefined;
  }

  url(database?: string): string {
    return superuserUrl(this.cluster, database);
  }

  connect(database?: string): postgres.Sql {
    return postgres(this.url(database), { max: 2, onnotice: () => {} });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child) await this.stop("fast");
    await Deno.remove(this.dir, { recursive: true });
  }
}

/** A worker process of test/integration/worker_child.ts, with what it logged. */
export interface WorkerProcess {
  pid: number;
  lines: { message: string; [field: string]: unknown }[];
  exited: Promise<Deno.CommandStatus>;
  signal(name: Deno.Signal): Promise<Deno.CommandStatus>;
  printed(message: string): Promise<void>;
}

export function startChild(
  url: string,
  part: "notes" | "deliveries" | "sinks" | "mails" = "notes",
  env: Record<string, string> = {},
): WorkerProcess {
  const process = new Deno.Command(deno, {
    args: ["run", "-A", "--cached-only", join(here, "worker_child.ts"), url, part],
    env: { DENO_NO_UPDATE_CHECK: "1", NO_COLOR: "1", ...env },
    stdout: "piped",
    stderr: "inherit",
    stdin: "null",
  }).spawn();
  const lines: WorkerProcess["lines"] = [];
  const waiting = new Set<() => void>();
  const reading = read(process.stdout, (line) => {
    lines.push(JSON.parse(line)); // every line of a worker is JSON
    waiting.forEach((look) => look());
  });
  const exited = process.status.then(async (status) => {
    await reading;
    return status;
  });
  return {
    pid: process.pid,
    lines,
    exited,
    signal(name) {
      process.kill(name);
      return exited;
    },
    printed: (message) =>
      new Promise((resolve, reject) => {
        const look = () => {
          if (!lines.some((line) => line.message === message)) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        look();
        exited.then(() => reject(new Error(`ended before "${message}": ${JSON.stringify(lines)}`)));
      }),
  };
}

/** Starts a worker, and the next one when it ends by itself: what the stack's supervisor does, without its back-off. */
export function supervise(url: string): { starts: number[]; stop(): Promise<void> } {
  const starts: number[] = [];
  let child: WorkerProcess;
  let over = false;
  const running = (async () => {
    while (!over) {
      child = startChild(url);
      starts.push(child.pid);
      await child.exited;
      if (!over) await sleep(200);
    }
  })();
  return {
    starts,
    async stop() {
      over = true;
      await child.signal("SIGTERM");
      await running;
    },
  };
}

export const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function read(stream: ReadableStream<Uint8Array>, onLine: (line: string) => void) {
  let rest = "";
  const decoder = new TextDecoder();
  for await (const chunk of stream) {
    const parts = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = parts.pop() ?? "";
    parts.filter(Boolean).forEach(onLine);
  }
}

/** A migrated database of its own; the address is the worker's. */
export async function queueDatabase(server: RestartablePostgres, name: string): Promise<string> {
  const [owner, worker] = [crypto.randomUUID(), crypto.randomUUID()];
  const admin = server.connect();
  await admin.unsafe(`create role gatehouse_migrator login createrole password '${owner}'`);
  await admin.unsafe(`create database ${name} owner gatehouse_migrator`);
  const at = (role: string, password: string) =>
    `postgres://${role}:${password}@127.0.0.1:${server.cluster.port}/${name}`;
  await migrate({ url: at("gatehouse_migrator", owner) });
  await admin.unsafe(`alter role gatehouse_worker password '${worker}'`);
  await admin.end();
  return at("gatehouse_worker", worker);
}
