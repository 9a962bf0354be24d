/** What opening a flow and acting in it have in common: the flow of a request, and what the browser keeps of it. */
import type { Context } from "hono";
import type { App } from "../../_shared/app.ts";
import { flowBinding } from "../binding.ts";
import type { Answer, State } from "../contract.ts";
import type { WidgetParts } from "../parts.ts";
import { remembered, rememberedNothing } from "../remembered.ts";
import { type Flow, nowSeconds, type Where } from "./flow.ts";
import { forgetOldChanges, type Memory, stampChanges } from "./memory.ts";
import { endSession } from "./next.ts";

export async function flowFor(
  parts: WidgetParts,
  c: Context<App>,
  memory: Memory,
  where: Where,
): Promise<Flow> {
  forgetOldChanges(memory, nowSeconds({ parts }));
  return {
    ...where,
    parts,
    memory,
    remembered: memory.mode === "inline" ? rememberedNothing : await remembered(parts, c),
    userAgent: {
      fingerprintId: memory.browser,
      ...(c.var.request.address ? { ip: c.var.request.address } : {}),
      ...(c.req.header("user-agent")
        ? { description: c.req.header("user-agent")!.slice(0, 200) }
        : {}),
    },
    suspect: {
      tenantId: memory.person?.tenantId ?? where.client.tenantId,
      ...(memory.person ? { userId: memory.person.userId } : {}),
    },
  };
}

const ends: State["screen"][] = ["done", "finished", "signed_out"];

/** Seals what the flow remembers now; at its end nothing is left to go on with. */
export async function keep(
  c: Context<App>,
  flow: Flow,
  state: State,
  before?: Memory,
): Promise<Answer> {
  const { memory, remembered, parts } = flow;
  memory.screen = state.screen;
  stampChanges(memory, before, nowSeconds(flow));
  const { session } = memory;
  const account = session && remembered.find(session.id);
  if (account && account.token !== session.token) {
    remembered.put({ ...account, token: session.token }); // the token before it is dead
  }
  const left = before?.session;
  if (left && left.id !== session?.id && !remembered.find(left.id)) {
    await endSession(flow, { sessionId: left.id });
  }
  await remembered.keep(c);
  const binding = flowBinding(parts);
  if (!ends.includes(state.screen)) return { flow: await binding.keep(c, memory), state };
  await binding.release(c, memory);
  return { flow: memory.mode === "inline" ? "" : memory.ref, state };
}
