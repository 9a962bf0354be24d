/**
 * What a step of the saga is. One file a step in steps/ and steps/instance/; saga.ts runs them in order.
 */
import { createHash } from "node:crypto";
import type { ZitadelCode } from "../_shared/zitadel/errors.ts";
import type { Provisioner } from "../_shared/zitadel/types.ts";
import type { Ledger } from "./ledger.ts";

export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

export interface StepContext<State> {
  state: State;
  zitadel: Provisioner;
  ledger: Ledger;
}

export interface StepResult {
  /** What ZITADEL calls the thing; kept in `provisioning_steps.external_id`. */
  externalId?: string;
  /** False: ZITADEL already was as asked. */
  changed: boolean;
}

interface Definition<State, Input extends Json> {
  /** As in `provisioning_steps.name`. */
  name: string;
  /**
   * All that the step asks for. Its hash tells whether the step is to be done again. Never a secret: the hash stands
   * in the database. Null: there is nothing to do, and the step settles as `skipped`.
   */
  input(state: State): Input | null;
  /** Reads ZITADEL and writes what differs. Runs again after any crash, so everything in it may have been done before. */
  run(input: Input, context: StepContext<State>): Promise<StepResult>;
  /** Done for an input, it is not looked at again: what changed since was meant. */
  once?: true;
  /** What a refusal by ZITADEL means here: the slug of the step's error. Default `zitadel_refused`. */
  refusals?: Refusals;
}

export type Refusals = Partial<Record<ZitadelCode, string>>;

export interface Step<State> {
  name: string;
  once: boolean;
  refusals: Refusals;
  plan(state: State): Plan<State> | null;
}

export interface Plan<State> {
  input: Json;
  run(context: StepContext<State>): Promise<StepResult>;
}

export function defineStep<State, Input extends Json>(
  { name, input, run, once = undefined, refusals = {} }: Definition<State, Input>,
): Step<State> {
  return {
    name,
    once: once === true,
    refusals,
    plan(state) {
      const asked = input(state);
      return asked === null ? null : { input: asked, run: (context) => run(asked, context) };
    },
  };
}

/** Hex SHA-256 of the canonical JSON (keys sorted, no spaces), as in `provisioning_steps.input_hash`. */
export function inputHash(input: Json): string {
  return createHash("sha256").update(canonical(input)).digest("hex");
}

export function canonical(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  const members = Object.entries(value).sort(([a], [b]) => a < b ? -1 : 1);
  return `{${members.map(([key, item]) => `${JSON.stringify(key)}:${canonical(item)}`).join(",")}}`;
}
