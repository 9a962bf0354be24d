// Runs one suite and counts its tests. A suite that ran none, or broke outside a test, counts as one failure.
import { resolve } from "node:path";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import type { ReadableStream as NodeReadableStream } from "node:stream/web";
import { clusters } from "../../test/support/postgres.ts";
import { root } from "../stack/layout.ts";
import type { Suite } from "./suites.ts";

export interface Result {
  name: string;
  passed: number;
  failed: number;
  seconds: number;
}

/** `beside`: others run at the same time, so each line of the output names its suite. */
export async function runSuite(suite: Suite, { beside = false } = {}): Promise<Result> {
  console.log(`\n== ${suite.name}`);
  const startedAt = performance.now();
  const prefix = beside ? `${suite.name}: ` : undefined;
  const counted = "commands" in suite ? await runCommands(suite) : await runTests(suite, prefix);
  return { name: suite.name, ...counted, seconds: (performance.now() - startedAt) / 1000 };
}

interface Count {
  passed: number;
  failed: number;
}

async function runCommands({ commands }: Extract<Suite, { commands: unknown }>): Promise<Count> {
  const results: boolean[] = [];
  for (const { title, deno } of commands) {
    const code = await run([Deno.execPath(), ...deno]);
    console.log(`${title} ... ${code === 0 ? "ok" : "FAILED"}`);
    results.push(code === 0);
  }
  return { passed: results.filter((ok) => ok).length, failed: results.filter((ok) => !ok).length };
}

/** Not even a test may look outside. A suite in a namespace of its own is held by that: Playwright reads /proc, which Deno gives to -A alone. */
const loopbackOnly = [
  "--allow-net=127.0.0.0/8,localhost,[::1]",
  ...["--allow-read", "--allow-write", "--allow-env", "--allow-run", "--allow-sys"],
];

async function runTests(
  suite: Extract<Suite, { folder: string }>,
  prefix: string | undefined,
): Promise<Count> {
  const report = await Deno.makeTempFile({ suffix: ".xml" });
  try {
    const code = await run(
      [
        ...suite.before ?? [],
        Deno.execPath(),
        "test",
        ...["--cached-only", "--no-prompt", "--no-check", "--permit-no-files"],
        ...suite.before ? ["-A"] : loopbackOnly,
        ...suite.parallel ? ["--parallel"] : [],
        `--junit-path=${report}`,
        suite.folder,
      ],
      { GATEHOUSE_TEST_PG: suite.databases ? JSON.stringify(await clusters()) : "" },
      prefix,
    );
    const count = countJunit(await Deno.readTextFile(report));
    if (count.passed + count.failed === 0) {
      console.log(`${suite.name}: no test ran in ${suite.folder}`);
      return { passed: 0, failed: 1 };
    }
    if (code !== 0 && count.failed === 0) {
      console.log(`${suite.name}: ended with exit code ${code} outside its tests`);
      return { ...count, failed: 1 };
    }
    return count;
  } finally {
    await Deno.remove(report);
  }
}

/** Counts the tests and steps of Deno's report; what was ignored counts nowhere. */
export function countJunit(xml: string): Count {
  const count = { passed: 0, failed: 0 };
  for (const [suite] of xml.matchAll(/<testsuite\s[^>]*>/g)) {
    const number = (name: string) =>
      Number(new RegExp(`\\s${name}="(\\d+)"`).exec(suite)?.[1] ?? 0);
    const failed = number("failures") + number("errors");
    count.failed += failed;
    count.passed += number("tests") - failed - number("disabled");
  }
  return count;
}

async function run(
  command: string[],
  env: Record<string, string> = {},
  prefix?: string,
): Promise<number> {
  const [program = "", ...args] = command;
  const output = prefix === undefined ? "inherit" : "piped";
  const child = new Deno.Command(program.includes("/") ? resolve(root, program) : program, {
    args,
    cwd: root,
    env: {
      ...env,
      ...Deno.stdout.isTerminal() ? {} : { NO_COLOR: "1" },
      DENO_NO_UPDATE_CHECK: "1",
    },
    stdin: "null",
    stdout: output,
    stderr: output,
  }).spawn();
  if (prefix !== undefined) {
    await Promise.all([tell(child.stdout, prefix), tell(child.stderr, prefix)]);
  }
  return (await child.status).code;
}

/** Passes lines on with a word in front, so that those of several commands can be told apart. */
async function tell(stream: ReadableStream<Uint8Array>, prefix: string): Promise<void> {
  const input = Readable.fromWeb(stream as NodeReadableStream);
  for await (const line of createInterface({ input })) console.log(prefix + line);
}
