// Spans, trace context and log lines. Without an SDK the spans cost nothing and go nowhere: exporting is the operator's choice.
import { AsyncLocalStorage } from "node:async_hooks";
import {
  type Attributes,
  context,
  INVALID_SPAN_CONTEXT,
  isSpanContextValid,
  ProxyTracerProvider,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
} from "@opentelemetry/api";
import { redact } from "./redact.ts";

export type Level = "debug" | "info" | "warn" | "error";
export type Fields = Record<string, unknown>;

const levels: Record<Level, number> = { debug: 10, info: 20, warn: 30, error: 40 };
const fieldsOfTask = new AsyncLocalStorage<Fields>();
const threshold = () => levels[(Deno.env.get("LOG_LEVEL") as Level) ?? "info"] ?? levels.info;

/** Everything logged inside `fn`, however deep, carries these fields (request_id, tenant, trace_id …). */
export function withFields<T>(fields: Fields, fn: () => T): T {
  return fieldsOfTask.run({ ...fieldsOfTask.getStore(), ...fields }, fn);
}

/** Adds to the fields of the running `withFields`; does nothing outside one. */
export function addFields(fields: Fields): void {
  const store = fieldsOfTask.getStore();
  if (store) Object.assign(store, fields);
}

/** One JSON line on stdout. Secrets are redacted by field name and by shape; see redact.ts. */
export function log(level: Level, message: string, fields: Fields = {}): void {
  if (levels[level] < threshold()) return;
  const line = { time: new Date().toISOString(), level, message };
  console.log(
    JSON.stringify({ ...line, ...(redact({ ...fieldsOfTask.getStore(), ...fields }) as Fields) }),
  );
}

export interface TraceParent {
  traceId: string;
  spanId: string;
  flags: number;
}

/** Reads a W3C `traceparent`, version 00; null when absent or malformed (then it is to be ignored, not repaired). */
export function parseTraceparent(text: string | null | undefined): TraceParent | null {
  const match = /^00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})$/.exec(
    text ?? "",
  );
  if (!match) return null;
  return { traceId: match[1]!, spanId: match[2]!, flags: parseInt(match[3]!, 16) };
}

export function formatTraceparent({ traceId, spanId, flags }: TraceParent): string {
  return `00-${traceId}-${spanId}-${flags.toString(16).padStart(2, "0")}`;
}

/** A new trace that nobody samples: it ties log lines, events and deliveries together where there is no tracer. */
export function newTraceparent(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(24));
  const hex = bytes.toHex();
  return `00-${hex.slice(0, 32)}-${hex.slice(32)}-00`;
}

/** What to send on to the next process: the running span's context, else the request's own. */
export function traceparent(): string | undefined {
  const active = trace.getActiveSpan();
  return (active && traceparentOf(active)) ??
    fieldsOfTask.getStore()?.traceparent as string | undefined;
}

/** What a call made in this span sends on; undefined where no tracer is registered. */
export function traceparentOf(span: Span): string | undefined {
  const { traceId, spanId, traceFlags } = span.spanContext();
  return isSpanContextValid({ traceId, spanId, traceFlags })
    ? formatTraceparent({ traceId, spanId, flags: traceFlags })
    : undefined;
}

/** Of whichever provider is registered, now or later. */
const tracer = trace.getTracer("gatehouse");
/** What `span` gives where none is: it takes everything and keeps nothing. */
const nowhere = trace.wrapSpanContext(INVALID_SPAN_CONTEXT);

function isTraced(): boolean {
  const provider = trace.getTracerProvider();
  return !(provider instanceof ProxyTracerProvider) ||
    provider.getDelegateTracer("gatehouse") !== undefined;
}

export interface SpanOptions extends Attributes {
  /** Continue this W3C trace instead of the running one (jobs, whose parent has long ended). */
  traceparent?: string;
}

/** Runs `fn` in a span; a throw marks the span failed and passes on. */
export async function span<T>(
  name: string,
  attributes: SpanOptions,
  fn: (span: Span) => Promise<T> | T,
  kind: SpanKind = SpanKind.INTERNAL,
): Promise<T> {
  const { traceparent: parentText, ...rest } = attributes;
  const parent = parseTraceparent(parentText);
  if (!isTraced()) {
    return await (parent
      ? withFields({ traceparent: parentText, trace_id: parent.traceId }, () => fn(nowhere))
      : fn(nowhere));
  }
  const nested = parent && trace.getActiveSpan()?.spanContext().traceId === parent.traceId;
  const within = parent && !nested
    ? trace.setSpanContext(ROOT_CONTEXT, {
      traceId: parent.traceId,
      spanId: parent.spanId,
      traceFlags: parent.flags,
      isRemote: true,
    })
    : context.active();
  const run = async (span: Span) => {
    try {
      return await fn(span);
    } catch (error) {
      span.setStatus({ code: SpanStatusCode.ERROR });
      span.setAttribute("error.type", error instanceof Error ? error.name : typeof error);
      throw error;
    } finally {
      span.end();
    }
  };
  const start = () => tracer.startActiveSpan(name, { attributes: rest, kind }, within, run);
  return await (parent
    ? withFields({ traceparent: parentText, trace_id: parent.traceId }, start)
    : start());
}

/**
 * As `span`, for what is done by the thousand a second. Where no tracer is registered it costs nothing at all: then its log lines carry the
 * fields of what is around it, and `traceparent` does not tell the one given here.
 */
export async function hotSpan<T>(
  name: string,
  attributes: SpanOptions,
  fn: (span: Span) => Promise<T>,
  kind: SpanKind,
): Promise<T> {
  return await (isTraced() ? span(name, attributes, fn, kind) : fn(nowhere));
}

export { SpanKind };
