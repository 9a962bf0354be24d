// A request's JSON body, checked against a schema before a handler sees it.
import type { Context } from "hono";
import type { z } from "zod";
import { type Fault, Problem } from "./problem.ts";

const defaultMaxBytes = 64 * 1024;

/**
 * The body as `schema` says (a z.strictObject). @throws {Problem} 415 unsupported_media_type · 413 payload_too_large ·
 * 400 malformed_json · 422 invalid_request with one JSON pointer per fault
 */
export async function body<S extends z.ZodType>(
  c: Context,
  schema: S,
  options: { maxBytes?: number } = {},
): Promise<z.output<S>> {
  const type = c.req.header("content-type") ?? "";
  if (!/^application\/json\s*(;|$)/i.test(type)) {
    throw new Problem(
      "unsupported_media_type",
      `Cannot read "${type}": the body must be application/json`,
    );
  }
  const bytes = await readBytes(c.req.raw, options.maxBytes ?? defaultMaxBytes);
  return check(parse(bytes), schema);
}

/** The raw body, no longer than `maxBytes`. @throws {Problem} payload_too_large */
export async function readBytes(
  request: Request,
  maxBytes: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const tooLarge = () =>
    new Problem("payload_too_large", `The body is longer than ${maxBytes} bytes`);
  if (Number(request.headers.get("content-length") ?? 0) > maxBytes) throw tooLarge();
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of request.body ?? []) {
    length += chunk.byteLength;
    if (length > maxBytes) throw tooLarge();
    chunks.push(chunk);
  }
  const whole = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.byteLength;
  }
  return whole;
}

function parse(bytes: Uint8Array<ArrayBuffer>): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new Problem("malformed_json", "The body is not JSON in UTF-8", { cause });
  }
}

/** A value as `schema` says. @throws {Problem} invalid_request */
export function check<S extends z.ZodType>(value: unknown, schema: S): z.output<S> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const pointers = result.error.issues.flatMap(faultsOf);
  throw new Problem("invalid_request", "The request is not as this address expects it", {
    pointers,
  });
}

function faultsOf(issue: z.core.$ZodIssue): Fault[] {
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => ({
      pointer: pointer([...issue.path, key]),
      detail: "This member is not known here",
    }));
  }
  return [{ pointer: pointer(issue.path), detail: issue.message }];
}

/** RFC 6901, section 6: as a URI fragment. */
export function pointer(path: PropertyKey[]): string {
  return "#" +
    path.map((part) =>
      "/" + encodeURIComponent(String(part).replaceAll("~", "~0").replaceAll("/", "~1"))
    ).join("");
}
