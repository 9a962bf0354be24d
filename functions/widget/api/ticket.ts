import { Problem } from "../../_shared/problem.ts";
import { lifetimeSeconds } from "../flow/memory.ts";
import type { WidgetParts } from "../parts.ts";
import { sealing } from "../sealing.ts";

/** What a program keeps for us between two requests; it can neither read nor change it. */
export interface Ticket {
  /** The inline flow's own. */
  flow: string;
  clientId: string;
  redirectUri: string;
  codeVerifier: string;
  state: string;
  /** Unix seconds. */
  expiresAt: number;
}

type Parts = Pick<WidgetParts, "keyring" | "now">;
const seconds = ({ now }: Parts) => Math.floor(now().getTime() / 1000);

export async function sealTicket(
  parts: Parts,
  ticket: Omit<Ticket, "expiresAt"> & Partial<Ticket>,
): Promise<string> {
  const expiresAt = ticket.expiresAt ?? seconds(parts) + lifetimeSeconds;
  return await sealing(parts.keyring).seal("widget_api", "ticket", { ...ticket, expiresAt });
}

/** @throws {Problem} ticket_refused */
export async function openTicket(parts: Parts, text: string): Promise<Ticket> {
  const ticket = await sealing(parts.keyring).open("widget_api", "ticket", text) as
    | Ticket
    | undefined;
  if (ticket === undefined || ticket.expiresAt <= seconds(parts)) {
    throw new Problem("ticket_refused", "The ticket is not one of ours, or has run out");
  }
  return ticket;
}
