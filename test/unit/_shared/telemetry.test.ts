import assert from "node:assert/strict";
import { trace } from "@opentelemetry/api";
import {
  addFields,
  formatTraceparent,
  log,
  newTraceparent,
  parseTraceparent,
  span,
  traceparent,
  withFields,
} from "../../../functions/_shared/telemetry.ts";

/** The log lines that `run` writes. */
async function lines(run: () => unknown): Promise<Record<string, unknown>[]> {
  const written: string[] = [];
  const original = console.log;
  console.log = (text: string) => written.push(text);
  try {
    await run();
  } finally {
    console.log = original;
  }
  return written.map((text) => JSON.parse(text));
}

const parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

Deno.test("a traceparent is read and written back the same", () => {
  assert.equal(formatTraceparent(parseTraceparent(parent)!), parent);
  assert.ok(parseTraceparent(newTraceparent()));
});

Deno.test("a malformed traceparent is ignored", () => {
  const malformed = [
    ...[null, undefined, "", "x", parent.toUpperCase(), parent + "-00", "01" + parent.slice(2)],
    ...["00-" + "0".repeat(32) + parent.slice(35), parent.slice(0, 36) + "0".repeat(16) + "-01"],
  ];
  for (const text of malformed) assert.equal(parseTraceparent(text), null, String(text));
});

Deno.test("lines carry the fields of the work around them, however deep", async () => {
  const [line] = await lines(() =>
    withFields({ request_id: "r1" }, async () => {
      addFields({ tenant: "t1" });
      await Promise.resolve();
      log("info", "done", { count: 2n });
    })
  );
  assert.deepEqual(
    [line!.level, line!.message, line!.request_id, line!.tenant, line!.count],
    ["info", "done", "r1", "t1", "2"],
  );
});

Deno.test("no secret reaches a log line, by name or by shape", async () => {
  const token = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln";
  const secrets = ["hunter2", "whsec_c2VjcmV0c2VjcmV0", token, "pat-abcdefgh", "dbpass"];
  const [line] = await lines(() =>
    log("error", "x", {
      headers: new Headers({
        authorization: `Bearer ${token}`,
        cookie: "a=hunter2",
        apikey: token,
      }),
      nested: [{ password: "hunter2", clientSecret: "hunter2", ciphertext: "hunter2" }],
      token: "pat-abcdefgh",
      text: `sent whsec_c2VjcmV0c2VjcmV0 and ${token} with Bearer pat-abcdefgh`,
      error: Object.assign(new Error("postgres://worker:dbpass@db/x failed"), {
        detail: "Failing row contains (hunter2)",
      }),
    })
  );
  for (const secret of secrets) assert.ok(!JSON.stringify(line).includes(secret), secret);
  const error = line!.error as { message: string };
  assert.equal(error.message, "postgres://[redacted]@db/x failed");
});

Deno.test("a span without a tracer runs, hands the trace on, and passes the error on", async () => {
  const seen = await span("work", { traceparent: parent }, () => traceparent());
  assert.equal(seen, parent);
  await assert.rejects(span("work", {}, () => Promise.reject(new TypeError("x"))), TypeError);
  assert.equal(trace.getActiveSpan(), undefined);
});

Deno.test("what is below the level is not written", async () => {
  assert.equal((await lines(() => log("debug", "x"))).length, 0);
});
