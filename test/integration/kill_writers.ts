// Who commits and rolls back while things are killed: callers in SQL, and a customer's system through the function.
import type { TransactionSql } from "postgres";
import { bearer, claims, tenants } from "../support/actors.ts";
import type { KillBench } from "./kill_support.ts";
import { sleep } from "./worker_support.ts";

/** By marker. What is in neither was cut off on its commit: only the database knows. */
export interface Ledger {
  committed: Set<string>;
  rolledBack: Set<string>;
}

const undone = Symbol("undone");

export class Writers {
  readonly ledger: Ledger = { committed: new Set(), rolledBack: new Set() };
  #over = false;
  #running: Promise<unknown>;

  constructor(readonly bench: KillBench, readonly random: () => number) {
    this.#running = Promise.all([
      ...[1, 2, 3, 4].map((n) => this.#loop(`sql-${n}`, (marker) => this.#asCaller(marker))),
      ...[1, 2].map((n) => this.#loop(`http-${n}`, (marker) => this.#byFunction(marker))),
    ]);
  }

  async end(): Promise<Ledger> {
    this.#over = true;
    await this.#running;
    return this.ledger;
  }

  async #loop(name: string, write: (marker: string) => Promise<void>) {
    for (let i = 0; !this.#over; i++) {
      await write(`${name}-${i}`);
      await sleep(this.random() * 50);
    }
  }

  /** A request as PostgREST makes it; a quarter of them is undone at its end, some in part. */
  async #asCaller(marker: string): Promise<void> {
    const { committed, rolledBack } = this.ledger;
    const [isUndone, inPart, heldMs] = [this.random() < 0.25, this.random() < 0.2, this.random()];
    try {
      await this.bench.callers.begin(async (tx) => {
        await enter(tx);
        await addProvider(tx, marker);
        if (inPart) await addProviderInVain(tx, `${marker}-part`);
        if (heldMs < 0.2) await tx`select pg_sleep(${heldMs / 4})`;
        if (isUndone) throw undone;
      });
      committed.add(marker);
    } catch (error) {
      if (error === undone) rolledBack.add(marker);
      else await sleep(50);
    }
    if (inPart) rolledBack.add(`${marker}-part`);
  }

  /** Sent again under the same key until there is an answer: recorded exactly once. A fifth of them is refused. */
  async #byFunction(marker: string): Promise<void> {
    const wrong = this.random() < 0.2;
    const data = wrong ? { marker, more: "than the schema allows" } : { marker };
    const content = JSON.stringify({ tenantId: tenants.A, type: "custom.killed", data });
    for (;;) {
      const response = await fetch(`${this.bench.functionsUrl}/functions/v1/events`, {
        method: "POST",
        headers: {
          "content-type": "application/json",
          authorization: `Bearer ${await this.bench.token()}`,
          "idempotency-key": marker,
        },
        body: content,
        signal: AbortSignal.timeout(10_000),
      }).catch(() => undefined);
      const status = response?.status;
      await response?.body?.cancel().catch(() => {});
      if (status === 201) this.ledger.committed.add(marker);
      if (status === 422) this.ledger.rolledBack.add(marker);
      if (status === 201 || status === 422) return;
      if (this.#over) return; // nobody knows
      await sleep(50);
    }
  }
}

async function enter(tx: TransactionSql): Promise<void> {
  const held = claims("alice")!;
  const headers = { authorization: bearer(held) };
  await tx`
    select set_config('request.jwt.claims', ${JSON.stringify(held)}, true),
      set_config('request.headers', ${JSON.stringify(headers)}, true),
      set_config('request.method', 'POST', true), set_config('role', 'anon', true)`;
  await tx`select private.check_request()`;
}

const addProvider = (tx: TransactionSql, name: string) =>
  tx`insert into public.providers (tenant_id, name, kind) values (${tenants.A}, ${name}, 'oidc')`;

async function addProviderInVain(tx: TransactionSql, name: string): Promise<void> {
  await tx.savepoint(async (part) => {
    await addProvider(part, name);
    throw undone;
  }).catch((error) => {
    if (error !== undone) throw error;
  });
}
