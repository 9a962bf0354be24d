import type { Sql } from "../_shared/db.ts";

/** A refused sign-in, as the sign-in page knows it. */
export interface Refusal {
  tenantId: string;
  /** ZITADEL's id; undefined: nobody of that name. */
  userId: string | undefined;
  /** As it was typed. Only a salted hash is kept. */
  loginName: string;
  /** Null: ZITADEL has an event for it, which counts; only `context` is kept, for that. */
  reason: string | null;
  at: Date;
  context: Record<string, string | undefined>;
}

/** Counted into one event per tenant, account and minute: sql/20_access/84_refused_sign_ins.sql. */
export interface Refusals {
  report(refusal: Refusal): Promise<void>;
}

export function databaseRefusals(sql: () => Sql): Refusals {
  return {
    async report({ tenantId, userId, loginName, reason, at, context }) {
      const known = Object.fromEntries(
        Object.entries(context).filter((entry): entry is [string, string] =>
          entry[1] !== undefined
        ),
      );
      await sql()`
        select private.count_refused_sign_in(${tenantId}, ${userId ?? null}, ${loginName},
          ${reason}, ${at}, ${sql().json(known)})`;
    },
  };
}
