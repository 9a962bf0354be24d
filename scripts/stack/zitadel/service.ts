import type { Caller } from "./caller.ts";
import type { Method } from "./contract.ts";
import { invalidArgument } from "./errors.ts";
import type { Idps } from "./idps/reach.ts";
import type { Store } from "./store.ts";

/** What a handler gets beside the request. */
export interface Call {
  store: Store;
  caller: Caller;
  instance: { id: string };
  method: Method;
  oidc: OidcSide;
  idps: Idps;
}

/** What the API needs of the token side. */
export interface OidcSide {
  /** The address that takes the browser back to the application, with a code. */
  issueCode(authRequestId: string, session: { id: string }): Promise<string>;
  /** Signing keys changed. */
  keysChanged(): Promise<void>;
}

export type Handler = (call: Call, request: never) => object | Promise<object>;

/** By method name without the service, such as AddOrganization. */
export type Service = Record<string, Handler>;

/** Requests name an organization, project … that must be there. */
export const details = (resourceOwner: string, changedAt: string, createdAt = changedAt) => ({
  sequence: "1",
  changeDate: changedAt,
  creationDate: createdAt,
  resourceOwner,
});

export interface Pagination {
  offset?: string;
  limit?: number;
  asc?: boolean;
}

/** One page, and how many there are. ZITADEL's default is 100 rows, more than 1000 are refused. */
export function page<T>(rows: T[], { offset = "0", limit = 0 }: Pagination = {}) {
  if (limit > 1000) throw invalidArgument("QUERY-4M0fs", "Errors.Query.LimitExceeded");
  const applied = limit || 100;
  return {
    rows: rows.slice(Number(offset), Number(offset) + applied),
    total: String(rows.length),
    pagination: { totalResult: String(rows.length), appliedLimit: String(applied) },
  };
}

/** TEXT_QUERY_METHOD_… and TEXT_FILTER_METHOD_…; equality is the default. */
export function matches(value: string, wanted: string, method = "EQUALS"): boolean {
  const kind = method.replace(/^TEXT_(QUERY|FILTER)_METHOD_/, "");
  const fold = (text: string) => kind.endsWith("_IGNORE_CASE") ? text.toLowerCase() : text;
  const [have, want] = [fold(value), fold(wanted)];
  switch (kind.replace(/_IGNORE_CASE$/, "")) {
    case "STARTS_WITH":
      return have.startsWith(want);
    case "CONTAINS":
      return have.includes(want);
    case "ENDS_WITH":
      return have.endsWith(want);
    default:
      return have === want;
  }
}
