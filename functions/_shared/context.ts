// What a request carries besides its body: ids that tie logs together, and where it came from.
import type { Context } from "hono";
import { newTraceparent, parseTraceparent } from "./telemetry.ts";

/** Hono's variables in every app (`c.var.request`). */
export interface RequestContext {
  /** From `x-correlation-id` where that is well-formed, else made. Echoed. */
  id: string;
  /** W3C Trace Context: the caller's, or made. */
  traceparent: string;
  traceId: string;
  /** The client by the last hop that is ours; undefined when unknown. */
  address: string | undefined;
}

const acceptedId = /^[A-Za-z0-9._:-]{8,100}$/;

export function readContext(
  headers: Headers,
  options: {
    trustedHops: number;
    remoteAddress?: string | undefined;
    /** The traceparent of a span that the runtime opened for this request. */
    running?: string | undefined;
  },
): RequestContext {
  const given = headers.get("x-correlation-id");
  const received = headers.get("traceparent");
  const traceparent = options.running ??
    (received !== null && parseTraceparent(received) ? received : newTraceparent());
  return {
    id: given !== null && acceptedId.test(given) ? given : crypto.randomUUID(),
    traceparent,
    traceId: traceparent.slice(3, 35),
    address: clientAddress(headers.get("x-forwarded-for"), options),
  };
}

/**
 * Each of our proxies appends the address it saw, so the entry `trustedHops` from the end was written by the outermost of them;
 * entries before it are the client's own word. With no proxy of ours the header says nothing.
 */
function clientAddress(
  forwardedFor: string | null,
  { trustedHops, remoteAddress }: { trustedHops: number; remoteAddress?: string | undefined },
): string | undefined {
  if (trustedHops === 0 || forwardedFor === null) return remoteAddress;
  const entries = forwardedFor.split(",").map((entry) => entry.trim()).filter(Boolean);
  return entries.at(-Math.min(trustedHops, entries.length)) ?? remoteAddress;
}

/** The request's id, also where a middleware failed before it was set. */
export function requestId(c: Context): string | undefined {
  return (c.var as { request?: RequestContext }).request?.id;
}
