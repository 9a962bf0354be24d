// Where nothing is made, the answer takes as long as where something was.
import assert from "node:assert/strict";
import { Lasting } from "../../../functions/widget/flow/lasting.ts";

Deno.test("nothing made waits as long as one of the last that were, less what it took itself", async () => {
  let now = 0;
  const waits: number[] = [];
  const lasting = new Lasting(() => now, (ms) => {
    waits.push(ms);
    now += ms;
    return Promise.resolve();
  }, () => 0.99);
  const take = (ms: number, made: string | undefined) =>
    lasting.like(() => {
      now += ms;
      return Promise.resolve(made);
    });
  assert.equal(await take(50, undefined), undefined);
  assert.deepEqual(waits, [0], "nothing is known yet");
  assert.equal(await take(1_000, "first"), "first");
  assert.equal(await take(3_000, "second"), "second");
  await take(50, undefined);
  assert.equal(waits.at(-1), 2_950);
  await take(9_000, undefined);
  assert.equal(waits.at(-1), 0, "it was slow enough by itself");
  for (let n = 0; n < 40; n++) await take(10, "more");
  await take(1, undefined);
  assert.equal(waits.at(-1), 9, "old ones are forgotten");
});

Deno.test("what fails is no measure", async () => {
  let now = 0;
  const waits: number[] = [];
  const lasting = new Lasting(() => now, (ms) => Promise.resolve(void waits.push(ms)), () => 0);
  await assert.rejects(lasting.like(() => {
    now += 5_000;
    return Promise.reject(new Error("down"));
  }));
  await lasting.like(() => Promise.resolve(undefined));
  assert.deepEqual(waits, [0]);
});
