/**
 * Fetches the public keys of each issuer, so that PostgREST and the functions verify tokens with no call outside.
 *
 * Queued by cron each minute and when a worker starts. An issuer that cannot be reached, or that answers with no key,
 * keeps the keys it had. Throws at the end when one failed, so that the queue tries again before the next minute.
 */
import type { JSONValue } from "postgres";
import { z } from "zod";
import { config } from "../../_shared/config.ts";
import { log } from "../../_shared/telemetry.ts";
import { fetchJwks } from "../../_shared/zitadel/keys.ts";
import { Nothing, task, type TaskContext } from "../task.ts";

const Keys = z.object({ keys: z.array(z.unknown()) });

interface Issuer {
  issuer: string;
  kind: "zitadel" | "gatehouse";
  jwks_uri: string;
}

export default task(Nothing, (_payload, context) => refreshKeys(context));

export async function refreshKeys(
  { sql }: Pick<TaskContext, "sql">,
  fetchKeys: (issuer: Issuer) => Promise<unknown[]> = keysOf,
): Promise<void> {
  let failed: unknown;
  for (
    const issuer of await sql<Issuer[]>`select issuer, kind, jwks_uri from private.list_issuers()`
  ) {
    try {
      const keys = await fetchKeys(issuer);
      await sql`select private.put_verification_keys(${issuer.issuer}, ${
        sql.json(keys as JSONValue)
      })`;
    } catch (error) {
      log("warn", "an issuer's keys stay as they were", { issuer: issuer.issuer, error });
      failed = error;
    }
  }
  if (failed) throw failed;
}

async function keysOf({ issuer, kind, jwks_uri }: Issuer): Promise<unknown[]> {
  const { profile, zitadelIssuer, zitadelUrl } = config();
  if (kind === "zitadel" && issuer === zitadelIssuer) {
    return await fetchJwks({ profile, issuer, url: zitadelUrl });
  }
  const response = await fetch(jwks_uri, {
    redirect: "error",
    signal: AbortSignal.timeout(10_000),
  });
  if (!response.ok) throw new Error(`"${jwks_uri}" answers ${response.status}`);
  return Keys.parse(await response.json()).keys;
}
