/**
 * Weakens every policy, and every condition of the functions that decide who may, one at a time, and asks the tests of who may
 * (test/sql/matrix, test/sql/attacks_*) about each. A mutant that they pass is a hole that nobody would notice.
 *
 * Usage: `deno task db:mutate [PART]`, PART of a mutant's name: only those that hold it are judged.
 * Prints what killed each, then the rate. Exit 0 nothing survived · 1 something did · 2 wrong use.
 */
import { mutate, summary } from "../../test/sql/mutation/mutation.ts";
import { survivors, type Verdict } from "../../test/sql/mutation/run.ts";

const [part = "", ...rest] = Deno.args;
if (rest.length > 0) {
  console.error("Usage: deno task db:mutate [PART]");
  Deno.exit(2);
}

const startedAt = performance.now();
const verdicts = await mutate({
  part,
  progress(done, total, verdict) {
    if (done % 50 === 0 || done === total) console.error(`[1/1] Judge mutants  ${done}/${total}`);
    console.log(say(verdict));
  },
});
const seconds = (performance.now() - startedAt) / 1000;
console.log(`${summary(verdicts)} (${seconds.toFixed(0)} s)`);
const left = survivors(verdicts);
for (const name of left) console.log(`survived: ${name}`);
Deno.exit(left.length === 0 ? 0 : 1);

function say({ mutant, killedBy, equivalent }: Verdict): string {
  if (killedBy !== undefined) return `killed      ${mutant}\n              by ${killedBy}`;
  return equivalent === undefined
    ? `SURVIVED    ${mutant}`
    : `equivalent  ${mutant}\n              ${equivalent}`;
}
