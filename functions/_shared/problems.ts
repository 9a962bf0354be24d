/**
 * Every slug that a caller can meet, with its HTTP status. A slug is never renamed once shipped.
 * SQL raises the same ones as SQLSTATE PTxyz with message = slug, or names a constraint so; test/unit/_shared/problem.test.ts holds both to this table.
 */
export const problems = {
  // the request
  malformed_json: 400,
  not_found: 404,
  method_not_allowed: 405,
  payload_too_large: 413,
  unsupported_media_type: 415,
  invalid_request: 422,
  // the token
  token_missing: 401,
  token_invalid: 401,
  token_expired: 401,
  signature_invalid: 401,
  // who may
  not_allowed: 403,
  // things
  endpoint_not_found: 404,
  already_exists: 409,
  still_referenced: 409,
  url_refused: 422,
  // us
  internal: 500,
  not_configured: 503,
  busy: 503,
  database_unavailable: 503,
} as const;

export type ProblemSlug = keyof typeof problems;
