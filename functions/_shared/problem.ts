// Errors as callers see them: RFC 9457, application/problem+json. Below 500 the detail is shown, from 500 on only the request id.
import type { Context } from "hono";
import { HTTPException } from "hono/http-exception";
import postgres from "postgres";
import { problems, type ProblemSlug } from "./problems.ts";
import { requestId } from "./context.ts";
import { log } from "./telemetry.ts";

export { problems, type ProblemSlug };

/** One fault in a request: `pointer` is a JSON pointer as a URI fragment (`#/redirectUris/0`). */
export interface Fault {
  pointer: string;
  detail: string;
}

export interface ProblemOptions {
  /** Only where the slug is not in the table: a slug that SQL knows and we do not yet. */
  status?: number;
  cause?: unknown;
  /** Shown as `errors`. */
  pointers?: Fault[];
  headers?: Record<string, string>;
}

/** Thrown by handlers; leaves as application/problem+json. `detail` says what was tried and what is allowed, no full stop. */
export class Problem extends Error {
  override readonly name = "Problem";
  readonly slug: string;
  readonly status: number;
  readonly detail: string;
  readonly pointers: Fault[] | undefined;
  readonly headers: Record<string, string>;

  constructor(
    slug: ProblemSlug | (string & Record<never, never>),
    detail: string,
    options: ProblemOptions = {},
  ) {
    super(`${slug}: ${detail}`, { cause: options.cause });
    this.slug = slug;
    this.status = options.status ?? (problems as Record<string, number>)[slug] ?? 500;
    this.detail = detail;
    this.pointers = options.pointers;
    this.headers = options.headers ?? {};
  }

  toResponse(requestId?: string): Response {
    const shown = this.status < 500;
    const document = {
      type: `urn:gatehouse:problem:${this.slug}`,
      title: this.slug.replaceAll("_", " "),
      status: this.status,
      ...(shown ? { detail: this.detail } : {}),
      ...(shown && this.pointers ? { errors: this.pointers } : {}),
      ...(requestId ? { request_id: requestId } : {}),
    };
    return new Response(JSON.stringify(document), {
      status: this.status,
      headers: { ...this.headers, "content-type": "application/problem+json" },
    });
  }
}

/** What a thrown value means to the caller. Anything unknown is `internal`. */
export function toProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof postgres.PostgresError) return fromPostgres(error);
  if (error instanceof HTTPException && error.status < 500) {
    return new Problem("invalid_request", error.message, { status: error.status, cause: error });
  }
  if (connectionCodes.has(String((error as { code?: unknown } | null)?.code))) {
    return new Problem("database_unavailable", "The database cannot be reached", { cause: error });
  }
  return new Problem("internal", error instanceof Error ? error.message : String(error), {
    cause: error,
  });
}

const connectionCodes = new Set([
  "CONNECTION_CLOSED",
  "CONNECTION_ENDED",
  "CONNECTION_DESTROYED",
  "CONNECT_TIMEOUT",
  "ECONNREFUSED",
  "ECONNRESET",
  "EHOSTUNREACH",
  "ENOTFOUND",
  "ETIMEDOUT",
]);

/** By SQLSTATE; for what has no slug of its own, never Postgres's detail: it quotes rows. */
const bySqlState: Record<string, [ProblemSlug, string]> = {
  "23505": ["already_exists", "A row with this key exists"],
  "23503": ["still_referenced", "The row it points at is missing, or other rows point at it"],
  "23502": ["invalid_request", "A value is missing"],
  "23514": ["invalid_request", "A value is outside what its column allows"],
  "22P02": ["invalid_request", "A value has the wrong form"],
  "22001": ["invalid_request", "A value is too long"],
  "22003": ["invalid_request", "A number is out of range"],
  "42501": ["not_allowed", "The caller may not do this"],
  "40001": ["busy", "Another change came first"],
  "40P01": ["busy", "Another change came first"],
  "55P03": ["busy", "Another change holds the row"],
  "57014": ["busy", "The database took too long"],
  "53300": ["database_unavailable", "The database has no free connection"],
  "57P01": ["database_unavailable", "The database is stopping"],
  "57P03": ["database_unavailable", "The database is starting"],
};

function fromPostgres(error: postgres.PostgresError): Problem {
  const status = /^PT([45]\d\d)$/.exec(error.code)?.[1];
  if (status !== undefined && /^[a-z][a-z0-9_]*$/.test(error.message)) {
    return new Problem(error.message, error.detail ?? error.message.replaceAll("_", " "), {
      status: Number(status),
      cause: error,
      ...(status === "401"
        ? { headers: { "www-authenticate": 'Bearer error="invalid_token"' } }
        : {}),
    });
  }
  const name = error.constraint_name;
  if (name !== undefined && name in problems) {
    return new Problem(name, name.replaceAll("_", " "), { cause: error });
  }
  const known = bySqlState[error.code];
  if (known) return new Problem(known[0], known[1], { cause: error });
  if (error.code.startsWith("08")) {
    return new Problem("database_unavailable", "The database cannot be reached", { cause: error });
  }
  return new Problem("internal", error.message, { cause: error });
}

/** Hono's `onError` for every app: answers with the problem and logs what is ours to mend. */
export function onProblem(error: unknown, c: Context): Response {
  const problem = toProblem(error);
  if (problem.status >= 500) {
    log("error", "request failed", { slug: problem.slug, error: problem.cause ?? problem });
  }
  return problem.toResponse(requestId(c));
}
