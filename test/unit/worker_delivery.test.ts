import assert from "node:assert/strict";
import {
  attempt,
  type Delivery,
  judge,
  parseRetryAfter,
} from "../../functions/_worker/delivery.ts";
import {
  OutboundError,
  type OutboundErrorClass,
  type Target,
} from "../../functions/_shared/outbound.ts";
import { importWebhookKey, newWebhookSecret } from "../../functions/_shared/signing_keys.ts";

const now = new Date("2026-07-01T10:00:00Z");

function answer(status: number, headers: Record<string, string> = {}, text = "") {
  const body = new TextEncoder().encode(text);
  return judge({ status, headers, body, truncated: false, durationMs: 12 }, now);
}

Deno.test("every 2xx is a delivery, nothing else is", () => {
  for (const status of [200, 201, 202, 204, 299]) {
    assert.equal(answer(status).outcome, "delivered");
  }
  for (const status of [301, 302, 304, 307, 400, 401, 404, 408, 409, 429, 500, 503, 599]) {
    assert.equal(answer(status).outcome, "retry", String(status));
  }
  assert.equal(answer(410).outcome, "disable");
});

Deno.test("webhook-delivery: disable ends it whatever the status, abort-message gives up this one", () => {
  const wish = (status: number, value: string) => {
    const { outcome, stop } = answer(status, { "webhook-delivery": value });
    return [outcome, stop];
  };
  assert.deepEqual(wish(200, "disable"), ["delivered", "asked"]);
  assert.deepEqual(wish(500, " Disable "), ["disable", "asked"]);
  assert.deepEqual(wish(410, "disable"), ["disable", "gone"]);
  assert.deepEqual(wish(500, "abort-message"), ["dead", undefined]);
  assert.deepEqual(wish(204, "abort-message"), ["delivered", undefined]);
  assert.deepEqual(wish(500, "enable"), ["retry", undefined]);
});

Deno.test("only answers that ask for a slower pace rest the endpoint", () => {
  const throttled = [400, 408, 429, 500, 501, 502, 503, 504].filter((s) => answer(s).throttle);
  assert.deepEqual(throttled, [429, 502, 503, 504]);
});

Deno.test("retry-after: seconds or an HTTP date, never past a day, never negative", () => {
  assert.equal(parseRetryAfter("120", now), 120);
  assert.equal(parseRetryAfter("Wed, 01 Jul 2026 10:02:00 GMT", now), 120);
  assert.equal(parseRetryAfter("Wed, 01 Jul 2026 09:00:00 GMT", now), 0);
  assert.equal(parseRetryAfter("999999999", now), 86_400);
  assert.equal(parseRetryAfter("soon", now), undefined);
  assert.equal(parseRetryAfter(undefined, now), undefined);
  assert.equal(answer(500, { "retry-after": "7" }).retryAfterSeconds, 7);
});

Deno.test("what is kept of an answer fits into the database and holds no cookie", () => {
  const kept = answer(500, { "set-cookie": "a=b", server: "x\0y" }, "oh\0no");
  assert.deepEqual(kept.responseHeaders, { server: "x\uFFFDy" });
  assert.equal(kept.responseBody, "oh\uFFFDno");
});

async function attemptWith(
  send: (request: Parameters<Target["send"]>[0]) => never,
  given?: Partial<Delivery>,
) {
  const delivery = { id: "d", attempt: 1, eventId: "e", body: "{}", traceparent: null, ...given };
  const keys = [importWebhookKey(newWebhookSecret())];
  return await attempt({
    delivery,
    keys,
    now: () => now,
    timeoutMs: 1,
    // deno-lint-ignore require-await
    send: async (request) => send(request),
  });
}

Deno.test("no answer: tried again; the endpoint rests unless the message itself may be why", async () => {
  const rests: Record<OutboundErrorClass, boolean> = {
    url_refused: true,
    address_refused: true,
    dns_failed: true,
    connect_failed: true,
    proxy_unreachable: true,
    proxy_refused: true,
    tls_failed: true,
    timeout: true,
    connection_lost: false,
    protocol_error: false,
  };
  for (const [errorClass, throttle] of Object.entries(rests)) {
    const result = await attemptWith(() => {
      throw new OutboundError(errorClass as OutboundErrorClass, "why");
    });
    assert.equal(result.outcome, "retry");
    assert.deepEqual([result.errorClass, result.throttle], [errorClass, throttle]);
  }
});

Deno.test("a fault of ours is not blamed on the receiver", async () => {
  await assert.rejects(
    attemptWith(() => {
      throw new TypeError("ours");
    }),
    TypeError,
  );
});

Deno.test("the receiver always gets a traceparent: the change's, or a new one", async () => {
  const sent: (string | undefined)[] = [];
  const note = (request: Parameters<Target["send"]>[0]): never => {
    sent.push(request.headers?.traceparent);
    throw new OutboundError("timeout", "enough");
  };
  const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  await attemptWith(note, { traceparent });
  await attemptWith(note, { traceparent: null });
  await attemptWith(note, { traceparent: "garbage" });
  assert.equal(sent[0]?.slice(0, 35), traceparent.slice(0, 35));
  for (const header of sent) assert.match(header!, /^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/);
});
