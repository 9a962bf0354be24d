/**
 * Says when the seal is late: a line of level error each minute that it lasts, and `audit.seal_late` in the platform's log
 * once an hour. A sink that follows the log may be held up by the same thing, so watch the line.
 *
 * Next: sql/30_audit/45_seal_lag.sql, docs/operations.md (alarms).
 */
import type { JSONValue, Sql } from "postgres";
import { log } from "../telemetry.ts";

/** What `private.audit_lag` gives. */
interface Lag {
  unsequenced: number;
  unsealed: number;
  unsigned: number;
  /** Since the oldest of them was recorded. */
  seconds: number;
}

const lateAfterSeconds = 30;
const lookEveryMs = 5_000;
const sayEveryMs = 60_000;

export interface Awaited {
  /** Whether signatures are waited for. */
  signed: boolean;
  /** Tenants whose log is signed no more: that is told otherwise. */
  without: Iterable<string>;
}

export class SealWatch {
  #nextAt = 0;

  /** To be called often; it looks every 5 s. */
  async look(sql: Sql, now: Date, { signed, without }: Awaited): Promise<void> {
    if (now.getTime() < this.#nextAt) return;
    const [{ lag }] = await sql<[{ lag: Lag }]>`
      select private.audit_lag(${signed}, ${[...without]}::uuid[]) as lag`;
    const isLate = lag.seconds > lateAfterSeconds;
    this.#nextAt = now.getTime() + (isLate ? sayEveryMs : lookEveryMs);
    if (!isLate) return;
    log("error", "the seal of the log is late", { slug: "audit_seal_late", ...lag });
    await sql`select private.report_seal_lag(${sql.json(lag as unknown as JSONValue)})`;
  }
}
