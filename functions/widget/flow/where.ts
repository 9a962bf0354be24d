/** Whose sign-in a flow is, asked anew with each request: an application may be switched off meanwhile. */
import { Problem } from "../../_shared/problem.ts";
import { isZitadelError } from "../../_shared/zitadel/errors.ts";
import type { WidgetClient } from "../clients.ts";
import { authRequestId } from "../contract.ts";
import type { WidgetParts } from "../parts.ts";
import { notFound, tenantSuspended, type Where } from "./flow.ts";
import type { Memory } from "./memory.ts";

type Parts = Pick<WidgetParts, "zitadel" | "clients" | "looks">;

/** @throws {Problem} flow_not_found, app_disabled, tenant_suspended, origin_refused */
export async function whereOf(parts: Parts, memory: Memory): Promise<Where> {
  if (memory.tenantId !== undefined) return await whereOfTenant(parts, memory.tenantId);
  const where = await whereOfRequest(parts, memory.ref);
  if (memory.mode === "inline") requireInline(where.client, memory.origin);
  return where;
}

export async function whereOfRequest(
  parts: Parts,
  authRequest: string,
): Promise<Where & { request: NonNullable<Where["request"]> }> {
  if (!authRequestId.safeParse(authRequest).success) throw notFound(authRequest);
  const request = await parts.zitadel.getAuthRequest(authRequest).catch((error) => {
    if (isZitadelError(error, "not_found")) throw notFound(authRequest, error);
    throw error;
  });
  const client = await parts.clients.find(request.clientId);
  if (client === null) throw notFound(authRequest);
  return { request, ...await open(parts, client) };
}

/** `tenant`: its id or slug. */
export async function whereOfTenant(parts: Parts, tenant: string): Promise<Where> {
  const client = await parts.clients.findTenant(tenant);
  if (client === null) throw notFound(tenant);
  return { request: undefined, ...await open(parts, client) };
}

/** @throws {Problem} app_disabled, tenant_suspended */
export function requireOpen({ tenantStatus, enabled, appName }: WidgetClient): void {
  if (tenantStatus !== "active") throw tenantSuspended();
  if (!enabled) throw new Problem("app_disabled", `The application "${appName}" is switched off`);
}

async function open(parts: Parts, client: WidgetClient) {
  requireOpen(client);
  return { client, published: await parts.looks.find(client.tenantId, client.appId) };
}

/** Inline is opted in to, application by application. A program sends no origin. @throws {Problem} origin_refused */
export function requireInline(
  { inlineEnabled, inlineOrigins, appName }: WidgetClient,
  origin: string | undefined,
): void {
  if (inlineEnabled && (origin === undefined || inlineOrigins.includes(origin))) return;
  throw new Problem(
    "origin_refused",
    `"${appName}" does not sign people in on pages of "${origin ?? "a program"}"`,
  );
}
