import assert from "node:assert/strict";
import { newApp } from "../../../functions/_shared/app.ts";
import { Problem } from "../../../functions/_shared/problem.ts";

const app = newApp("test");
app.get("/ok", (c) => c.json({ id: c.var.request.id }));
app.get("/page", (c) => c.html("<p>", 200, { "content-security-policy": "default-src 'self'" }));
app.get("/refused", () => {
  throw new Problem("not_allowed", "You may not");
});
app.get("/broken", () => {
  throw new Error("inner detail");
});

async function quietly(path: string, headers: Record<string, string> = {}) {
  const written: string[] = [];
  const original = console.log;
  console.log = (text: string) => written.push(text);
  try {
    const response = await app.request(path, { headers });
    return { response, lines: written.map((line) => JSON.parse(line)) };
  } finally {
    console.log = original;
  }
}

Deno.test("every answer has the request's id and tight headers, errors too", async () => {
  for (const path of ["/test/ok", "/test/refused", "/test/broken", "/test/nowhere"]) {
    const { response } = await quietly(path, { "x-correlation-id": "order-12345678" });
    assert.equal(response.headers.get("x-correlation-id"), "order-12345678", path);
    assert.equal(response.headers.get("cache-control"), "no-store", path);
    assert.equal(response.headers.get("x-content-type-options"), "nosniff", path);
    assert.match(response.headers.get("content-security-policy")!, /default-src 'none'/, path);
  }
});

Deno.test("a page keeps the policy that it set", async () => {
  const { response } = await quietly("/test/page");
  assert.equal(response.headers.get("content-security-policy"), "default-src 'self'");
});

Deno.test("one line a request with its id, trace, status and time", async () => {
  const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  const { lines } = await quietly("/test/refused", {
    traceparent,
    "x-correlation-id": "order-12345678",
  });
  assert.equal(lines.length, 1);
  const [{ message, request_id, trace_id, function: name, status, path }] = lines;
  assert.deepEqual(
    [message, request_id, trace_id, name, status, path],
    ["request", "order-12345678", traceparent.slice(3, 35), "test", 403, "/test/refused"],
  );
});

Deno.test("an error of ours is logged and not shown; what nothing answers is a problem too", async () => {
  const { response, lines } = await quietly("/test/broken");
  const text = await response.text();
  assert.equal(response.status, 500);
  assert.ok(!text.includes("inner detail"));
  assert.equal(lines[0].error.message, "inner detail");
  assert.equal(lines[0].request_id, JSON.parse(text).request_id);
  const nowhere = await (await quietly("/test/nowhere")).response.json();
  assert.equal(nowhere.type, "urn:gatehouse:problem:not_found");
});
