// The processes that a suite takes, how each is run, and how its tests are counted.
import { basename, join, resolve } from "node:path";
import { clusters } from "../../test/support/postgres.ts";
import { portsVariable } from "../stack/ports.ts";
import { root } from "../stack/layout.ts";
import { type Count, countJunit } from "./junit.ts";
import type { Suite } from "./suites.ts";

export interface Run {
  suite: Suite;
  /** For people: a file or the command's own name. */
  title: string;
  timed: boolean;
  /** A file or folder of tests, else Deno's arguments. */
  what: string | string[];
}

export interface Result extends Count {
  run: Run;
  seconds: number;
  /** Everything that it printed. */
  output: string;
}

/** One for each command or file. */
export function runsOf(suite: Suite): Run[] {
  const { commands = {}, folder, together = false, timed = [] } = suite;
  const runs = Object.entries(commands)
    .map(([title, what]) => ({ suite, title, timed: false, what }) as Run);
  if (folder === undefined) return runs;
  if (together) return [...runs, { suite, title: folder, timed: false, what: folder }];
  const files = testsIn(join(root, folder)).sort();
  const missing = timed.filter((name) => !files.includes(name));
  if (missing.length > 0) throw new Error(`${folder} has no ${missing.join(", ")}`);
  return [
    ...runs,
    ...files.map((name) => (
      { suite, title: name, timed: timed.includes(name), what: `${folder}/${name}` }
    )),
  ];
}

/** Of one file, by its path; undefined where no suite has it. */
export function runOfFile(suites: Suite[], path: string): Run | undefined {
  const suite = suites.find(({ folder }) => folder !== undefined && path.startsWith(`${folder}/`));
  const found = suite && runsOf({ ...suite, together: false }).find(({ what }) => what === path);
  return found && { ...found, suite };
}

/** The files below a folder, by their path in it. */
function testsIn(folder: string): string[] {
  return [...Deno.readDirSync(folder)].flatMap(({ name, isDirectory }) => {
    if (isDirectory) return testsIn(join(folder, name)).map((path) => join(name, path));
    return name.endsWith(".test.ts") ? [name] : [];
  });
}

/** @param ports from which a test takes its own: `12000-15000`; two runs at a time have nothing in common. */
export async function perform(run: Run, ports: string): Promise<Result> {
  const startedAt = performance.now();
  const counted = typeof run.what === "string"
    ? await runTests(run, run.what, ports)
    : await runCommand(run.what);
  return { run, seconds: (performance.now() - startedAt) / 1000, ...counted };
}

type Counted = Omit<Result, "run" | "seconds">;

async function runCommand(what: string[]): Promise<Counted> {
  const { code, output } = await printed([Deno.execPath(), ...what]);
  return { passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, output };
}

/** Not even a test may look outside. A suite in a namespace of its own is held by that: Playwright reads /proc, which Deno gives to -A alone. */
const loopbackOnly = [
  "--allow-net=127.0.0.0/8,localhost,[::1]",
  ...["--allow-read", "--allow-write", "--allow-env", "--allow-run", "--allow-sys"],
];

/** One that ran no test, or broke outside its tests, counts as one failure. */
async function runTests({ suite }: Run, path: string, ports: string): Promise<Counted> {
  const report = await Deno.makeTempFile({ suffix: ".xml" });
  try {
    const { code, output } = await printed(
      [
        ...suite.before ?? [],
        Deno.execPath(),
        "test",
        ...["--cached-only", "--no-prompt", "--no-check"],
        ...suite.before ? ["-A"] : loopbackOnly,
        ...suite.together ? ["--parallel"] : [],
        `--junit-path=${report}`,
        path,
      ],
      {
        [portsVariable]: ports,
        GATEHOUSE_TEST_PG: suite.databases ? JSON.stringify(await clusters()) : "",
      },
    );
    const count = countJunit(await Deno.readTextFile(report));
    if (count.passed + count.failed === 0) {
      return { passed: 0, failed: 1, output: `${output}\nNo test ran in ${basename(path)}` };
    }
    if (code === 0 || count.failed > 0) return { ...count, output };
    return { ...count, failed: 1, output: `${output}\nIt ended with exit code ${code}` };
  } finally {
    await Deno.remove(report);
  }
}

/** Runs it to its end; both its streams as they came. */
async function printed(command: string[], env: Record<string, string> = {}) {
  const [program = "", ...args] = command;
  const child = new Deno.Command(program.includes("/") ? resolve(root, program) : program, {
    args,
    cwd: root,
    env: {
      ...env,
      ...Deno.stdout.isTerminal() ? {} : { NO_COLOR: "1" },
      DENO_NO_UPDATE_CHECK: "1",
    },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let output = "";
  const keep = async (stream: ReadableStream<Uint8Array<ArrayBuffer>>) => {
    for await (const text of stream.pipeThrough(new TextDecoderStream())) output += text;
  };
  await Promise.all([keep(child.stdout), keep(child.stderr)]);
  return { code: (await child.status).code, output };
}
