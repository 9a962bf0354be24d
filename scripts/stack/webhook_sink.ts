/**
 * A webhook receiver to look at: keeps the last 500 requests in memory, bytes and headers as they came.
 *
 *   WEBHOOK_SINK_LISTEN=127.0.0.1:8003 deno run scripts/stack/webhook_sink.ts
 *
 * `POST /anything` 204 · `POST /status/503/anything` that status · `GET /requests` the list, oldest first · `DELETE /requests` forgets it
 */
import { Hono } from "hono";
import { listenAddress } from "./listen_address.ts";

const kept = 500;

export interface Received {
  at: string;
  path: string;
  headers: Record<string, string>;
  body: string;
}

export function webhookSink(now: () => Date = () => new Date()): Hono {
  const received: Received[] = [];
  const app = new Hono();
  app.get("/requests", (c) => c.json(received));
  app.delete("/requests", (c) => {
    received.length = 0;
    return c.body(null, 204);
  });
  app.post("*", async (c) => {
    received.push({
      at: now().toISOString(),
      path: c.req.path,
      headers: c.req.header(),
      body: await c.req.text(),
    });
    if (received.length > kept) received.shift();
    const status = /^\/status\/([2-5]\d\d)(\/|$)/.exec(c.req.path)?.[1];
    return new Response(null, { status: Number(status ?? 204) });
  });
  return app;
}

if (import.meta.main) {
  Deno.serve({ ...listenAddress("WEBHOOK_SINK_LISTEN"), onListen: () => {} }, webhookSink().fetch);
}
