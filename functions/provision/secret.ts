import type { Caller } from "../_shared/auth.ts";
import { config } from "../_shared/config.ts";
import { asCaller, type AsCallerOptions } from "../_shared/db.ts";
import { Problem } from "../_shared/problem.ts";
import { ZitadelError } from "../_shared/zitadel/errors.ts";
import { zitadelOf } from "./environment.ts";

export interface Secret {
  clientId: string;
  /** Shown this once; the one before is dead. */
  clientSecret: string;
}

/**
 * A new secret for a confidential application. It is on record before ZITADEL is asked, so no secret is made off the record.
 * @throws {Problem} not_allowed, app_not_found, app_not_confidential, app_not_ready, zitadel_unavailable
 */
export async function rotateSecret(
  caller: Caller,
  tenantId: string,
  appId: string,
  options: AsCallerOptions = {},
): Promise<Secret> {
  const app = await asCaller(caller, async (sql) => {
    const [row] = await sql<{ app: App }[]>`
      select private.begin_app_secret(${tenantId}, ${appId}) as app`;
    return row!.app;
  }, options);
  const zitadel = zitadelOf(config()).zitadel();
  try {
    const clientSecret = await zitadel.generateClientSecret(app.projectId, app.applicationId);
    return { clientId: app.clientId, clientSecret };
  } catch (error) {
    if (!(error instanceof ZitadelError)) throw error;
    throw new Problem("zitadel_unavailable", "ZITADEL made no secret", { cause: error });
  }
}

interface App {
  clientId: string;
  applicationId: string;
  projectId: string;
}
