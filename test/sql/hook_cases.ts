// Comes in as one of the cast and tells what the hook left for the rest of the request.
import type { Sql } from "postgres";
import { type Actor, as, claims, type Coming } from "../support/actors.ts";

/** What the hook left for the rest of the request. */
export async function context(sql: Sql, actor: Actor, coming: Coming = {}) {
  return await as(sql, actor, async (tx) => {
    const [row] = await tx`
      select current_user as role, nullif(current_setting('gatehouse.principal_kind', true), '') as kind,
        nullif(current_setting('gatehouse.principal_id', true), '') as id,
        nullif(current_setting('gatehouse.client_kind', true), '') as client,
        nullif(current_setting('gatehouse.tenant_id', true), '') as tenant`;
    return { ...row };
  }, coming);
}

/** The actor's claims with some changed; undefined takes one away. */
export const changed = (actor: Actor, change: Record<string, unknown>): Coming => {
  const all: Record<string, unknown> = { ...claims(actor), ...change };
  return {
    claims: Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)),
  };
};
