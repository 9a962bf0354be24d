import assert from "node:assert/strict";
import { z } from "zod";
import { type Loop, pause, startLoops } from "../../functions/_worker/loops.ts";
import { drain, Nothing, parentOf, task, type TaskContext } from "../../functions/_worker/task.ts";

const context = {
  holder: "test",
  now: () => new Date(),
  stopping: new AbortController().signal,
} as unknown as TaskContext;

Deno.test("a payload is checked without its envelope; anything more is refused", async () => {
  const seen: unknown[] = [];
  const handle = task(z.strictObject({ tenantId: z.string() }), (payload) => {
    seen.push(payload);
    return Promise.resolve();
  });
  await handle({ tenantId: "t", _otel: { traceparent: "x" }, _cron: { ts: "y" } }, context);
  assert.deepEqual(seen, [{ tenantId: "t" }]);
  await assert.rejects(handle({ tenantId: "t", password: "p" }, context), { name: "ZodError" });
  await assert.rejects(handle({}, context), { name: "ZodError" });
  await task(Nothing, () => Promise.resolve())(null, context);
});

Deno.test("the parent span is read from the envelope only", () => {
  assert.equal(parentOf({ id: 1, _otel: { traceparent: "00-a" } }), "00-a");
  for (const raw of [null, {}, [], "x", { _otel: 1 }, { traceparent: "00-a" }]) {
    assert.equal(parentOf(raw), undefined);
  }
});

Deno.test("drain goes on while batches are full, and stops when asked", async () => {
  const stop = new AbortController();
  const counts = [10, 10, 3, 10];
  let runs = 0;
  await drain(10, stop.signal, () => Promise.resolve(counts[runs++]!));
  assert.equal(runs, 3);
  await drain(10, stop.signal, () => {
    stop.abort();
    return Promise.resolve(10);
  });
});

/** Until `enough`. */
async function runLoop(task: Loop["task"], lead: () => Promise<boolean>, enough: Promise<void>) {
  const stop = new AbortController();
  const { holder: _holder, ...shared } = context;
  const loops = startLoops([{ name: "x", everyMs: 5, task }], lead, {
    ...shared,
    stopping: stop.signal,
  });
  await enough;
  stop.abort();
  await loops.stop();
}

Deno.test("a loop runs where its lock is held, and nowhere else", async () => {
  let runs = 0;
  const third = Promise.withResolvers<void>();
  const count = () => {
    runs += 1;
    if (runs === 3) third.resolve();
    return Promise.resolve();
  };
  const aWhile = new Promise<void>((resolve) => setTimeout(resolve, 60));
  await runLoop(count, () => Promise.resolve(false), aWhile);
  assert.equal(runs, 0);
  await runLoop(count, () => Promise.resolve(true), third.promise);
});

Deno.test("a loop that fails goes on, each time after twice the wait", async () => {
  const at: number[] = [];
  const fifth = Promise.withResolvers<void>();
  const fail = () => {
    at.push(performance.now());
    if (at.length === 5) fifth.resolve();
    return Promise.reject(new Error("not now"));
  };
  await runLoop(fail, () => Promise.resolve(true), fifth.promise);
  for (const [nth, least] of [10, 20, 40, 80].entries()) {
    const waited = at[nth + 1]! - at[nth]!;
    assert.ok(waited >= least - 1, `${waited} ms after failure ${nth + 1}`); // timers may be a little early
  }
});

Deno.test("a pause ends when a stop is asked for", async () => {
  const stop = new AbortController();
  const began = performance.now();
  setTimeout(() => stop.abort(), 10);
  await pause(60_000, stop.signal);
  await pause(60_000, stop.signal);
  assert.ok(performance.now() - began < 60_000);
});
