/** A refusal as ZITADEL words it. Ids that start with DOUBLE- stand for ones that we do not know. */
export type Code =
  | "invalid_argument"
  | "not_found"
  | "already_exists"
  | "permission_denied"
  | "failed_precondition"
  | "unimplemented"
  | "internal"
  | "unavailable"
  | "unauthenticated";

/** Code → gRPC's number and HTTP status. */
export const statuses: Record<Code, { number: number; http: number }> = {
  invalid_argument: { number: 3, http: 400 },
  not_found: { number: 5, http: 404 },
  already_exists: { number: 6, http: 409 },
  permission_denied: { number: 7, http: 403 },
  failed_precondition: { number: 9, http: 400 },
  unimplemented: { number: 12, http: 404 }, // connect-go's answer to an unknown procedure
  internal: { number: 13, http: 500 },
  unavailable: { number: 14, http: 503 },
  unauthenticated: { number: 16, http: 401 },
};

export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly code: Code;
  /** ZITADEL's id; a request of the wrong shape has none. */
  readonly id: string | undefined;
  /** ZITADEL's key, such as Errors.User.NotFound; a real one translates it. */
  readonly key: string;
  readonly failedAttempts: number | undefined;

  constructor(code: Code, id: string | undefined, key: string, failedAttempts?: number) {
    super(id === undefined ? key : `${key} (${id})`);
    this.code = code;
    this.id = id;
    this.key = key;
    this.failedAttempts = failedAttempts;
  }
}

export const invalidArgument = (id: string | undefined, key: string) =>
  new ApiError("invalid_argument", id, key);
export const notFound = (id: string, key: string) => new ApiError("not_found", id, key);
export const alreadyExists = (id: string, key: string) => new ApiError("already_exists", id, key);
export const permissionDenied = (id: string, key: string) =>
  new ApiError("permission_denied", id, key);
export const failedPrecondition = (id: string, key: string) =>
  new ApiError("failed_precondition", id, key);
export const noChanges = (id = "DOUBLE-noChanges") =>
  failedPrecondition(id, "Errors.NoChangesFound");
