// What every function's app shares: request id, trace, log line, security headers, errors.
import { Hono, type MiddlewareHandler } from "hono";
import type { Caller } from "./auth.ts";
import { config } from "./config.ts";
import { readContext, type RequestContext } from "./context.ts";
import { onProblem, Problem } from "./problem.ts";
import { addFields, log, span, SpanKind, traceparent, withFields } from "./telemetry.ts";

/** `c.var` and `c.env` of every app. */
export interface App {
  Variables: {
    request: RequestContext;
    /** Set by `authenticate`; absent where a route does not use it. */
    caller: Caller;
  };
  /** What Deno.serve passes beside the request. Absent in `app.request()`. */
  Bindings: { remoteAddr?: { hostname?: string } };
}

/** An app that answers below `/<name>`, as Supabase's edge runtime and functions/main hand requests on. */
export function newApp(name: string): Hono<App> {
  const app = new Hono<App>().basePath(`/${name}`);
  app.use("*", observe(name));
  app.onError(onProblem);
  app.notFound((c) =>
    onProblem(new Problem("not_found", `Nothing answers ${c.req.method} "${c.req.path}"`), c)
  );
  return app;
}

/** Set where the handler set nothing: JSON needs no more than this, a page sets its own policy. */
const defaultHeaders = {
  "cache-control": "no-store",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
};

export function observe(name: string): MiddlewareHandler<App> {
  return async (c, next) => {
    const startedAt = performance.now();
    const running = traceparent();
    const request = readContext(c.req.raw.headers, {
      trustedHops: config().trustedHops,
      remoteAddress: c.env?.remoteAddr?.hostname,
      running,
    });
    c.set("request", request);
    const fields = {
      request_id: request.id,
      trace_id: request.traceId,
      traceparent: request.traceparent,
      function: name,
    };
    await withFields(fields, () =>
      span(`${c.req.method} /${name}`, {
        traceparent: request.traceparent,
        "http.request.method": c.req.method,
      }, async (span) => {
        request.traceparent = traceparent() ?? request.traceparent;
        const tenant = c.req.header("x-tenant-id");
        if (tenant !== undefined && tenant.length <= 64) addFields({ tenant });
        await next();
        for (const [header, value] of Object.entries(defaultHeaders)) {
          if (!c.res.headers.has(header)) c.header(header, value);
        }
        c.header("x-correlation-id", request.id);
        span.setAttribute("http.response.status_code", c.res.status);
        log("info", "request", {
          method: c.req.method,
          path: c.req.path,
          status: c.res.status,
          duration_ms: Math.round(performance.now() - startedAt),
          address: request.address,
        });
      }, running === undefined ? SpanKind.SERVER : SpanKind.INTERNAL));
  };
}
