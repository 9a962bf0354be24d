// Keeps processes running: started in stages, started again when they end unasked, stopped in the opposite order.
// Next: processes.ts (which ones).
import { type Child, spawn, type Spec } from "./child.ts";
import { serving } from "./serving.ts";

const longestDelayMs = 5000;
/** A process that lived this long is thought healthy: its next end is restarted at once again. */
const healthyMs = 30_000;

interface Kept {
  spec: Spec;
  child: Child;
  stopping: boolean;
  /** Settles when no more process of this spec will run. */
  done: Promise<void>;
  wake: () => void;
}

export class Supervisor {
  #stages: Kept[][] = [];
  #stopped: Promise<void> | undefined;

  constructor(private readonly say: (text: string) => void) {}

  /** Starts processes side by side and waits until all serve. One that ends first is a failure, with its log's end. */
  async start(...specs: Spec[]): Promise<void> {
    const stage: Kept[] = [];
    this.#stages.push(stage);
    const starts = await Promise.allSettled(specs.map(async (spec) => {
      const child = await spawn(spec);
      const kept: Kept = { spec, child, stopping: false, done: Promise.resolve(), wake: () => {} };
      stage.push(kept);
      if (this.#stopped) return await this.#end(kept); // Ctrl-C came while starting
      await serving(child, spec);
      kept.done = this.#keep(kept);
    }));
    const failed = starts.find((start) => start.status === "rejected");
    if (failed) throw failed.reason;
  }

  /** Ends everything, last stage first. Later calls wait for the first. */
  stop(): Promise<void> {
    return this.#stopped ??= (async () => {
      for (const stage of this.#stages.toReversed()) {
        await Promise.all(stage.map((kept) => this.#end(kept)));
      }
    })();
  }

  async #end(kept: Kept): Promise<void> {
    kept.stopping = true;
    kept.wake();
    await kept.child.stop();
    await kept.done;
  }

  async #keep(kept: Kept): Promise<void> {
    for (let failures = 0;;) {
      const startedAt = performance.now();
      const status = await kept.child.exited;
      if (kept.stopping) return;
      failures = performance.now() - startedAt > healthyMs ? 0 : failures + 1;
      const delayMs = Math.min(longestDelayMs, 100 * 2 ** failures);
      this.say(
        `${kept.spec.name} ended (${
          status.signal ?? `exit ${status.code}`
        }), starts again in ${delayMs} ms; log: ${kept.spec.logFile}`,
      );
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, delayMs);
        kept.wake = () => (clearTimeout(timer), resolve());
      });
      if (kept.stopping) return;
      kept.child = await spawn(kept.spec);
      if (kept.stopping) await kept.child.stop();
    }
  }
}
