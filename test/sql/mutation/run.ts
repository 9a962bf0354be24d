// Applies mutants one after another in transactions that are undone, and asks the matrix about each.
import type { Sql } from "postgres";
import { faults, moveFaults, type Truth } from "../matrix/check.ts";
import { undone } from "../matrix/observe.ts";
import { equivalent } from "./equivalent.ts";
import type { Mutant } from "./policy_mutants.ts";

export interface Verdict {
  mutant: string;
  /** What killed it: the first fault. */
  killedBy?: string;
  /** Why it may live. */
  equivalent?: string;
}

/** `sql`: one connection of a superuser to a seeded database, prepared to observe. */
export async function judge(sql: Sql, truth: Truth, mutants: Mutant[]): Promise<Verdict[]> {
  const verdicts: Verdict[] = [];
  for (const { name, table, statements } of mutants) {
    const found = await undone(sql, async (tx) => {
      await tx.unsafe(statements);
      const seen = await faults(tx, truth, [table]);
      return seen.length > 0 ? seen : await moveFaults(tx, [table]);
    });
    verdicts.push(verdict(name, found[0]));
  }
  return verdicts;
}

export function verdict(mutant: string, killedBy: string | undefined): Verdict {
  if (killedBy !== undefined) return { mutant, killedBy };
  return { mutant, equivalent: equivalent.find((one) => one.mutant.test(mutant))?.why };
}

/** Those that live and may not. */
export function survivors(verdicts: Verdict[]): string[] {
  return verdicts
    .filter(({ killedBy, equivalent }) => killedBy === undefined && equivalent === undefined)
    .map(({ mutant }) => mutant);
}

/** A sample that a seed decides: the same seed, the same mutants. */
export function sample<T>(all: T[], count: number, seed: number): T[] {
  const random = mulberry32(seed);
  return all.map((one) => ({ one, at: random() })).sort((a, b) => a.at - b.at).slice(0, count)
    .map(({ one }) => one);
}

function mulberry32(seed: number): () => number {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let value = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value;
    return ((value ^ (value >>> 14)) >>> 0) / 4294967296;
  };
}
