/** A sign-in within a customer's own page: we ask ZITADEL for the auth request, and keep nothing in the browser but the page's memory. */
import { Problem } from "../../_shared/problem.ts";
import { allowOrigin } from "./cors.ts";
import { payByAddress } from "./limits.ts";
import { newMemory, type Opener } from "./open.ts";
import { flowFor } from "./request.ts";
import { showStart } from "./start.ts";
import { requireInline, requireOpen, whereOf } from "./where.ts";

/** @throws {Problem} origin_refused, app_disabled, tenant_suspended, authorize_refused, rate_limited */
export const openInline: Opener<"inline"> = async (parts, c, input) => {
  const { mode, language, ...asked } = input;
  const origin = c.req.header("origin");
  const client = await parts.clients.find(input.clientId);
  if (client === null) throw unknownClient(input.clientId);
  // Its own pages may read a refusal too: the widget then offers our page instead.
  if (origin !== undefined && client.inlineOrigins.includes(origin)) allowOrigin(c, origin);
  requireInline(client, origin);
  requireOpen(client);
  await payByAddress(parts, client.tenantId, c.var.request.address);
  const made = await parts.authorize(asked);
  if ("error" in made) {
    throw new Problem("authorize_refused", `The issuer refuses the request: ${made.error}`);
  }
  const memory = newMemory(parts, {
    mode,
    ref: made.authRequest,
    ...(origin === undefined ? {} : { origin }),
    ...(language === undefined ? {} : { language }),
  });
  const flow = await flowFor(parts, c, memory, await whereOf(parts, memory));
  return { flow, state: await showStart(flow) };
};

const unknownClient = (id: string) =>
  new Problem("origin_refused", `There is no application "${id}" that people sign in to inline`);
