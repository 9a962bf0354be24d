// Several at a time: first what may run beside others, in the order given, then the rest, one by one.
import { widestPorts } from "../stack/ports.ts";
import { perform, type Result, type Run } from "./runs.ts";

/** Tests wait for processes as often as they compute: one more than processors. */
const places = navigator.hardwareConcurrency + 1;

/** `done` hears of each as it ends. */
export async function performAll(runs: Run[], done: (result: Result) => void): Promise<Result[]> {
  const results: Result[] = [];
  const waiting = runs.filter(({ alone }) => !alone).values();
  const take = async (runs: Iterable<Run>, ports: string) => {
    for (const run of runs) {
      const result = await perform(run, ports);
      results.push(result);
      done(result);
    }
  };
  const [lowest, highest] = widestPorts;
  const width = Math.floor((highest - lowest) / places);
  await Promise.all(Array.from({ length: places }, (_, place) => {
    const first = lowest + place * width;
    return take(waiting, `${first}-${first + width}`);
  }));
  await take(runs.filter(({ alone }) => alone), `${lowest}-${highest}`);
  return results;
}
