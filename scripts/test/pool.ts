// Several at a time, in the order given; those that hold the product to a time last.
import { widestPorts } from "../stack/ports.ts";
import { perform, type Result, type Run } from "./runs.ts";

const processors = Math.min(navigator.hardwareConcurrency, 16);

/** `done` hears of each as it ends. */
export async function performAll(runs: Run[], done: (result: Result) => void): Promise<Result[]> {
  // Tests wait for processes as often as they compute.
  const results = await pool(runs.filter(({ timed }) => !timed), processors + 1, done);
  const last = await pool(runs.filter(({ timed }) => timed), processors, done);
  return [...results, ...last];
}

async function pool(
  runs: Run[],
  places: number,
  done: (result: Result) => void,
): Promise<Result[]> {
  const results: Result[] = [];
  const waiting = runs.values();
  const [lowest, highest] = widestPorts;
  const width = Math.floor((highest - lowest) / places);
  await Promise.all(Array.from({ length: places }, async (_, place) => {
    const first = lowest + place * width;
    for (const run of waiting) {
      const result = await perform(run, `${first}-${first + width}`);
      results.push(result);
      done(result);
    }
  }));
  return results;
}
