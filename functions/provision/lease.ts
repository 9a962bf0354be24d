/**
 * One holder a tenant. The lease is renewed while the saga runs; Postgres refuses writes with an old token by itself,
 * and because ZITADEL knows no tokens, `check` is called before each write to it.
 */
import type { Sql } from "postgres";

/** Somebody else may hold the lease by now: whoever gets this stops writing at once. */
export class LeaseLost extends Error {
  override readonly name = "LeaseLost";
}

export interface LeaseOptions {
  sql: Sql;
  tenantId: string;
  /** Unique to one run: the same holder gets the same token again. */
  holder: string;
  /** A run that was killed blocks the tenant for so long. Default 10. */
  seconds?: number;
  clock: () => number;
}

export class Lease {
  /** Grows with every new holder; bigint as text. */
  readonly token: string;
  readonly #options: Required<LeaseOptions>;
  readonly #timer: ReturnType<typeof setInterval>;
  #goodUntil: number;
  #lost = false;
  #renewal: Promise<void> = Promise.resolve();

  private constructor(options: Required<LeaseOptions>, token: string, goodUntil: number) {
    this.#options = options;
    this.token = token;
    this.#goodUntil = goodUntil;
    this.#timer = setInterval(() => {
      this.#renewal = this.#renew();
    }, options.seconds * 1000 / 3);
  }

  /** Null while somebody else holds it, and when there is no such tenant. */
  static async take(given: LeaseOptions): Promise<Lease | null> {
    const options = { seconds: 10, ...given };
    const asked = options.clock();
    const token = await ask(options);
    return token === null ? null : new Lease(options, token, asked + options.seconds * 1000);
  }

  /** @throws {LeaseLost} when the lease was taken over, or could not be renewed in time */
  check(): void {
    // A tenth is kept back: the call that follows must reach ZITADEL while the lease is still ours.
    const margin = this.#options.seconds * 100;
    if (this.#lost || this.#options.clock() > this.#goodUntil - margin) {
      throw new LeaseLost(`The lease of tenant ${this.#options.tenantId} ran out`);
    }
  }

  async release(): Promise<void> {
    clearInterval(this.#timer);
    await this.#renewal;
    const { sql, tenantId } = this.#options;
    await sql`select private.release_tenant(${tenantId}, ${this.token})`;
  }

  async #renew(): Promise<void> {
    const asked = this.#options.clock();
    try {
      const token = await ask(this.#options);
      if (token === this.token) this.#goodUntil = asked + this.#options.seconds * 1000;
      else this.#lost = true;
    } catch {
      // The database is away: the lease runs out by the clock, and the next write fails anyway.
    }
  }
}

async function ask({ sql, tenantId, holder, seconds }: Required<LeaseOptions>) {
  const [row] = await sql<{ token: string | null }[]>`
    select private.lease_tenant(${tenantId}, ${holder}, ${seconds}) as token`;
  return row?.token ?? null;
}
