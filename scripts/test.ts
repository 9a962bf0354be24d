/**
 * Runs the suites.
 *
 *   npm test                          every suite, with seeded samples of the large spaces
 *   deno task test [SUITE…]           the named ones: gate unit sql integration contract e2e
 *   deno task ok                      the quick gate: format, lint, types, unit, SQL
 *   deno task test:full               every suite, the large spaces whole (up to an hour)
 *
 * The last line is `N passed, N failed`. Exit 0 all passed · 1 some failed · 2 wrong use.
 */
import { buildBundles } from "./build/bundle.ts";
import { clusters } from "../test/support/postgres.ts";
import { root } from "./stack/layout.ts";
import * as suites from "./test/suites.ts";
import { type Result, runSuite } from "./test/run_suite.ts";

const named = new Map<string, suites.Suite>([
  ["gate", suites.gate],
  ["unit", suites.unit],
  ["sql", suites.sql],
  ["integration", suites.integration],
  ["contract", suites.contract],
  ["e2e", suites.e2e],
]);

function chosen(names: string[]): suites.Stage[] {
  if (names.length === 0) return suites.all;
  if (names.length === 1 && names[0] === "quick") return suites.quick;
  return names.map((name) => {
    const suite = named.get(name);
    if (suite) return [[suite]];
    console.error(`No suite is called "${name}": there are ${[...named.keys()].join(", ")}, quick`);
    Deno.exit(2);
  });
}

await buildBundles(root); // tests serve what browsers load
const results: Result[] = [];
for (const lanes of chosen(Deno.args)) {
  await clusters(); // once for all lanes
  const beside = lanes.length > 1;
  await Promise.all(lanes.map(async (lane) => {
    for (const suite of lane) results.push(await runSuite(suite, { beside }));
  }));
}

const width = Math.max(...results.map(({ name }) => name.length));
console.log("");
for (const { name, passed, failed, seconds } of results) {
  console.log(
    `${name.padEnd(width)}  ${String(passed).padStart(5)} passed  ${failed} failed  ${
      seconds.toFixed(1)
    } s`,
  );
}
const sum = (key: "passed" | "failed") => results.reduce((total, result) => total + result[key], 0);
const failed = sum("failed");
console.log(`\n${sum("passed")} passed, ${failed} failed`);
Deno.exit(failed === 0 ? 0 : 1);
