import assert from "node:assert/strict";
import { type Received, webhookSink } from "../../../scripts/stack/webhook_sink.ts";

Deno.test("the sink keeps headers and the body's own bytes, oldest first", async () => {
  const sink = webhookSink(() => new Date("2026-01-02T03:04:05Z"));
  const answer = await sink.request("/acme", {
    method: "POST",
    headers: { "webhook-id": "evt_1" },
    body: '{ "a" : 1 }',
  });
  assert.equal(answer.status, 204);
  await sink.request("/acme", { method: "POST", body: "two" });
  const received: Received[] = await (await sink.request("/requests")).json();
  assert.deepEqual(received.map(({ body }) => body), ['{ "a" : 1 }', "two"]);
  assert.equal(received[0]?.headers["webhook-id"], "evt_1");
  assert.equal(received[0]?.at, "2026-01-02T03:04:05.000Z");
  assert.equal(received[0]?.path, "/acme");
});

Deno.test("the sink answers the status that its path asks for", async () => {
  const sink = webhookSink();
  assert.equal((await sink.request("/status/503/acme", { method: "POST" })).status, 503);
  assert.equal((await sink.request("/status/410", { method: "POST" })).status, 410);
  assert.equal((await sink.request("/status/999", { method: "POST" })).status, 204);
});

Deno.test("the sink keeps the last 500 and forgets when told", async () => {
  const sink = webhookSink();
  for (let i = 0; i < 502; i++) await sink.request("/", { method: "POST", body: `${i}` });
  const list = async (): Promise<Received[]> => (await sink.request("/requests")).json();
  assert.equal((await list()).length, 500);
  assert.equal((await list())[0]?.body, "2");
  await sink.request("/requests", { method: "DELETE" });
  assert.deepEqual(await list(), []);
});
