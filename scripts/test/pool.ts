// Several at a time, in the order given; those that hold the product to a time last.
import { widestPorts } from "../stack/ports.ts";
import { perform, type Result, type Run } from "./runs.ts";

/** More than four, and the tests would want more connections than their databases have. */
const processors = Math.min(navigator.hardwareConcurrency, 4);

export interface Hearing {
  /** Each as it ends. */
  done(result: Result): void;
  /** Every minute, of each that has been running for more than two. */
  slow(run: Run, seconds: number): void;
}

export async function performAll(runs: Run[], hearing: Hearing): Promise<Result[]> {
  // Tests wait for processes as often as they compute.
  const results = await pool(runs.filter(({ timed }) => !timed), processors + 1, hearing);
  const last = await pool(runs.filter(({ timed }) => timed), processors, hearing);
  return [...results, ...last];
}

async function pool(
  runs: Run[],
  places: number,
  { done, slow }: Hearing,
): Promise<Result[]> {
  const results: Result[] = [];
  const since = new Map<Run, number>();
  const telling = setInterval(() => {
    for (const [run, began] of since) {
      const seconds = (performance.now() - began) / 1000;
      if (seconds > 120) slow(run, seconds);
    }
  }, 60_000);
  const waiting = runs.values();
  const [lowest, highest] = widestPorts;
  const width = Math.floor((highest - lowest) / places);
  await Promise.all(Array.from({ length: places }, async (_, place) => {
    const first = lowest + place * width;
    for (const run of waiting) {
      since.set(run, performance.now());
      const result = await perform(run, `${first}-${first + width}`);
      since.delete(run);
      results.push(result);
      done(result);
    }
  }));
  clearInterval(telling);
  return results;
}
