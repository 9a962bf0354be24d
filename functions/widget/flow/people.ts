/** Whom a typed name means. */
import { Problem } from "../../_shared/problem.ts";
import type { User } from "../../_shared/zitadel/types.ts";
import { type Flow, refused, tenantSuspended } from "./flow.ts";
import type { Home } from "./memory.ts";

/** The application's own organization; at the portal the one that the login name points to. @throws {Problem} credentials_refused, tenant_suspended */
export async function homeOf(flow: Flow, loginName: string): Promise<Home> {
  const found = flow.client.kind === "portal"
    ? await flow.parts.clients.findLoginOrganization(loginName)
    : flow.client;
  const narrowed = flow.request?.orgId; // the application may narrow it, never widen it
  flow.suspect = { tenantId: found?.tenantId ?? flow.client.tenantId, loginName };
  if (!found?.organizationId || (narrowed !== undefined && narrowed !== found.organizationId)) {
    throw refused();
  }
  if (found.tenantStatus !== "active") throw tenantSuspended();
  return { tenantId: found.tenantId, organizationId: found.organizationId };
}

/** For ways whose answer is the same whether a name belongs anywhere or not. */
export async function homeIfAny(flow: Flow, loginName: string): Promise<Home | undefined> {
  return await homeOf(flow, loginName).catch((error) => {
    const none = error instanceof Problem && flow.client.kind === "portal";
    if (none) return undefined;
    throw error;
  });
}

/** The organization that is known before anybody typed a name. None at the portal, where people of every tenant sign in. */
export function knownHome({ client, request }: Flow): Home | undefined {
  const { kind, tenantId, organizationId } = client;
  if (kind === "portal" || organizationId === null) return undefined;
  const widened = request?.orgId !== undefined && request.orgId !== organizationId;
  return widened ? undefined : { tenantId, organizationId };
}

/** By login name, user name or, where allowed, e-mail. Several hits are nobody. */
export async function findPerson(
  flow: Flow,
  { organizationId: orgId }: Home,
  loginName: string,
  byEmail: boolean,
): Promise<User | undefined> {
  const [user, ...others] = await flow.parts.zitadel.findUsers({ orgId, loginName, byEmail });
  if (user?.kind !== "human" || user.orgId !== orgId || others.length > 0) return undefined;
  flow.suspect.userId = user.id;
  return user;
}

/** `v…@example.com`: enough to know one's own. */
export function maskEmail(email: string): string {
  const at = email.lastIndexOf("@");
  return at < 1 ? "…" : `${email[0]}…${email.slice(at)}`;
}
