import { EventEmitter } from "node:events";
import {
  type CronItem,
  type Job,
  Logger,
  parseCronItems,
  run,
  type WorkerEvents,
  type WorkerPool,
} from "graphile-worker";
import type postgres from "postgres";
import { log, span, SpanKind, withFields } from "../_shared/telemetry.ts";
import { parentOf, type Task } from "./task.ts";

/** Jobs of one kind with their own concurrency, so that slow receivers never hold up provisioning. */
export interface Pool {
  name: string;
  /** Jobs at once. They wait for the network more than they compute. */
  concurrency: number;
  tasks: Record<string, Task>;
  cron?: CronItem[];
  /** Queued, without a payload, each time a worker starts. */
  atStart?: string[];
}

export interface PoolDeps {
  databaseUrl: string;
  sql: postgres.Sql;
  now: () => Date;
  stopping: AbortSignal;
  /** Awaited before the first job of the pool is of interest to others: holds its liveness lock. */
  created: (poolId: string) => Promise<void>;
  /** The pool ended unasked. It does not come back by itself. */
  lost: (why: string) => void;
}

export interface RunningPool {
  /** True while the pool listens for jobs. */
  listening: () => boolean;
  /** Jobs not begun go back at once; those that run get `graceMs`, then go back too. */
  stop(graceMs: number): Promise<void>;
}

export async function startPool(pool: Pool, deps: PoolDeps): Promise<RunningPool> {
  const events: WorkerEvents = new EventEmitter();
  let listening = false;
  const poolIds: string[] = [];
  events.on("pool:create", ({ workerPool }: { workerPool: WorkerPool }) => {
    poolIds.push(workerPool.id);
    deps.created(workerPool.id).catch((error) => deps.lost(`no liveness lock: ${error.message}`));
  });
  events.on("pool:listen:success", () => listening = true);
  events.on("pool:listen:error", ({ error }) => {
    listening = false;
    deps.lost(`the queue's listener ended: ${error instanceof Error ? error.message : error}`);
  });
  // With batched completions the pool is left as a zombie by the loss of its database: alive, deaf, ignoring SIGTERM.
  events.on("pool:fatalError", ({ action }) => deps.lost(`the queue cannot ${action}`));
  events.on("pool:gracefulShutdown", () => deps.lost("the queue's pool shut itself down"));
  events.on("pool:forcefulShutdown", () => deps.lost("the queue's pool shut itself down"));

  const runner = await run({
    connectionString: deps.databaseUrl,
    events,
    logger: new Logger(forward(pool.name)),
    noHandleSignals: true,
    taskList: Object.fromEntries(
      Object.entries(pool.tasks).map(([name, handle]) => [name, traced(name, handle, deps)]),
    ),
    parsedCronItems: parseCronItems(pool.cron ?? []),
    preset: {
      worker: {
        concurrentJobs: pool.concurrency,
        maxPoolSize: 4, // the queue's own statements; handlers have `sql`
        pollInterval: 1_000,
        // 12 × the jobs per second, and without the two zeros a clean stop leaves a finished job locked (11 of 11 runs).
        localQueue: { size: pool.concurrency * 4 },
        completeJobBatchDelay: 0,
        failJobBatchDelay: 0,
      },
    },
  });
  for (const name of pool.atStart ?? []) await runner.addJob(name, {}, { jobKey: name });
  runner.promise.catch((error) => deps.lost(`the queue failed: ${error?.message ?? error}`));

  return {
    listening: () => listening,
    async stop(graceMs) {
      listening = false;
      let late: ReturnType<typeof setTimeout> | undefined;
      const handedBack = new Promise<void>((resolve, reject) => {
        late = setTimeout(() => {
          log("warn", "jobs still run, handing them back", { pool: pool.name, graceMs });
          runner.kill("grace period over").then(resolve, reject);
        }, graceMs);
      });
      await Promise.race([runner.stop(), handedBack]).finally(() => clearTimeout(late));
      // A job that was fetched while the pool stopped may still be locked by it: now nothing of it runs.
      await deps.sql`select graphile_worker.force_unlock_workers(${poolIds})`;
    },
  };
}

/** One span a job, child of the request that queued it. What the handler logs says which job it was. */
function traced(name: string, handle: Task, { sql, now, stopping }: PoolDeps) {
  return (payload: unknown, { job }: { job: { id: string } }): Promise<void> => {
    const holder = `job-${job.id}-${crypto.randomUUID()}`;
    const attributes = {
      "messaging.system": "graphile_worker",
      "messaging.destination.name": name,
      "messaging.message.id": job.id,
      traceparent: parentOf(payload),
    };
    return withFields(
      { task: name, job: job.id },
      () =>
        span(
          `job ${name}`,
          attributes,
          () => handle(payload, { sql, now, stopping, holder }),
          SpanKind.CONSUMER,
        ),
    );
  };
}

/** The queue's lines as ours: only what went wrong is worth a line. That its own pool is small is meant. */
function forward(pool: string) {
  return () => (level: string, message: string, { job }: { job?: Job } = {}) => {
    const quiet = level !== "error" && (level !== "warning" || message.includes("maxPoolSize"));
    log(quiet ? "debug" : level === "error" ? "error" : "warn", message, {
      pool,
      task: job?.task_identifier,
      job: job?.id,
    });
  };
}
