import { Problem } from "../_shared/problem.ts";
import { isZitadelError } from "../_shared/zitadel/errors.ts";
import type { AuthRequest, LoginClient } from "../_shared/zitadel/types.ts";
import type { Clients, WidgetClient } from "./clients.ts";

/** One sign-in that an application has asked for. */
export interface Flow {
  request: AuthRequest;
  client: WidgetClient;
}

/** ZITADEL's ids, `V2_` and digits; anything else is not worth a question. */
export const authRequestId = /^V2_[A-Za-z0-9_-]{1,200}$/;

/** @throws {Problem} flow_not_found, app_disabled, tenant_suspended */
export async function loadFlow(
  parts: { zitadel: LoginClient; clients: Clients },
  id: string,
): Promise<Flow> {
  const unknown = (cause?: unknown) =>
    new Problem("flow_not_found", `No sign-in "${id}" is under way`, { cause });
  if (!authRequestId.test(id)) throw unknown();
  const request = await parts.zitadel.getAuthRequest(id).catch((error) => {
    if (isZitadelError(error, "not_found")) throw unknown(error);
    throw error;
  });
  const client = await parts.clients.find(request.clientId);
  if (client === null) throw unknown();
  if (client.tenantStatus !== "active") throw tenantSuspended();
  if (!client.enabled) {
    throw new Problem("app_disabled", `The application "${client.appName}" is switched off`);
  }
  return { request, client };
}

export const tenantSuspended = () =>
  new Problem("tenant_suspended", "Signing in is suspended for this organization");
