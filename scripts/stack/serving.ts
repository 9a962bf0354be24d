// When a process that was started may be relied on.
import { type Child, type Spec, tail } from "./child.ts";
import { Failure } from "./failure.ts";

const longestStartMs = 60_000;

/** Waits until a started process is ready; fails with the end of its log when it ends first or takes too long. */
export async function serving(child: Child, spec: Spec): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const why = Promise.race([
    child.exited.then(({ code, signal }) => `ended while starting (${signal ?? `exit ${code}`})`),
    new Promise<string>((resolve) => {
      timer = setTimeout(resolve, longestStartMs, `was not ready after ${longestStartMs / 1000} s`);
    }),
  ]);
  const failed = why.then(async (text) => {
    throw new Failure(
      `${spec.name} ${text}; ${spec.logFile} ends with\n${await tail(spec.logFile)}`,
    );
  });
  failed.catch(() => {}); // once it served, its end is the supervisor's business
  const waiting = new AbortController();
  try {
    await Promise.race([spec.ready?.(child.printed, waiting.signal), failed]);
  } finally {
    waiting.abort();
    clearTimeout(timer);
  }
}

/** Resolves once the address answers with a status below 500, or when nobody waits any more. */
export async function answers(url: string, signal?: AbortSignal): Promise<void> {
  while (!signal?.aborted) {
    const ok = await fetch(url, { redirect: "manual" }).then(async (response) => {
      await response.body?.cancel();
      return response.status < 500;
    }, () => false);
    if (ok) return;
    await new Promise((resolve) => setTimeout(resolve, 40));
  }
}
