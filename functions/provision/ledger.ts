/**
 * What the saga reads and writes in Postgres: one method a helper of sql/10_tenants/60_saga.sql and its neighbours.
 * Each write is one statement, hence one transaction, and carries the fencing token.
 */
import postgres, { type JSONValue, type Sql } from "postgres";
import { traceparent } from "../_shared/telemetry.ts";
import type { Fault } from "./fault.ts";
import { type Lease, LeaseLost } from "./lease.ts";
import { type Rows, RowsSchema } from "./state.ts";

/** Postgres refused or was away: not the step's fault, so no step gets it as its error. */
export class LedgerError extends Error {
  override readonly name = "LedgerError";
}

/** What the rest of Gatehouse reads of what the instance's saga found or made. */
export type SettingKey =
  | "zitadel.platform_organization_id"
  | "zitadel.project_id"
  | "zitadel.portal_client_id"
  | "zitadel.portal_application_id";

export interface Profile {
  loginName: string;
  email: string;
  givenName: string;
  familyName: string;
}

export class Ledger {
  readonly #sql: Sql;
  readonly #tenantId: string;
  readonly #lease: Lease;
  readonly #clock: () => number;

  constructor(options: { sql: Sql; tenantId: string; lease: Lease; clock: () => number }) {
    this.#sql = options.sql;
    this.#tenantId = options.tenantId;
    this.#lease = options.lease;
    this.#clock = options.clock;
  }

  async read(): Promise<Rows | null> {
    const [row] = await this.#ask<{ input: unknown }>(
      this.#sql`select private.provisioning_input(${this.#tenantId}) as input`,
    );
    return row?.input ? RowsSchema.parse(row.input) : null;
  }

  async startStep(step: string): Promise<void> {
    await this.#ask(this.#sql`
      select private.start_step(${this.#tenantId}, ${this.#lease.token}, ${step})`);
  }

  /** Returns the tenant's status afterwards. */
  async settleStep(step: string, outcome: StepOutcome): Promise<string> {
    const { state, inputHash = null, externalId = null, fault } = outcome;
    const [row] = await this.#ask<{ status: string }>(this.#sql`
      select ${this.#trace()}, private.settle_step(${this.#tenantId}, ${this.#lease.token}, ${step}, ${state},
        ${inputHash}, ${externalId}, ${this.#error(fault)}) as status`);
    return row!.status;
  }

  async settleOrganization(loginDomain: string): Promise<void> {
    await this.#ask(this.#sql`
      select private.settle_organization(${this.#tenantId}, ${this.#lease.token}, ${loginDomain})`);
  }

  async settleApp(app: string, outcome: AppOutcome): Promise<void> {
    const { state, applicationId = null, clientId = null, fault } = outcome;
    await this.#ask(this.#sql`
      select ${this.#trace()}, private.settle_app(${this.#tenantId}, ${this.#lease.token}, ${app}, ${state},
        ${applicationId}, ${clientId}, ${this.#error(fault)})`);
  }

  /** The person's row and the tenant's highest role for them. */
  async settleAdministrator(issuer: string, subject: string, profile: Profile): Promise<void> {
    await this.#ask(this.#sql`
      select ${this.#trace()}, private.settle_administrator(${this.#tenantId}, ${this.#lease.token}, ${issuer},
        ${subject}, ${this.#sql.json({ ...profile })})`);
  }

  async putSetting(key: SettingKey, value: JSONValue): Promise<void> {
    await this.#ask(this.#sql`select private.put_setting(${key}, ${this.#sql.json(value)})`);
  }

  async putIssuer(
    issuer: { issuer: string; kind: "zitadel" | "gatehouse"; audience: string; jwksUri: string },
  ): Promise<void> {
    await this.#ask(this.#sql`
      select private.put_issuer(${issuer.issuer}, ${issuer.kind}, ${issuer.audience}, ${issuer.jwksUri})`);
  }

  async putPortalClient(issuer: string, clientId: string): Promise<void> {
    await this.#ask(this.#sql`
      select private.put_client(${issuer}, ${clientId}, 'portal', null, null)`);
  }

  async putVerificationKeys(issuer: string, keys: JSONValue[]): Promise<void> {
    await this.#ask(this.#sql`
      select private.put_verification_keys(${issuer}, ${this.#sql.json(keys)})`);
  }

  /** Events that the statement records continue the trace of the request that caused the job. */
  #trace() {
    return this.#sql`set_config('gatehouse.traceparent', ${traceparent() ?? ""}, true)`;
  }

  #error(fault: Fault | undefined) {
    if (!fault) return null;
    const at = new Date(this.#clock()).toISOString();
    return this.#sql.json({ slug: fault.slug, detail: fault.detail, at });
  }

  async #ask<Row>(query: PromiseLike<readonly unknown[]>): Promise<Row[]> {
    try {
      return [...await query] as Row[];
    } catch (cause) {
      if (cause instanceof postgres.PostgresError && cause.message === "lease_lost") {
        throw new LeaseLost(cause.detail ?? cause.message, { cause });
      }
      throw new LedgerError(`Postgres did not take it: ${(cause as Error).message}`, { cause });
    }
  }
}

export interface StepOutcome {
  state: "ok" | "skipped" | "error";
  inputHash?: string;
  externalId?: string;
  fault?: Fault;
}

export interface AppOutcome {
  state: "active" | "error";
  applicationId?: string;
  clientId?: string;
  fault?: Fault;
}
