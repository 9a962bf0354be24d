import assert from "node:assert/strict";
import fc from "fast-check";
import { Pace } from "../../functions/_worker/pace.ts";

/** A clock that only moves when somebody waits, and then by a little too much. */
class Clock {
  ms = 0;
  readonly late: () => number;
  constructor(late: () => number = () => 0) {
    this.late = late;
  }
  pace() {
    return new Pace(() => this.ms, (ms) => {
      this.ms += ms + this.late();
      return Promise.resolve();
    });
  }
}

/** The most within any second. */
function most(times: number[]): number {
  return Math.max(
    ...times.map((from) => times.filter((t) => t >= from && t < from + 1_000).length),
  );
}

Deno.test("a batch is spread evenly, with 1 % kept back", async () => {
  const clock = new Clock();
  const pace = clock.pace();
  pace.take({ perSecond: 100, startsInMs: 0 });
  const sent: number[] = [];
  for (let i = 0; i < 500; i++) {
    const answered = await pace.next();
    sent.push(clock.ms);
    answered();
  }
  assert.ok(most(sent) <= 100, `${most(sent)}`);
  const perSecond = 499 / (sent.at(-1)! / 1_000);
  assert.ok(perSecond > 96 && perSecond <= 100, `${perSecond}`);
});

Deno.test("property: however late timers and however long the pauses, no second holds more", async () => {
  const rates = fc.integer({ min: 1, max: 200 });
  const delays = fc.array(fc.integer({ min: 0, max: 700 }), { minLength: 1, maxLength: 30 });
  await fc.assert(
    fc.asyncProperty(rates, delays, async (perSecond, lates) => {
      let i = 0;
      const clock = new Clock(() => lates[i++ % lates.length]! / (i % 3 === 0 ? 1 : 50));
      const pace = clock.pace();
      const sent: number[] = [];
      for (let batch = 0; batch < 3; batch++) {
        pace.take({ perSecond, startsInMs: 0 });
        for (let n = 0; n < perSecond; n++) {
          await pace.next();
          sent.push(clock.ms);
        }
      }
      assert.ok(most(sent) <= perSecond, `${most(sent)} of ${perSecond}`);
    }),
    { numRuns: 100 },
  );
});

Deno.test("property: however long requests are on their way, up to 50 ms, no second holds more where they arrive", async () => {
  const rates = fc.integer({ min: 1, max: 100 });
  const ways = fc.array(fc.integer({ min: 0, max: 50 }), { minLength: 1, maxLength: 20 });
  await fc.assert(
    fc.asyncProperty(rates, ways, async (perSecond, onTheWay) => {
      const clock = new Clock();
      const pace = clock.pace();
      pace.take({ perSecond, startsInMs: 0 });
      const arrived: number[] = [];
      for (let n = 0; n < perSecond * 3; n++) {
        await pace.next(); // answered long after it arrived
        arrived.push(clock.ms + onTheWay[n % onTheWay.length]!);
      }
      assert.ok(most(arrived) <= perSecond, `${most(arrived)} of ${perSecond}`);
    }),
    { numRuns: 100 },
  );
});

Deno.test("property: another worker that starts when this one says so makes no second too full", async () => {
  const rates = fc.integer({ min: 2, max: 100 });
  await fc.assert(
    fc.asyncProperty(rates, fc.integer({ min: 0, max: 900 }), async (perSecond, stall) => {
      const clock = new Clock();
      const one = clock.pace();
      one.take({ perSecond, startsInMs: 0 });
      const sent: number[] = [];
      for (let n = 0; n < perSecond * 2; n++) {
        if (n === perSecond) clock.ms += stall; // then late ones follow close together
        await one.next();
        sent.push(clock.ms);
      }
      const other = clock.pace();
      other.take({ perSecond, startsInMs: one.resumesInMs() });
      for (let n = 0; n < perSecond * 2; n++) {
        await other.next();
        sent.push(clock.ms);
      }
      assert.ok(most(sent) <= perSecond, `${most(sent)} of ${perSecond}`);
    }),
    { numRuns: 100 },
  );
});

Deno.test("lanes that ask at once go one after the other", async () => {
  const clock = new Clock();
  const pace = clock.pace();
  pace.take({ perSecond: 10, startsInMs: 500 });
  const at = await Promise.all(Array.from({ length: 4 }, async () => {
    await pace.next();
    return clock.ms;
  }));
  assert.ok(at[0]! >= 500);
  assert.ok(most(at) <= 10);
  assert.deepEqual([...at].sort((a, b) => a - b), at);
});
