/**
 * What the saga reads and writes in Postgres: one method a helper of sql/10_tenants/60_saga.sql and its neighbours.
 * Each write is one statement, hence one transaction, and carries the fencing token.
 */
import postgres, { type JSONValue, type PendingQuery, type Row, type Sql } from "postgres";
import { readSealed, type Sealed, type SealedText } from "../_shared/secrets.ts";
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

export interface LedgerOptions {
  sql: Sql;
  tenantId: string;
  lease: Lease;
  clock: () => number;
  /** Awaited before and after each write, as `before:settle_step`. */
  boundary?: (name: string) => void | Promise<void>;
}

export class Ledger {
  readonly #sql: Sql;
  readonly #tenantId: string;
  readonly #lease: Lease;
  readonly #clock: () => number;
  readonly #boundary: (name: string) => void | Promise<void>;

  constructor(options: LedgerOptions) {
    this.#boundary = options.boundary ?? (() => {});
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
    await this.#write("start_step", this.#sql`${this.#fenced()}, ${step}`);
  }

  /** Returns the tenant's status afterwards. */
  async settleStep(step: string, outcome: StepOutcome): Promise<string> {
    const { state, inputHash = null, externalId = null, fault } = outcome;
    return await this.#write(
      "settle_step",
      this
        .#sql`${this.#fenced()}, ${step}, ${state}, ${inputHash}, ${externalId}, ${
        this.#error(fault)
      }`,
    ) as string;
  }

  async settleOrganization(loginDomain: string): Promise<void> {
    await this.#write("settle_organization", this.#sql`${this.#fenced()}, ${loginDomain}`);
  }

  async settleApp(app: string, outcome: AppOutcome): Promise<void> {
    const { state, applicationId = null, clientId = null, fault } = outcome;
    await this.#write(
      "settle_app",
      this
        .#sql`${this.#fenced()}, ${app}, ${state}, ${applicationId}, ${clientId}, ${
        this.#error(fault)
      }`,
    );
  }

  async settleProvider(provider: string, outcome: ProviderOutcome): Promise<void> {
    const { state, idpId = null, fault, secretSetAt = null } = outcome;
    await this.#write(
      "settle_provider",
      this
        .#sql`${this.#fenced()}, ${provider}, ${state}, ${idpId}, ${
        this.#error(fault)
      }, ${secretSetAt}`,
    );
  }

  async forgetRemovedProvider(provider: string): Promise<void> {
    await this.#write("forget_removed_provider", this.#sql`${this.#fenced()}, ${provider}`);
  }

  /** Sealed; null: ZITADEL has it, or nobody has. */
  async providerSecret(provider: string): Promise<SealedProviderSecret | null> {
    const [row] = await this.#ask<{ secret: SealedProviderSecret | null }>(
      this.#sql`select private.provider_secret(${this.#tenantId}, ${provider}) as secret`,
    );
    return row?.secret ?? null;
  }

  /** The person's row and the tenant's highest role for them. */
  async settleAdministrator(issuer: string, subject: string, profile: Profile): Promise<void> {
    const fields = this.#sql.json({ ...profile });
    await this.#write(
      "settle_administrator",
      this.#sql`${this.#fenced()}, ${issuer}, ${subject}, ${fields}`,
    );
  }

  async putSetting(key: SettingKey, value: JSONValue): Promise<void> {
    await this.#write("put_setting", this.#sql`${key}, ${this.#sql.json(value)}`);
  }

  async readSealedSetting(key: string): Promise<Sealed | null> {
    const [row] = await this.#ask<{ sealed: SealedText | null }>(
      this.#sql`select private.get_sealed_setting(${key}) as sealed`,
    );
    return row?.sealed ? readSealed(row.sealed) : null;
  }

  async putSealedSetting(key: string, { keyId, ciphertext }: Sealed): Promise<void> {
    await this.#write("put_sealed_setting", this.#sql`${key}, ${keyId}, ${ciphertext}`);
  }

  async putIssuer({ issuer, kind, audience, jwksUri }: Issuer): Promise<void> {
    await this.#write("put_issuer", this.#sql`${issuer}, ${kind}, ${audience}, ${jwksUri}`);
  }

  async putPortalClient(issuer: string, clientId: string): Promise<void> {
    await this.#write("put_client", this.#sql`${issuer}, ${clientId}, 'portal', null, null`);
  }

  async putVerificationKeys(issuer: string, keys: JSONValue[]): Promise<void> {
    await this.#write("put_verification_keys", this.#sql`${issuer}, ${this.#sql.json(keys)}`);
  }

  #fenced() {
    return this.#sql`${this.#tenantId}, ${this.#lease.token}`;
  }

  #error(fault: Fault | undefined) {
    if (!fault) return null;
    const at = new Date(this.#clock()).toISOString();
    return this.#sql.json({ slug: fault.slug, detail: fault.detail, at });
  }

  /** Calls one helper; the events that it records continue the trace of the request that caused the job. */
  async #write(helper: string, parameters: PendingQuery<Row[]>): Promise<unknown> {
    await this.#boundary(`before:${helper}`);
    const trace = traceparent() ?? "";
    const [row] = await this.#ask<{ answer: unknown }>(this.#sql`
      select set_config('gatehouse.traceparent', ${trace}, true),
        private.${this.#sql(helper)}(${parameters}) as answer`);
    await this.#boundary(`after:${helper}`);
    return row!.answer;
  }

  async #ask<Answer>(query: PromiseLike<readonly unknown[]>): Promise<Answer[]> {
    try {
      return [...await query] as Answer[];
    } catch (cause) {
      if (cause instanceof postgres.PostgresError && cause.message === "lease_lost") {
        throw new LeaseLost(cause.detail ?? cause.message, { cause });
      }
      throw new LedgerError(`Postgres did not take it: ${(cause as Error).message}`, { cause });
    }
  }
}

export interface Issuer {
  issuer: string;
  kind: "zitadel" | "gatehouse";
  audience: string;
  jwksUri: string;
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

export interface ProviderOutcome {
  state: "active" | "error";
  idpId?: string;
  fault?: Fault;
  /** Of the secret that ZITADEL took: it is forgotten. */
  secretSetAt?: string;
}

export interface SealedProviderSecret {
  keyId: string;
  /** Base64. */
  ciphertext: string;
  /** Which secret it is: to the millisecond. */
  setAt: string;
}
