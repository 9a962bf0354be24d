import postgres from "postgres";
import { log } from "../_shared/telemetry.ts";
import { openLiveness } from "./liveness.ts";
import { type Loop, startLoops } from "./loops.ts";
import { type Pool, startPool } from "./queue.ts";

/** With what follows it, under the 30 s that Kubernetes gives. */
const defaultGraceMs = 20_000;

export interface WorkerOptions {
  databaseUrl: string;
  /** For the handlers; the queue takes 4 more a pool, the liveness lock 1. Default 10. */
  connections?: number;
  /** Where `/health` and `/ready` answer. Port 0 takes a free one. */
  listen?: { hostname: string; port: number } | undefined;
  pools: Pool[];
  loops: Loop[];
  now?: () => Date;
  /** What running jobs get after a stop is asked for. */
  graceMs?: number;
  /** The database or the queue went away. Nothing recovers in this process: end it, a supervisor starts the next. */
  lost: (why: string) => void;
}

export interface Worker {
  stop(): Promise<void>;
}

/**
 * Runs pools and loops until `stop()`. Several workers may run beside each other.
 *
 * Stop order: no new work, running work ends or is handed back, and only then the liveness locks go.
 */
export async function startWorker(options: WorkerOptions): Promise<Worker> {
  const { databaseUrl, now = () => new Date(), graceMs = defaultGraceMs } = options;
  const stop = new AbortController();
  const lost = (why: string) => {
    if (!stop.signal.aborted) options.lost(why);
  };

  const liveness = await openLiveness(databaseUrl, lost);
  const sql = postgres(databaseUrl, {
    max: options.connections ?? 10,
    connect_timeout: 10,
    connection: { application_name: "gatehouse_worker" },
    onnotice: () => {},
  });
  const context = { sql, now, stopping: stop.signal };
  const pools = await Promise.all(
    options.pools.map((pool) =>
      startPool(pool, { ...context, databaseUrl, created: (id) => liveness.hold(id), lost })
    ),
  );
  const loops = startLoops(options.loops, liveness.lead, context);

  const isReady = () => !stop.signal.aborted && pools.every((pool) => pool.listening());
  const server = options.listen && Deno.serve({
    ...options.listen,
    onListen: ({ hostname, port }) => log("info", "worker listens", { hostname, port }),
  }, (request) => {
    switch (new URL(request.url).pathname) {
      case "/health":
        return Response.json({ status: "ok" });
      case "/ready":
        return Response.json({ ready: isReady() }, { status: isReady() ? 200 : 503 });
      default:
        return new Response(null, { status: 404 });
    }
  });

  return {
    async stop() {
      stop.abort();
      await Promise.all([...pools.map((pool) => pool.stop(graceMs)), loops.stop()]);
      await sql.end({ timeout: 5 });
      await liveness.close();
      await server?.shutdown();
    },
  };
}

/** The exit code of a worker that lost its database: its supervisor starts the next one, with back-off. */
export const lostExitCode = 70;

/** `startWorker` as a whole process: ends with 0 after SIGTERM or SIGINT, with 70 when the database or the queue went away. */
export async function runWorker(options: Omit<WorkerOptions, "lost">): Promise<void> {
  const lost = (why: string) => {
    log("error", "worker ends", { why });
    Deno.exit(lostExitCode);
  };
  for (const kind of ["unhandledrejection", "error"] as const) {
    globalThis.addEventListener(kind, (event) => {
      const error = event instanceof ErrorEvent
        ? event.error
        : (event as PromiseRejectionEvent).reason;
      log("error", "uncaught", { error });
      lost("an uncaught error");
    });
  }
  const worker = await startWorker({ ...options, lost }).catch((error) => {
    log("error", "worker cannot start", { error });
    Deno.exit(lostExitCode);
  });
  let asked = false;
  const stop = (signal: Deno.Signal) => {
    if (asked) return;
    asked = true;
    log("info", "worker stops", { signal });
    // Where even handing back hangs (no database), the next worker frees the jobs.
    setTimeout(() => Deno.exit(1), (options.graceMs ?? defaultGraceMs) + 8_000);
    worker.stop().then(() => Deno.exit(0), (error) => {
      log("error", "worker stopped with an error", { error });
      Deno.exit(1);
    });
  };
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    Deno.addSignalListener(signal, () => stop(signal));
  }
  log("info", "worker ready", { pools: options.pools.map((pool) => pool.name) });
}
