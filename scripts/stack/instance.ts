// Whether instance__reconcile has prepared ZITADEL: the steps of the platform tenant.
import postgres from "postgres";
import { Failure } from "./failure.ts";

const longestMs = 60_000;

interface Step {
  name: string;
  state: "pending" | "ok" | "skipped" | "error";
  last_error: { slug: string; detail: string } | null;
}

/** Waits until every step of the platform tenant settled well. @throws {Failure} naming the step that did not */
export async function waitForInstance(databaseUrl: string, signal: AbortSignal): Promise<void> {
  const sql = postgres(databaseUrl, { max: 1, onnotice: () => {} });
  try {
    for (const until = Date.now() + longestMs;;) {
      const steps = await readSteps(sql);
      const open = steps.filter(({ state }) => state === "pending" || state === "error");
      if (steps.length > 0 && open.length === 0) return;
      signal.throwIfAborted();
      if (Date.now() > until) throw new Failure(describe(open));
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  } finally {
    await sql.end({ timeout: 1 });
  }
}

async function readSteps(sql: postgres.Sql): Promise<Step[]> {
  return await sql<Step[]>`
    select name, state, last_error from public.provisioning_steps
     where tenant_id = private.platform_tenant() and required order by position`;
}

function describe(open: Step[]): string {
  const [first] = open.filter(({ state }) => state === "error").concat(open);
  if (!first) return "ZITADEL was not prepared: the platform tenant has no steps";
  const why = first.last_error ? `: ${first.last_error.slug}, ${first.last_error.detail}` : "";
  return `ZITADEL was not prepared after ${
    longestMs / 1000
  } s: step "${first.name}" is ${first.state}${why}; see the log of the worker`;
}
