// The worker as its supervisor and an operator see it: probes, log lines, spans.
import assert from "node:assert/strict";
import { createDatabase } from "../support/database.ts";
import { eventually } from "../support/eventually.ts";
import { sleep, startChild } from "./worker_support.ts";

interface Span {
  name: string;
  traceId: string;
  parentSpanId?: string;
  attributes: { key: string; value: { stringValue?: string } }[];
}

/** Takes OTLP over http/json, as any collector does. */
function collector() {
  const spans: Span[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const body = await request.json();
    for (const resource of body.resourceSpans ?? []) {
      for (const scope of resource.scopeSpans) spans.push(...scope.spans);
    }
    return Response.json({});
  });
  return { spans, server, url: `http://127.0.0.1:${server.addr.port}` };
}

Deno.test("probes answer, lines are JSON, a job's span continues the trace of who queued it", async () => {
  await using database = await createDatabase();
  const { sql } = database;
  await sql`create table public.runs (n int, began timestamptz, ended timestamptz)`;
  await sql`grant select, insert, update on runs to gatehouse_worker`;
  const telemetry = collector();
  const worker = startChild(database.url("gatehouse_worker"), "notes", {
    OTEL_DENO: "true",
    OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
    OTEL_EXPORTER_OTLP_ENDPOINT: telemetry.url,
    OTEL_BSP_SCHEDULE_DELAY: "100",
  });
  await worker.printed("worker ready");
  const port = worker.lines.find(({ message }) => message === "worker listens")!.port;
  const probe = async (path: string) => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`);
    return [response.status, (await response.text()).trim()];
  };
  await eventually("ready", async () => (await probe("/ready"))[0] === 200);
  assert.deepEqual(await probe("/health"), [200, '{"status":"ok"}']);
  assert.deepEqual(await probe("/other"), [404, ""]);

  const [traceId, parent] = ["0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"];
  await sql.begin(async (tx) => {
    await tx`select set_config('gatehouse.traceparent', ${`00-${traceId}-${parent}-01`}, true)`;
    await tx`select private.enqueue('note', '{"n": 1, "ms": 0}')`;
  });
  await eventually(
    "the span arrives",
    () => telemetry.spans.some((s) => s.name === "job note"),
  );
  const span = telemetry.spans.find(({ name }) => name === "job note")!;
  assert.deepEqual([span.traceId, span.parentSpanId], [traceId, parent]);

  await sql`select private.enqueue('note', '{"n": "not a number", "ms": 0}', 'broken')`;
  const failed = () => worker.lines.find((line) => line.level === "error" && line.task === "note");
  await eventually("the failure is logged", () => failed() !== undefined);
  const [job] = await sql`
    select attempts, last_error, run_at > now() as later from graphile_worker._private_jobs where key = 'broken'`;
  assert.deepEqual([job!.attempts, job!.later], [1, true], "the queue tries again, later");
  assert.equal((await worker.signal("SIGTERM")).code, 0);
  await sleep(50);
  assert.ok(worker.lines.every((line) => line.time && line.level && line.message));
  await telemetry.server.shutdown();
});
