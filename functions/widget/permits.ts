import type { Sql } from "../_shared/db.ts";

/** One try of one kind. `account` as it was typed, in lower case; absent: counted by address and tenant only. */
export interface Permit {
  tenantId: string;
  kind: "guess" | "mail" | "look";
  account: string | undefined;
  address: string | undefined;
}

/** sql/45_widgets/10_permits.sql: limits per account, address and tenant. */
export interface Permits {
  /** Seconds to wait; 0: go on. */
  take(permit: Permit): Promise<number>;
  /** Of a try that was right: it does not count. */
  giveBack(permit: Permit): Promise<void>;
}

export function databasePermits(sql: () => Sql): Permits {
  return {
    async take({ tenantId, kind, account, address }) {
      const [row] = await sql()<[{ wait: number }]>`
        select private.take_widget_permit(${tenantId}, ${kind}, ${account ?? null}, ${
        address ?? null
      }) as wait`;
      return row.wait;
    },
    async giveBack({ tenantId, kind, account, address }) {
      await sql()`
        select private.give_back_widget_permit(${tenantId}, ${kind}, ${account ?? null}, ${
        address ?? null
      })`;
    },
  };
}
