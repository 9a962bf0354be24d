/** One action of one flow, from the request to the answer. What an action does: handlers.ts; what comes then: next.ts. */
import type { Context } from "hono";
import type { App } from "../../_shared/app.ts";
import { body } from "../../_shared/body.ts";
import { Problem } from "../../_shared/problem.ts";
import { span } from "../../_shared/telemetry.ts";
import { flowBinding } from "../binding.ts";
import { Action, type Answer, type State } from "../contract.ts";
import type { WidgetParts } from "../parts.ts";
import { allowOrigin } from "./cors.ts";
import { asProblem, untilFloor } from "./failures.ts";
import type { Flow } from "./flow.ts";
import { type ActionName, type ActionOf, type Handler, handlers } from "./handlers.ts";
import { isLate, payFor } from "./limits.ts";
import { endSession } from "./next.ts";
import { reportRefusal } from "./report.ts";
import { flowFor, keep } from "./request.ts";
import { whereOf } from "./where.ts";

export async function act(parts: WidgetParts, c: Context<App>): Promise<Answer> {
  const startedAt = performance.now();
  const before = await flowBinding(parts).require(c, c.req.header("x-gatehouse-flow") ?? "");
  if (before.origin !== undefined) allowOrigin(c, before.origin);
  const action = await body(c, Action);
  let late = isLate(action.action, true);
  try {
    const memory = structuredClone(before);
    const flow = await flowFor(parts, c, memory, await whereOf(parts, memory));
    const state = await span(
      "widget.act",
      { action: action.action, screen: before.screen },
      () => perform(flow, action),
    );
    late = isLate(action.action, false);
    return await keep(c, flow, state, before);
  } catch (error) {
    const problem = asProblem(error);
    // Cheap on purpose, and the same for everybody.
    if (problem instanceof Problem && problem.slug === "rate_limited") late = false;
    throw problem;
  } finally {
    if (late) await untilFloor(startedAt, parts.refusalFloorMs);
  }
}

/** @throws {Problem} action_refused, rate_limited, or what the handler refuses with; then everything is as it was. */
async function perform<A extends ActionName>(flow: Flow, action: ActionOf<A>): Promise<State> {
  const { screen } = flow.memory;
  const handler = handlers[screen][action.action as A] as Handler<A> | undefined;
  if (handler === undefined) {
    throw new Problem("action_refused", `The screen "${screen}" takes no "${action.action}"`);
  }
  const giveBack = await payFor(flow, action);
  try {
    const state = await handler(flow, action);
    await giveBack();
    return state;
  } catch (error) {
    await reportRefusal(flow, error);
    // What is refused leaves no session behind that a later call could go on with.
    if (flow.made) await endSession(flow, { sessionId: flow.made.sessionId });
    throw error;
  }
}
