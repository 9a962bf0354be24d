import type { Sql } from "postgres";
import postgres from "postgres";
import { as, people, sam, tenants } from "../support/actors.ts";
import type { TokenCase } from "./attacks_tokens.ts";

/** What the hook answers to a token, in the words of TokenCase.expected. */
export async function tokenOutcome(
  sql: Sql,
  { actor, then, ...coming }: TokenCase,
): Promise<string> {
  try {
    return await as(sql, actor, async (tx) => {
      await then?.(tx);
      const [row] = await tx<{ role: string; setting: string[] }[]>`
        select current_user as role, array[
          current_setting('gatehouse.principal_kind'), current_setting('gatehouse.principal_id'),
          current_setting('gatehouse.client_kind'), current_setting('gatehouse.tenant_id')] as setting`;
      const [kind, id, client, tenant] = row!.setting;
      if (kind === "") return [row!.role, id, client, tenant].filter((one) => one !== "").join(" ");
      const narrowed = nameOf(tenant!, Object.entries(tenants), "");
      return [row!.role, kind, whose(id!), client, narrowed].filter((one) => one !== "").join(" ");
    }, coming);
  } catch (error) {
    return refusalOf(error);
  }
}

/** `<status> <slug>` of what we raise, `<sqlstate>` of what Postgres does. */
export function refusalOf(error: unknown): string {
  if (!(error instanceof postgres.PostgresError)) throw error;
  return error.code.startsWith("PT") ? `${error.code.slice(2)} ${error.message}` : error.code;
}

function whose(id: string): string {
  const all: [string, string][] = Object.entries(people).map(([name, one]) => [name, one.id]);
  return id === "" ? "nobody" : nameOf(id, [...all, ["sam", sam.id]], id);
}

function nameOf(value: string, names: [string, string][], otherwise: string): string {
  return names.find(([, one]) => one === value)?.[0] ?? otherwise;
}
