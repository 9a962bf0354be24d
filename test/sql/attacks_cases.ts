// What an attack on rows and functions is, as data: attacks.test.ts runs each, mutation/ runs them after each weakening.
import type { Sql, TransactionSql } from "postgres";
import { type Actor, as, claims, type Coming } from "../support/actors.ts";
import { extras } from "./matrix/cast.ts";
import { refusalOf } from "./attacks_outcome.ts";

export type Attacker = Actor | "sue" | "dora" | "olive";

export interface Attack extends Coming {
  id: string;
  attack: string;
  actor: Attacker;
  /** One statement or more; its value is what came of it. */
  try: (tx: TransactionSql) => Promise<unknown>;
  /** `<status> <slug>` or `<sqlstate>` when refused; otherwise the value, as JSON. */
  expected: string;
}

/** Several of one subject, numbered in order: a new one goes to the end. */
export function attacks(prefix: string, all: Omit<Attack, "id">[]): Attack[] {
  return all.map((one, index) => ({
    id: `${prefix}-${String(index + 1).padStart(2, "0")}`,
    ...one,
  }));
}

/** Row level security or a grant says no. */
export const denied = "42501";

/** How many rows a statement changes. */
export const changes = (statement: string) => async (tx: TransactionSql): Promise<unknown> =>
  (await tx.unsafe(statement)).count;

/** The first column of every row. */
export const values = (statement: string) => async (tx: TransactionSql): Promise<unknown> =>
  (await tx.unsafe(statement).values()).map(([value]) => value);

/** As the session's own role, who sees all. */
export async function peek(tx: TransactionSql, statement: string): Promise<unknown> {
  await tx`select set_config('role', 'none', true)`;
  return await values(statement)(tx);
}

export async function attackOutcome(sql: Sql, attack: Attack): Promise<string> {
  const { actor, try: attempt, ...coming } = attack;
  const extra = extras[actor];
  try {
    const value = await as(sql, extra ? "alice" : actor as Actor, attempt, {
      ...coming,
      ...(extra && { claims: { ...claims("alice"), sub: extra.subject, ...coming.claims } }),
    });
    return JSON.stringify(value) ?? "undefined";
  } catch (error) {
    return refusalOf(error);
  }
}
