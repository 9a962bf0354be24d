// One child process: its own environment, its own log file, and it never outlives us.
// Next: supervisor.ts (restarts it), postgres.ts and processes.ts (what is started).
import { dirname } from "node:path";

export interface Spec {
  name: string;
  command: readonly [string, ...string[]];
  /** The whole environment but for PATH, HOME and Deno's cache: a process sees only what is meant for it. */
  env?: Record<string, string>;
  cwd?: string;
  logFile: string;
  /**
   * Resolves when the process serves; called once a start. `printed(line)` waits for a line on its standard output; the
   * signal tells that nobody waits any more.
   */
  ready?: (printed: (line: string) => Promise<void>, signal: AbortSignal) => Promise<void>;
  /** The signal of a clean end; SIGKILL follows after `graceMs`. Default SIGTERM, 8000 ms. */
  stopSignal?: Deno.Signal;
  graceMs?: number;
}

export interface Child {
  pid: number;
  exited: Promise<Deno.CommandStatus>;
  /** Resolves when the process has printed exactly this line; never when it ends first (see `exited`). */
  printed(line: string): Promise<void>;
  stop(): Promise<void>;
}

const maxLogBytes = 10_000_000;

/** Starts a process in a session of its own (Ctrl-C reaches us only), which gets its stop signal when we die, even by kill -9. */
export async function spawn(spec: Spec): Promise<Child> {
  const stopSignal = spec.stopSignal ?? "SIGTERM";
  const log = await openLog(spec.logFile);
  const process = new Deno.Command("setpriv", {
    args: ["--pdeathsig", stopSignal.slice("SIG".length), ...spec.command],
    clearEnv: true,
    env: { ...baseEnvironment(), ...spec.env },
    cwd: spec.cwd,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    detached: true,
  }).spawn();

  const waiting = new Map<string, () => void>();
  const seen = new Set<string>();
  const pumps = [
    pump(process.stdout, log, (line) => {
      if (seen.size < 100) seen.add(line);
      waiting.get(line)?.();
    }),
    pump(process.stderr, log),
  ];
  const exited = process.status.then(async (status) => {
    await Promise.all(pumps);
    log.close();
    return status;
  });

  return {
    pid: process.pid,
    exited,
    printed: (line) =>
      seen.has(line)
        ? Promise.resolve()
        : new Promise((resolve) => waiting.set(line, () => resolve())),
    async stop() {
      signal(process, stopSignal);
      const timer = setTimeout(() => signal(process, "SIGKILL"), spec.graceMs ?? 8000);
      await exited;
      clearTimeout(timer);
    },
  };
}

/** The last lines of a log, for the message of a failed start. */
export async function tail(logFile: string, lines = 12): Promise<string> {
  const text = await Deno.readTextFile(logFile).catch(() => "");
  return text.trimEnd().split("\n").slice(-lines).map((line) => `    ${line}`).join("\n");
}

function signal(process: Deno.ChildProcess, name: Deno.Signal): void {
  try {
    process.kill(name);
  } catch (error) {
    // It ended between the decision and the signal.
    if (!(error instanceof Deno.errors.NotFound || error instanceof TypeError)) throw error;
  }
}

async function openLog(path: string): Promise<Deno.FsFile> {
  await Deno.mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const size = await Deno.stat(path).then((info) => info.size, () => 0);
  if (size > maxLogBytes) await Deno.rename(path, `${path}.1`);
  return await Deno.open(path, { append: true, create: true, mode: 0o600 });
}

async function pump(
  stream: ReadableStream<Uint8Array>,
  log: Deno.FsFile,
  onLine?: (line: string) => void,
): Promise<void> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of stream) {
    for (let written = 0; written < chunk.length;) {
      written += await log.write(chunk.subarray(written));
    }
    if (!onLine) continue;
    const parts = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = parts.pop() ?? "";
    parts.forEach((line) => onLine(line.trimEnd()));
  }
}

function baseEnvironment(): Record<string, string> {
  const kept = ["PATH", "HOME", "DENO_DIR", "TZ"].flatMap((name) => {
    const value = Deno.env.get(name);
    return value === undefined ? [] : [[name, value] as const];
  });
  return { ...Object.fromEntries(kept), DENO_NO_UPDATE_CHECK: "1", NO_COLOR: "1" };
}
