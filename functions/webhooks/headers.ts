// Headers that a receiver wants with each request, such as its own authorization. The names that are ours or the connection's are refused.
import { z } from "zod";

const reserved =
  /^(webhook-.*|content-.*|proxy-.*|sec-.*|host|connection|keep-alive|te|trailer|transfer-encoding|upgrade|expect|date|user-agent|accept-encoding|traceparent|tracestate|baggage|forwarded|x-forwarded-.*)$/;

const Name = z.string().toLowerCase().regex(
  /^[a-z][a-z0-9-]{0,63}$/,
  "Expected a letter, then letters, digits and -",
).refine((name) => !reserved.test(name), "This header is set by us or by the connection");

/** Visible ASCII and single spaces inside: what every server takes, and no end of line. */
const Value = z.string().min(1).max(2_000).regex(
  /^[!-~]+( [!-~]+)*$/,
  "Expected visible ASCII characters, with single spaces between them",
);

/** Name, in any case, to value. 20 at most. */
export const Headers = z.record(Name, Value)
  .refine((headers) => Object.keys(headers).length <= 20, "Expected 20 headers at most");
