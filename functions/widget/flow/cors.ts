/** Which pages of others may read our answers: the origin of an inline flow, exactly, and never with cookies. */
import type { Context, MiddlewareHandler } from "hono";
import type { App } from "../../_shared/app.ts";
import type { Clients } from "../clients.ts";

const allowed = new WeakMap<Request, string>();

/** The answer to this request, a refusal too, may be read by a page of this origin. */
export function allowOrigin(c: Context<App>, origin: string): void {
  allowed.set(c.req.raw, origin);
}

/** Nobody is known before the request itself comes: a preflight passes for pages of any application. */
export function cors(clients: () => Clients): MiddlewareHandler<App> {
  return async (c, next) => {
    c.header("vary", "Origin");
    if (c.req.method === "OPTIONS") return await preflight(c, clients());
    await next();
    const origin = allowed.get(c.req.raw);
    if (origin === undefined) return;
    c.res.headers.set("access-control-allow-origin", origin);
    c.res.headers.set("access-control-expose-headers", "retry-after");
    c.res.headers.set("vary", "Origin");
  };
}

async function preflight(c: Context<App>, clients: Clients): Promise<Response> {
  const origin = c.req.header("origin");
  if (origin === undefined || !(await clients.isAppOrigin(origin))) return c.body(null, 204);
  return c.body(null, 204, {
    "access-control-allow-origin": origin,
    "access-control-allow-methods": "POST",
    "access-control-allow-headers": "content-type, x-gatehouse-flow",
    "access-control-max-age": "600",
    vary: "Origin",
  });
}
