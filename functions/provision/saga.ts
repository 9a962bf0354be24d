/**
 * Runs a tenant's steps in order against ZITADEL, under the tenant's lease: what `tenant__reconcile` does.
 * No transaction of Postgres is open while ZITADEL is called, so a run may be cut off anywhere; the next one finds what is done.
 *
 * Next: steps/ (one file a step), lease.ts (who may run), ledger.ts (what is written down), instance.ts (ZITADEL's own settings).
 */
import type { Sql } from "postgres";
import type { Provisioner, WriteGuard } from "../_shared/zitadel/types.ts";
import { type Fault, faultOf } from "./fault.ts";
import { Lease, LeaseLost } from "./lease.ts";
import { Ledger } from "./ledger.ts";
import type { Rows, TenantState } from "./state.ts";
import { inputHash, type Step } from "./step.ts";
import { tenantSteps } from "./steps/tenant.ts";

export interface ReconcileOptions {
  tenantId: string;
  /** Connected as gatehouse_worker or gatehouse_provision. */
  sql: Sql;
  /** Makes the adapter; the saga's guard is awaited around each call that writes. */
  zitadel: (guard: WriteGuard) => Provisioner;
  /** `iss` of ZITADEL's tokens. */
  issuer: string;
  /** Milliseconds. */
  clock: () => number;
  /** Unique to this run. */
  holder: string;
  /** A run that was killed blocks the tenant for so long. Default 10. */
  leaseSeconds?: number;
  /** Once aborted, no further step is begun. */
  stopping?: AbortSignal;
  /** Awaited before and after every write, as `before:zitadel:AddOrganization` or `after:settle_step`; what it throws ends the run there. */
  onBoundary?: (boundary: string) => void | Promise<void>;
}

export type Outcome =
  /**
   * Every step is ok or skipped. `changed`: ZITADEL was written to, or a step was done for a new input. Then another look is due
   * when ZITADEL's projections have caught up: what was read may have been older than what was written before, so that nothing
   * seemed to differ.
   */
  | { kind: "done"; status: string; changed: boolean }
  /** ZITADEL refused, and will again until the row changes. */
  | { kind: "refused"; step: string; fault: Fault }
  /** Another run holds the lease or took it over, the process stops, or the instance is not prepared: to be done again later. */
  | { kind: "unfinished" }
  | { kind: "missing" };

/** A step failed in a way that time mends: the queue is to run the job again. The step shows why. */
export class StepFailed extends Error {
  override readonly name = "StepFailed";
  constructor(readonly step: string, readonly fault: Fault, cause: unknown) {
    super(`Step ${step}: ${fault.slug}: ${fault.detail}`, { cause });
  }
}

/** Brings one tenant's twin in ZITADEL into being, or back to what its rows say. @throws {StepFailed} */
export async function reconcileTenant(options: ReconcileOptions): Promise<Outcome> {
  const [instance] = await options.sql`
    select private.get_setting('zitadel.portal_client_id') is not null as prepared`;
  if (!instance!.prepared) return { kind: "unfinished" };
  return await runSaga<TenantState>(options, (rows) => {
    const state = { ...rows, issuer: options.issuer };
    return { steps: tenantSteps(state), state };
  });
}

export interface Scenario<State> {
  steps: Step<State>[];
  state: State;
}

/** The machinery under both sagas. @throws {StepFailed} */
export async function runSaga<State>(
  options: ReconcileOptions,
  scenario: (rows: Rows) => Scenario<State>,
): Promise<Outcome> {
  const { sql, tenantId, holder, clock, leaseSeconds: seconds } = options;
  const [tenant] = await sql`select private.provisioning_input(${tenantId}) is not null as known`;
  if (!tenant!.known) return { kind: "missing" };
  const lease = await Lease.take({ sql, tenantId, holder, clock, ...(seconds && { seconds }) });
  if (lease === null) return { kind: "unfinished" };
  try {
    const boundary = options.onBoundary ?? (() => {});
    const ledger = new Ledger({ sql, tenantId, lease, clock, boundary });
    const read = await ledger.read();
    if (read === null) return { kind: "missing" };
    return await new Run(options, lease, ledger, read, scenario(read)).all();
  } catch (error) {
    if (error instanceof LeaseLost) return { kind: "unfinished" };
    throw error;
  } finally {
    await lease.release().catch(() => {}); // it runs out by itself
  }
}

class Run<State> {
  readonly #zitadel: Provisioner;
  #changed = false;

  constructor(
    readonly options: ReconcileOptions,
    readonly lease: Lease,
    readonly ledger: Ledger,
    readonly recorded: Rows,
    readonly scenario: Scenario<State>,
  ) {
    this.#zitadel = options.zitadel({
      beforeWrite: async (method) => {
        await options.onBoundary?.(`before:zitadel:${method}`);
        lease.check();
      },
      afterWrite: async (method) => {
        this.#changed = true;
        await options.onBoundary?.(`after:zitadel:${method}`);
      },
    });
  }

  async all(): Promise<Outcome> {
    let status: string = this.recorded.tenant.status;
    for (const step of this.scenario.steps) {
      if (this.options.stopping?.aborted) return { kind: "unfinished" };
      const settled = await this.#step(step);
      if (typeof settled === "object") return { kind: "refused", step: step.name, fault: settled };
      status = settled ?? status;
    }
    return { kind: "done", status, changed: this.#changed };
  }

  /** The tenant's status when something was written down, undefined when nothing differed, or why ZITADEL refused. */
  async #step(step: Step<State>): Promise<string | Fault | undefined> {
    const { state } = this.scenario;
    const before = this.recorded.steps.find(({ name }) => name === step.name);
    const plan = step.plan(state);
    if (plan === null) {
      return before?.state === "skipped"
        ? undefined
        : await this.ledger.settleStep(step.name, { state: "skipped" });
    }
    const hash = inputHash(plan.input);
    const same = before?.state === "ok" && before.inputHash === hash;
    if (same && step.once) return undefined;

    if (!same) await this.ledger.startStep(step.name);
    try {
      const result = await plan.run({ state, zitadel: this.#zitadel, ledger: this.ledger });
      if (same && !result.changed) return undefined;
      if (same) await this.ledger.startStep(step.name);
      this.#changed = true;
      return await this.ledger.settleStep(step.name, {
        state: "ok",
        inputHash: hash,
        ...(result.externalId !== undefined && { externalId: result.externalId }),
      });
    } catch (error) {
      const fault = faultOf(error, step.refusals);
      if (fault === null) throw error;
      if (same) await this.ledger.startStep(step.name);
      await this.ledger.settleStep(step.name, { state: "error", fault });
      if (fault.retryable) throw new StepFailed(step.name, fault, error);
      return fault;
    }
  }
}
