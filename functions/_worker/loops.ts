import { log } from "../_shared/telemetry.ts";
import type { Liveness } from "./liveness.ts";
import type { Task, TaskContext } from "./task.ts";

/** A task that runs more often than the queue's cron, whose step is a minute. */
export interface Loop {
  name: string;
  /** From the end of one run to the start of the next. A run does all there is. */
  everyMs: number;
  task: Task;
}

const longestWaitMs = 10_000;
/** How soon another process notices that the one in charge is gone. */
const followerWaitMs = 1_000;

/**
 * Runs each loop in one process of all: the one whose liveness connection holds the loop's lock. An error is logged and
 * the wait doubles, up to 10 s, until a run succeeds.
 */
export function startLoops(
  loops: Loop[],
  lead: Liveness["lead"],
  context: Omit<TaskContext, "holder">,
): { stop(): Promise<void> } {
  const { stopping } = context;
  const running = loops.map(async (loop) => {
    const holder = `loop-${loop.name}-${crypto.randomUUID()}`;
    let failures = 0;
    while (!stopping.aborted) {
      let waitMs = loop.everyMs;
      try {
        if (await lead(loop.name)) await loop.task({}, { ...context, holder });
        else waitMs = Math.max(loop.everyMs, followerWaitMs);
        failures = 0;
      } catch (error) {
        if (stopping.aborted) break;
        failures += 1;
        waitMs = Math.min(longestWaitMs, loop.everyMs * 2 ** Math.min(failures, 16));
        log("error", "a loop failed", { loop: loop.name, failures, waitMs, error });
      }
      await pause(waitMs, stopping);
    }
  });
  return { stop: async () => void await Promise.all(running) };
}

/** Waits, or returns at once when asked to stop. */
export function pause(ms: number, stopping: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (stopping.aborted) return resolve();
    const done = () => {
      clearTimeout(timer);
      stopping.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    stopping.addEventListener("abort", done);
  });
}
