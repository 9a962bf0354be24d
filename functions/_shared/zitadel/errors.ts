/** Codes as Connect spells them; the last four are ours. */
export type ZitadelCode =
  | "canceled"
  | "unknown"
  | "invalid_argument"
  | "deadline_exceeded"
  | "not_found"
  | "already_exists"
  | "permission_denied"
  | "resource_exhausted"
  | "failed_precondition"
  | "aborted"
  | "out_of_range"
  | "unimplemented"
  | "internal"
  | "unavailable"
  | "data_loss"
  | "unauthenticated"
  | "non_compliant" // an application ZITADEL would keep but never let sign in
  | "secret_missing" // a provider that ZITADEL does not have takes its secret to be made
  | "platform_user_refused" // the login client was asked to set a platform user's credential
  | "unsafe_issuer"; // an http: or loopback issuer outside the embedded profile

/** A refusal or failure of ZITADEL, or of reaching it. Match `code` and `id`; the text is ZITADEL's and localised. */
export class ZitadelError extends Error {
  override readonly name = "ZitadelError";
  readonly code: ZitadelCode;
  /** ZITADEL's own id, such as V3-DKcYh. Validation of a request's shape has none. */
  readonly id: string | undefined;
  /** 0: there was no answer. */
  readonly httpStatus: number;
  /** Worth doing again later, unchanged. */
  readonly retryable: boolean;
  /** Of a wrong password: how many in a row, so far. */
  readonly failedAttempts: number | undefined;
  /** Of `non_compliant`: ZITADEL's keys of what is wrong. */
  readonly problems: string[];

  constructor(init: {
    code: ZitadelCode;
    message: string;
    id?: string | undefined;
    httpStatus?: number;
    failedAttempts?: number | undefined;
    problems?: string[];
    cause?: unknown;
  }) {
    super(init.message, { cause: init.cause });
    this.code = init.code;
    this.id = init.id;
    this.httpStatus = init.httpStatus ?? 0;
    // What an authenticator said wrong is `internal` too, and stays wrong.
    this.retryable = retryableCodes.has(init.code) && !isAuthenticatorRefusal(init.id);
    this.failedAttempts = init.failedAttempts;
    this.problems = init.problems ?? [];
  }
}

const retryableCodes = new Set<ZitadelCode>([
  "unavailable",
  "deadline_exceeded",
  "resource_exhausted",
  "aborted",
  "internal",
  "unknown",
]);

/** ZITADEL's ids of WebAuthn answers that it did not take. */
export const isAuthenticatorRefusal = (id: string | undefined) => id?.startsWith("WEBAU-") ?? false;

/** True for a ZitadelError with this code and, where given, one of these ids. */
export function isZitadelError(
  error: unknown,
  code: ZitadelCode,
  ...ids: string[]
): error is ZitadelError {
  return error instanceof ZitadelError && error.code === code &&
    (ids.length === 0 || (error.id !== undefined && ids.includes(error.id)));
}
