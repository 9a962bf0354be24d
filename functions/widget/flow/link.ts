/**
 * From a link in a mail, or handed over by an administrator: a new password, a proven address, an invitation taken. Opening it spends
 * nothing. In the browser that asked for it, it goes on with that sign-in.
 */
import type { Context } from "hono";
import type { App } from "../../_shared/app.ts";
import type { User } from "../../_shared/zitadel/types.ts";
import { flowBinding } from "../binding.ts";
import type { State } from "../contract.ts";
import type { WidgetParts } from "../parts.ts";
import { type Flow, notFound, nowSeconds, type Where } from "./flow.ts";
import { showInvitation } from "./invitation.ts";
import { payByAddress } from "./limits.ts";
import { forget, type Memory } from "./memory.ts";
import { newMemory, type Opener, type OpenOf } from "./open.ts";
import { maskEmail } from "./people.ts";
import { flowFor } from "./request.ts";
import { ask } from "./reset.ts";
import { showAwaited } from "./verify_email.ts";
import { whereOf, whereOfTenant } from "./where.ts";

type Link = OpenOf<"link">;

/** @throws {Problem} flow_not_found: there is no such person, or they belong to no tenant, as platform staff does */
export const openLink: Opener<"link"> = async (parts, c, link) => {
  const user = await parts.zitadel.getUser(link.userId);
  const client = user?.kind === "human" ? await parts.clients.findTenant(user.orgId) : null;
  if (!user || client?.organizationId !== user.orgId) throw notFound(link.kind);
  await payByAddress(parts, client.tenantId, c.var.request.address);
  const { memory, where } = await begunHere(parts, c, link, user) ??
    await behindLink(parts, client.tenantId, link);
  const flow = await flowFor(parts, c, memory, where);
  return { flow, state: await show(flow, user, client.tenantId, link) };
};

interface Found {
  memory: Memory;
  where: Where;
}

/** The sign-in that the link was asked for in, where this browser has it and it takes the person. */
async function begunHere(
  parts: WidgetParts,
  c: Context<App>,
  { kind, authRequest, language }: Link,
  user: User,
): Promise<Found | undefined> {
  if (authRequest === undefined || kind === "invitation") return;
  const memory = await flowBinding(parts).find(c, authRequest);
  if (memory?.mode !== "page") return;
  // Run out or finished meanwhile: the link does its work all the same.
  const where = await whereOf(parts, memory).catch(() => undefined);
  const takes = where?.client.kind === "portal" || where?.client.organizationId === user.orgId;
  if (!where || !takes) return;
  if (kind === "verify_email" && memory.person?.userId !== user.id) return;
  if (language !== undefined) memory.language = language;
  return { memory, where };
}

async function behindLink(
  parts: WidgetParts,
  tenantId: string,
  { language }: Link,
): Promise<Found> {
  const memory = newMemory(parts, {
    mode: "link",
    ref: `link_${crypto.randomUUID()}`,
    tenantId,
    ...(language === undefined ? {} : { language }),
  });
  return { memory, where: await whereOfTenant(parts, tenantId) };
}

async function show(
  flow: Flow,
  user: User,
  tenantId: string,
  { kind, code }: Link,
): Promise<State> {
  const { id: userId, orgId: organizationId } = user;
  const resendAt = nowSeconds(flow);
  switch (kind) {
    case "reset":
      forget(flow.memory);
      return await ask(flow, {
        kind: "reset",
        account: userId,
        resendAt,
        home: { tenantId, organizationId },
        userId,
        code,
      });
    case "verify_email": {
      const to = maskEmail(user.profile?.email ?? "");
      flow.memory.pending = {
        ...{ kind: "verify_email", to, resendAt, account: userId, known: true, code },
      };
      return showAwaited(flow);
    }
    case "invitation": {
      const displayName = user.profile?.displayName ?? "";
      const invited = { kind: "invitation", account: userId, userId, code } as const;
      return await showInvitation(flow, invited, displayName);
    }
  }
}
