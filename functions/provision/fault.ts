/**
 * What went wrong in a step, as `provisioning_steps.last_error` shows it: a slug to match on, and a sentence with ZITADEL's own id.
 */
import { type ZitadelCode, ZitadelError } from "../_shared/zitadel/errors.ts";
import type { Refusals } from "./step.ts";

export interface Fault {
  slug: string;
  detail: string;
  /** Worth doing again unchanged; else only a change of the row helps. */
  retryable: boolean;
}

/** Null for what is no answer of ZITADEL: a bug, or the database away. */
export function faultOf(error: unknown, refusals: Refusals): Fault | null {
  if (!(error instanceof ZitadelError)) return null;
  const said = error.id === undefined ? error.code : `${error.code}, ${error.id}`;
  const away = unreachable[error.code];
  if (away) return { slug: away, detail: `${sentences[away]} (${said})`, retryable: true };
  const why = error.problems.length > 0 ? error.problems.join(", ") : error.message;
  return {
    slug: refusals[error.code] ?? "zitadel_refused",
    // ZITADEL's text is bounded here, because it may quote what it was sent.
    detail: `ZITADEL refused: ${why.slice(0, 500)} (${said})`,
    retryable: error.retryable,
  };
}

/** Not the row's fault: time, or an operator, mends it. Its text stays out: it names inner addresses. */
const unreachable: Partial<Record<ZitadelCode, keyof typeof sentences>> = {
  unavailable: "zitadel_unreachable",
  deadline_exceeded: "zitadel_unreachable",
  canceled: "zitadel_unreachable",
  resource_exhausted: "zitadel_busy",
  aborted: "zitadel_busy",
  internal: "zitadel_failed",
  unknown: "zitadel_failed",
  data_loss: "zitadel_failed",
  unauthenticated: "zitadel_denied",
  permission_denied: "zitadel_denied",
  not_found: "zitadel_not_found",
};

const sentences = {
  zitadel_unreachable: "ZITADEL did not answer",
  zitadel_busy: "ZITADEL has too much to do",
  zitadel_failed: "ZITADEL failed inside",
  zitadel_denied: "ZITADEL does not let our credential do this",
  zitadel_not_found: "ZITADEL does not know what an earlier step made",
};
