// One attempt at one delivery, and what the receiver's answer means. Standard Webhooks 1.0.0, operational considerations.
import type { KeyObject } from "node:crypto";
import { OutboundError, type OutboundResponse, type Target } from "../_shared/outbound.ts";
import { signWebhook } from "../_shared/signing.ts";
import {
  hotSpan,
  newTraceparent,
  parseTraceparent,
  SpanKind,
  traceparentOf,
} from "../_shared/telemetry.ts";

/** As `private.claim_deliveries` gives it. */
export interface Delivery {
  id: string;
  attempt: number;
  /** The `webhook-id`: the same for every endpoint and attempt. */
  eventId: string;
  /** The exact bytes to sign and send. */
  body: string;
  traceparent: string | null;
}

/** As `private.settle_deliveries` takes it. */
export interface Result {
  id: string;
  outcome: "delivered" | "retry" | "dead" | "disable" | "release";
  /** Since the epoch. */
  startedAtMs?: number;
  durationMs?: number;
  /** Absent when there was no answer; `errorClass` says why. */
  status?: number;
  errorClass?: string;
  responseHeaders?: Record<string, string>;
  /** Absent when it was empty. */
  responseBody?: string;
  retryAfterSeconds?: number;
  /** The endpoint as a whole rests. */
  throttle?: boolean;
  /** The endpoint is to be disabled, and why. */
  stop?: "gone" | "asked";
}

/** Was not sent, for a reason of ours, and is due again after so many seconds: no attempt. */
export function delay(id: string, retryAfterSeconds: number): Result {
  return { id, outcome: "release", retryAfterSeconds };
}

/** As `delay`, and the reason holds for all of the endpoint's: it rests as long. */
export function rest(id: string, retryAfterSeconds: number): Result {
  return { ...delay(id, retryAfterSeconds), throttle: true };
}

/** How long a fault of ours is given to be mended. */
export const restSeconds = 60;

export interface AttemptInput {
  delivery: Delivery;
  keys: KeyObject[];
  /** The endpoint's own, names in lower case. */
  headers?: Record<string, string>;
  send: Target["send"];
  now: () => Date;
  /** Milliseconds, never going back: durations are measured by it. */
  clock: () => number;
  timeoutMs: number;
}

/** Never throws for what the receiver or the network does. Released when our own proxy is why nothing was sent. */
export async function attempt(input: AttemptInput): Promise<Result> {
  const { delivery, keys, send, now, clock, timeoutMs } = input;
  const traceparent = parseTraceparent(delivery.traceparent)
    ? delivery.traceparent!
    : newTraceparent();
  const attributes = {
    "messaging.message.id": delivery.eventId,
    "gatehouse.delivery.id": delivery.id,
    "gatehouse.delivery.attempt": delivery.attempt,
    traceparent,
  };
  return await hotSpan("webhook attempt", attributes, async (span) => {
    const startedAtMs = now().getTime();
    const began = clock();
    const body = encoder.encode(delivery.body); // once, for the signature and the request
    const timestampSeconds = Math.floor(startedAtMs / 1_000);
    const signed = signWebhook({ id: delivery.eventId, timestampSeconds, body }, keys);
    try {
      const response = await send({
        headers: {
          ...input.headers,
          ...signed,
          "content-type": "application/json",
          "user-agent": "Gatehouse-Webhooks/1",
          traceparent: traceparentOf(span) ?? traceparent,
        },
        body,
        timeoutMs,
        maxBytes: keptBytes,
      });
      span.setAttribute("http.response.status_code", response.status);
      return { id: delivery.id, startedAtMs, ...judge(response, now(), input.headers) };
    } catch (error) {
      if (!(error instanceof OutboundError)) throw error;
      span.setAttribute("error.type", error.errorClass);
      if (ofOurProxy.has(error.errorClass)) {
        return { ...rest(delivery.id, restSeconds), errorClass: error.errorClass };
      }
      const durationMs = Math.round(clock() - began);
      return { id: delivery.id, startedAtMs, durationMs, ...refused(error.errorClass) };
    }
  }, SpanKind.PRODUCER);
}

const encoder = new TextEncoder();
/** Of an answer's body. */
const keptBytes = 4_096;
const longestRetryAfterSeconds = 86_400;
/** The receiver, or what is before it, asks for a slower pace. */
const slowDown = new Set([429, 502, 503, 504]);

/**
 * 2xx is delivered and 410 ends it; all else, a redirect too, is tried again. The answer's header `webhook-delivery` decides more, as with
 * Svix: `disable` ends it whatever the status is, `abort-message` gives up this one.
 *
 * @param sent The endpoint's own headers, names in lower case: a receiver that gives them back does not put them on record.
 */
export function judge(
  response: OutboundResponse,
  now: Date,
  sent: Record<string, string> = {},
): Omit<Result, "id"> {
  const { status, durationMs, headers } = response;
  const seen: Omit<Result, "id" | "outcome"> = {
    status,
    durationMs,
    responseHeaders: keptHeaders(headers, sent),
  };
  if (response.body.byteLength > 0) seen.responseBody = keptBody(response, sent);
  const wish = headers["webhook-delivery"]?.trim().toLowerCase();
  const asked = wish === "disable" ? { stop: "asked" as const } : {};
  if (status >= 200 && status < 300) {
    return { ...seen, outcome: "delivered", ...asked };
  }
  if (status === 410) return { ...seen, outcome: "disable", stop: "gone" };
  if (wish === "disable") return { ...seen, outcome: "disable", ...asked };
  if (wish === "abort-message") return { ...seen, outcome: "dead" };
  const retryAfterSeconds = parseRetryAfter(headers["retry-after"], now);
  return {
    ...seen,
    outcome: "retry",
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
    throttle: slowDown.has(status),
  };
}

/** Between us and the receiver: it was never asked. */
const ofOurProxy = new Set<OutboundError["errorClass"]>(["proxy_unreachable", "proxy_refused"]);
/** There was no answer. These say nothing of the next message: the receiver may have stumbled over this one. */
const ofThisMessage = new Set<OutboundError["errorClass"]>(["connection_lost", "protocol_error"]);

function refused(errorClass: OutboundError["errorClass"]): Omit<Result, "id"> {
  const throttle = !ofThisMessage.has(errorClass);
  return { outcome: "retry", errorClass, throttle };
}

/** Seconds, or an HTTP date (RFC 9110, 10.2.3); at most a day. Undefined when absent or malformed. */
export function parseRetryAfter(text: string | undefined, now: Date): number | undefined {
  if (text === undefined) return undefined;
  const seconds = /^\d+$/.test(text.trim())
    ? Number(text)
    : Math.ceil((Date.parse(text) - now.getTime()) / 1_000);
  if (Number.isNaN(seconds)) return undefined;
  return Math.min(Math.max(seconds, 0), longestRetryAfterSeconds);
}

/** At most so many headers, so many characters of a name or value, and of all of them. */
const mostHeaders = 50;
const longestText = 500;
const longestHeaders = 8_192;
/** Cookies, credentials, challenges and tokens are of use to who has them, long after the answer. Names in lower case. */
const secretHeader = new RegExp(
  "authoriz|authent|cookie|token|secret|passw|credential|session|[cx]srf|nonce|signature|jwt" +
    "|api-?key|^(x-)?auth(-|$)",
);

/** Ten thousand times a second: no list is made of them. */
function keptHeaders(
  headers: Record<string, string>,
  sent: Record<string, string>,
): Record<string, string> {
  const kept: Record<string, string> = {};
  let count = 0;
  let length = 0;
  for (const name in headers) {
    if (secretHeader.test(name) || Object.hasOwn(sent, name)) continue;
    const key = cut(name);
    const value = cut(headers[name]!);
    length += key.length + value.length;
    if (++count > mostHeaders || length > longestHeaders) break;
    kept[key] = value;
  }
  return kept;
}

function cut(text: string): string {
  return withoutNul(text.length > longestText ? text.slice(0, longestText).toWellFormed() : text);
}

/** A character that the cut goes through is left out. */
function keptBody({ body, truncated }: OutboundResponse, sent: Record<string, string>): string {
  const first = body.subarray(0, keptBytes);
  const stream = truncated || body.byteLength > keptBytes;
  let text = withoutNul(new TextDecoder().decode(first, { stream }));
  for (const name in sent) {
    const value = sent[name]!;
    if (value.length >= shortestSecret) text = text.replaceAll(value, () => "[redacted]");
  }
  return text;
}

/** Shorter ones are words that an answer may well have of its own. */
const shortestSecret = 8;

/** Postgres's text has no NUL. */
function withoutNul(text: string): string {
  return text.includes("\0") ? text.replaceAll("\0", "\uFFFD") : text;
}
