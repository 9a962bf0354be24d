// All of it: a seeded database of its own, its mutants, a verdict on each.
import { createDatabase } from "../../support/database.ts";
import { readTruth } from "../matrix/check.ts";
import { prepareToObserve } from "../matrix/observe.ts";
import { seed } from "../matrix/seed.ts";
import { functionMutants } from "./function_mutants.ts";
import { policyMutants } from "./policy_mutants.ts";
import { judgeFunction, judgePolicy, sample, type Verdict } from "./run.ts";

export interface Choice {
  /** Of a mutant's name: only those that hold it. */
  part?: string;
  /** How many of each kind; absent: all. */
  policies?: number;
  functions?: number;
  /** Decides which. */
  seed?: number;
  progress?: (done: number, total: number, verdict: Verdict) => void;
}

export async function mutate(
  { part = "", policies, functions, seed: from = 1, progress }: Choice = {},
): Promise<Verdict[]> {
  await using database = await createDatabase();
  const sql = database.connect(undefined, { max: 1 });
  await seed(sql);
  await prepareToObserve(sql);
  const truth = await readTruth(sql);
  const chosen = <M extends { name: string }>(all: M[], count = all.length) =>
    sample(all.filter(({ name }) => name.includes(part)), count, from);
  const work = [
    ...chosen(await policyMutants(sql), policies).map((one) => () => judgePolicy(sql, truth, one)),
    ...chosen(await functionMutants(sql), functions)
      .map((one) => () => judgeFunction(sql, truth, one)),
  ];
  const verdicts: Verdict[] = [];
  for (const judge of work) {
    const verdict = await judge();
    verdicts.push(verdict);
    progress?.(verdicts.length, work.length, verdict);
  }
  return verdicts;
}

/** `637 mutants: 612 killed, 25 equivalent, 0 survived; kill rate 100.0 % of those that can be told from the original`. */
export function summary(verdicts: Verdict[]): string {
  const killed = verdicts.filter(({ killedBy }) => killedBy !== undefined).length;
  const same = verdicts.filter((one) => one.killedBy === undefined && one.equivalent).length;
  const rate = 100 * killed / Math.max(1, verdicts.length - same);
  return `${verdicts.length} mutants: ${killed} killed, ${same} equivalent, ${
    verdicts.length - killed - same
  } survived; kill rate ${rate.toFixed(1)} % of those that can be told from the original`;
}
