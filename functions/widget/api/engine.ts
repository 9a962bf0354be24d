/** The flows, asked as a program that is no browser: by their own two requests, so that nothing of them is said twice. */
import type { Context, Hono } from "hono";
import type { App } from "../../_shared/app.ts";
import { type Fault, Problem } from "../../_shared/problem.ts";
import type { Action, Answer, Open, Opened } from "../contract.ts";

export interface Engine {
  open(input: Open): Promise<Opened>;
  act(flow: string, action: Action): Promise<Answer>;
}

/** Who asks is told on; cookies and origin are not: there are none. */
const passed = ["user-agent", "x-forwarded-for", "traceparent", "x-correlation-id"];

export function engineOf(app: Hono<App>, c: Context<App>): Engine {
  const ask = async <T>(path: string, input: unknown, flow = ""): Promise<T> => {
    const headers = new Headers({ "content-type": "application/json", "x-gatehouse-flow": flow });
    for (const name of passed) {
      const value = c.req.header(name);
      if (value !== undefined) headers.set(name, value);
    }
    const init = { method: "POST", headers, body: JSON.stringify(input) };
    const response = await app.request(`/widget/flows/${path}`, init, c.env);
    const answer = await response.json();
    if (response.ok) return answer as T;
    throw asRefused(answer, response);
  };
  return {
    open: (input) => ask("open", input),
    act: (flow, action) => ask("act", action, flow),
  };
}

function asRefused(
  { type, detail, errors }: { type: string; detail?: string; errors?: Fault[] },
  { status, headers }: Response,
): Problem {
  const retryAfter = headers.get("retry-after");
  return new Problem(type.split(":").pop()!, detail ?? "", {
    status,
    ...(errors ? { pointers: errors } : {}),
    ...(retryAfter ? { headers: { "retry-after": retryAfter } } : {}),
  });
}
