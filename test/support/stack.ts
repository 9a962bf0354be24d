// A whole stack for a test: the same program as `npm start`, on free ports, in a directory of its own.
import { dirname, join } from "node:path";
import type { Facts } from "../../scripts/stack/stack.ts";
import { root } from "./paths.ts";

export interface TestStack extends AsyncDisposable {
  facts: Facts;
  dir: string;
  /** Of the program; its processes are its children. */
  pid: number;
  /** Ends it as Ctrl-C does and waits. Its directory stays until disposal. */
  stop(signal?: Deno.Signal): Promise<Ended>;
}

export interface Ended {
  code: number;
  stdout: string;
  stderr: string;
}

/** Starts a stack and waits until it is ready. Throws with what it printed when it ends instead. */
export async function startStack(
  args: string[] = [],
  { dir, env }: { dir?: string; env?: Record<string, string> } = {},
): Promise<TestStack> {
  const own = dir ?? join(await Deno.makeTempDir({ prefix: "gatehouse-stack-" }), "stack");
  const file = join(own, "stack.json");
  await Deno.remove(file).catch(() => {}); // left by a stack that was killed
  const process = spawnStart([...args, "--dir", own], env);
  const ended = process.output().then(text);
  let early: Ended | undefined;
  ended.then((value) => early = value);
  let facts: Facts | undefined;
  while (!facts) {
    if (early) throw new Error(`The stack ended with ${early.code}:\n${early.stderr}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
    facts = await Deno.readTextFile(file).then((json) => JSON.parse(json), () => undefined);
  }
  const stop = async (signal: Deno.Signal = "SIGINT") => {
    if (!early) process.kill(signal);
    return await ended;
  };
  return {
    facts,
    dir: own,
    pid: process.pid,
    stop,
    async [Symbol.asyncDispose]() {
      await stop();
      if (!dir) await Deno.remove(dirname(own), { recursive: true });
    },
  };
}

/** Runs the program until it ends by itself: for what it refuses. */
export async function runStart(args: string[], env?: Record<string, string>): Promise<Ended> {
  return text(await spawnStart(args, env).output());
}

/** Every process below this one. */
export async function descendants(pid: number): Promise<Process[]> {
  const all = await processes();
  const below = (top: number): Process[] =>
    all.filter(({ parent }) => parent === top).flatMap((one) => [one, ...below(one.pid)]);
  return below(pid);
}

/** Which of these still run; one that ended and nobody asked about does not. */
export async function running(
  asked: Pick<Process, "pid" | "started">[],
): Promise<{ pid: number }[]> {
  const all = await processes();
  return asked.filter(({ pid, started }) =>
    all.some((one) => one.pid === pid && (started === undefined || one.started === started))
  );
}

/** What other users of the machine see of a process: its program and arguments. */
export async function commandLine(pid: number): Promise<string> {
  return (await shell(`cat /proc/${pid}/cmdline`)).replaceAll("\0", " ");
}

export interface Process {
  pid: number;
  parent: number;
  /** Ticks since the machine's start: tells it from a later one of the same number. Undefined: whichever has the number. */
  started?: string;
}

/** Deno itself reads /proc with every permission only, and tests have no network; `ps` may be missing. */
async function processes(): Promise<Process[]> {
  return (await shell("cat /proc/[0-9]*/stat")).split("\n").flatMap((line) => {
    // "12 (a name) S 1 …": state, parent and, at last, when it began follow the last parenthesis (proc(5)).
    const fields = line.slice(line.lastIndexOf(")") + 2).split(" ");
    const [state, parent, started] = [fields[0], fields[1], fields[19]];
    return parent === undefined || started === undefined || state === "Z"
      ? []
      : { pid: parseInt(line), parent: Number(parent), started };
  });
}

async function shell(script: string): Promise<string> {
  const { stdout } = await new Deno.Command("sh", { args: ["-c", script], stderr: "null" })
    .output();
  return new TextDecoder().decode(stdout);
}

/** The program, on free ports. */
export function spawnStart(args: string[], env: Record<string, string> = {}): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--cached-only", "--no-prompt", "scripts/start.ts", "--port", "0", ...args],
    cwd: root,
    env: { ...env, DENO_NO_UPDATE_CHECK: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

function text({ code, stdout, stderr }: Deno.CommandOutput): Ended {
  const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: decode(stdout), stderr: decode(stderr) };
}
