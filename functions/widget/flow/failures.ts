import { Problem } from "../../_shared/problem.ts";
import { ZitadelError } from "../../_shared/zitadel/errors.ts";

/** What ZITADEL could not do is ours to mend; its words are not for the person who signs in. */
export function asProblem(error: unknown): unknown {
  if (!(error instanceof ZitadelError)) return error;
  if (error.code === "platform_user_refused") {
    return new Problem("platform_user_refused", "Platform staff changes this in ZITADEL itself", {
      cause: error,
    });
  }
  return error.retryable
    ? new Problem("zitadel_unavailable", "ZITADEL does not answer", { cause: error })
    : new Problem("internal", error.message, { cause: error });
}

/** Until the next multiple of the floor: an answer that comes after it tells no more than one that comes before. */
export async function untilFloor(startedAt: number, floorMs: number): Promise<void> {
  if (floorMs <= 0) return;
  const took = performance.now() - startedAt;
  await new Promise((resolve) => setTimeout(resolve, floorMs - took % floorMs));
}
