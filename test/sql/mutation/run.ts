// Applies mutants one after another and asks the tests of who may about each, as functions and not as processes.
import type { Sql } from "postgres";
import { accessAttacks } from "../attacks_access.ts";
import { auditAttacks } from "../attacks_audit.ts";
import { attackOutcome } from "../attacks_cases.ts";
import { endpointAttacks } from "../attacks_endpoints.ts";
import { functionAttacks } from "../attacks_functions.ts";
import { linkAttacks } from "../attacks_links.ts";
import { tokenOutcome } from "../attacks_outcome.ts";
import { providerAttacks } from "../attacks_providers.ts";
import { rowAttacks } from "../attacks_rows.ts";
import { tokenCases } from "../attacks_tokens.ts";
import { faults, moveFaults, type Truth } from "../matrix/check.ts";
import { undone } from "../matrix/observe.ts";
import { equivalent } from "./equivalent.ts";
import { type FunctionMutant, hook } from "./function_mutants.ts";
import type { Mutant } from "./policy_mutants.ts";

export interface Verdict {
  mutant: string;
  /** What killed it: the first fault. */
  killedBy?: string;
  /** Why it may live. */
  equivalent?: string;
}

/** By the matrix lines of the policy's own table. `sql`: one connection of a superuser to a seeded database, prepared to observe. */
export async function judgePolicy(sql: Sql, truth: Truth, mutant: Mutant): Promise<Verdict> {
  const { name, table, statements } = mutant;
  const found = await undone(sql, async (tx) => {
    await tx.unsafe(statements);
    const seen = await faults(tx, truth, [table]);
    return seen.length > 0 ? seen : await moveFaults(tx, [table]);
  });
  return verdict(name, found[0]);
}

/** By the tokens for the hook, by attacks and then the matrix for what it and policies call. */
export async function judgeFunction(
  sql: Sql,
  truth: Truth,
  mutant: FunctionMutant,
): Promise<Verdict> {
  const [row] = await sql<{ original: string }[]>`
    select pg_get_functiondef(p.oid) as original from pg_proc p
     where p.oid = ${mutant.function}::regproc`;
  try {
    await sql.unsafe(mutant.statements);
    return verdict(
      mutant.name,
      hook.includes(mutant.function)
        ? await firstTokenFault(sql)
        : await firstAttackFault(sql) ?? (await faults(sql, truth))[0],
    );
  } finally {
    await sql.unsafe(row!.original);
  }
}

async function firstTokenFault(sql: Sql): Promise<string | undefined> {
  for (const one of tokenCases) {
    const got = await tokenOutcome(sql, one);
    if (got !== one.expected) return `${one.id}: expected ${one.expected}, got ${got}`;
  }
}

async function firstAttackFault(sql: Sql): Promise<string | undefined> {
  const all = [
    ...functionAttacks,
    ...endpointAttacks,
    ...linkAttacks,
    ...providerAttacks,
    ...auditAttacks,
    ...accessAttacks,
    ...deciding(rowAttacks),
  ];
  for (const one of all) {
    const got = await attackOutcome(sql, one);
    if (got !== one.expected) return `${one.id}: expected ${one.expected}, got ${got}`;
  }
}

/** Without those that grants refuse: no function decides there. */
function deciding(attacks: typeof rowAttacks): typeof rowAttacks {
  return attacks.filter(({ expected }) => expected !== "42501");
}

function verdict(mutant: string, killedBy: string | undefined): Verdict {
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
