import assert from "node:assert/strict";
import { line } from "../../functions/_worker/line.ts";
import { pause } from "../../functions/_worker/loops.ts";

const never = new AbortController().signal;

Deno.test("calls in a line run one after the other, in the order in which they came", async () => {
  const inLine = line(60_000);
  const seen: string[] = [];
  let running = 0;
  const call = (n: number) => async () => {
    seen.push(`${n} of ${++running}`);
    await pause(n === 0 ? 20 : 0, never); // the first takes longest
    running--;
    return n;
  };
  const results = await Promise.all([0, 1, 2, 3].map((n) => inLine(call(n))));
  assert.deepEqual(results, [0, 1, 2, 3]);
  assert.deepEqual(seen, ["0 of 1", "1 of 1", "2 of 1", "3 of 1"]);
});

Deno.test("a failed call fails for its caller only", async () => {
  const inLine = line(60_000);
  const failed = inLine(() => Promise.reject(new Error("the first")));
  const next = inLine(() => Promise.resolve("the second"));
  await assert.rejects(failed, { message: "the first" });
  assert.equal(await next, "the second");
});

Deno.test("a call that hangs lets the next begin after its time", async () => {
  const inLine = line(20);
  const hung = Promise.withResolvers<string>();
  const first = inLine(() => hung.promise);
  const next = await inLine(() => Promise.resolve("the second")); // else this hangs too
  assert.equal(next, "the second");
  hung.resolve("the first, late");
  assert.equal(await first, "the first, late");
});
