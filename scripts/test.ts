/**
 * Runs the suites, several files at a time.
 *
 *   npm test                          every suite, with seeded samples of the large spaces
 *   deno task test [SUITE|FILE…]      the named ones: gate unit sql integration contract e2e, or files of theirs
 *   deno task ok                      the quick gate: format, lint, types, unit, SQL
 *   deno task test:full               every suite, the large spaces whole (up to an hour)
 *
 * A file that fails is shown with all that it printed. The last line is `N passed, N failed`.
 * Exit 0 all passed · 1 some failed · 2 wrong use.
 */
import { relative, resolve } from "node:path";
import { buildBundles } from "./build/bundle.ts";
import { clusters } from "../test/support/postgres.ts";
import { root } from "./stack/layout.ts";
import { all, quick } from "./test/suites.ts";
import { performAll } from "./test/pool.ts";
import { type Result, type Run, runOfFile, runsOf } from "./test/runs.ts";

function chosen(names: string[]): Run[] {
  if (names.length === 0) return all.flatMap(runsOf);
  if (names.length === 1 && names[0] === "quick") return quick.flatMap(runsOf);
  return names.flatMap((name) => {
    const suite = all.find((suite) => suite.name === name);
    if (suite) return runsOf(suite);
    const file = runOfFile(all, relative(root, resolve(name)));
    if (file) return [file];
    console.error(
      `No suite or file is called "${name}": there are ${
        all.map(({ name }) => name).join(", ")
      }, quick`,
    );
    Deno.exit(2);
  });
}

const runs = chosen(Deno.args);
const startedAt = performance.now();
await buildBundles(root); // tests serve what browsers load
await clusters(); // once for all
let ended = 0;
const results = await performAll(runs, {
  done({ run, passed, failed, seconds, output }) {
    const place = `${String(++ended).padStart(String(runs.length).length)}/${runs.length}`;
    const outcome = failed === 0 ? "ok    " : "FAILED";
    console.log(`${place}  ${outcome}  ${named(run)}  ${told({ passed, failed, seconds })}`);
    if (failed > 0) console.log(`\n${output.trimEnd()}\n`);
  },
  slow(run, seconds) {
    console.log(`…  ${named(run)} has been running for ${seconds.toFixed(0)} s`);
  },
});

console.log("");
for (const suite of new Set(runs.map(({ suite }) => suite))) {
  console.log(
    `${suite.name.padEnd(11)}  ${told(sum(results.filter(({ run }) => run.suite === suite)))}`,
  );
}
const { passed, failed } = sum(results);
const minutes = (performance.now() - startedAt) / 60_000;
for (const { run } of results.filter(({ failed }) => failed > 0)) {
  console.log(`FAILED  ${named(run)}`);
}
console.log(`\nIn ${minutes.toFixed(1)} minutes\n${passed} passed, ${failed} failed`);
Deno.exit(failed === 0 ? 0 : 1);

function named({ suite, title }: Run): string {
  return `${suite.name}  ${title}`;
}

type Told = Pick<Result, "passed" | "failed" | "seconds">;

function sum(results: Told[]): Told {
  const total = (key: keyof Told) => results.reduce((total, result) => total + result[key], 0);
  return { passed: total("passed"), failed: total("failed"), seconds: total("seconds") };
}

function told({ passed, failed, seconds }: Told): string {
  const failures = failed === 0 ? "" : `, ${failed} failed`;
  return `${passed} passed${failures}, ${seconds.toFixed(1)} s`;
}
