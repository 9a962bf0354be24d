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

Deno.test("what is kept of an answer, a 2xx too: its headers, and its body where there is one", () => {
  for (const status of [200, 302, 410, 500]) {
    const kept = answer(status, { server: "x\0y", "x-trace": "7" }, "oh\0no");
    assert.deepEqual(kept.responseHeaders, { server: "x\uFFFDy", "x-trace": "7" });
    assert.equal(kept.responseBody, "oh\uFFFDno");
    assert.ok(!("responseBody" in answer(status)), "an empty one is none");
  }
});

Deno.test("an answer of 5 KiB is cut at 4,096 bytes, and no character with it", () => {
  const kept = (status: number, text: string, maxBytes = 4_096) => {
    const whole = new TextEncoder().encode(text);
    const body = whole.slice(0, maxBytes);
    const truncated = body.length < whole.length;
    return judge({ status, headers: {}, body, truncated, durationMs: 12 }, now).responseBody!;
  };
  for (const status of [200, 500]) {
    assert.equal(kept(status, "x".repeat(5_120)), "x".repeat(4_096));
    assert.equal(kept(status, "x" + "✓".repeat(1_706)), "x" + "✓".repeat(1_365));
    assert.equal(kept(status, "x" + "✓".repeat(1_706), 9_999), "x" + "✓".repeat(1_365));
    assert.equal(kept(status, "✓".repeat(1_365) + "x"), "✓".repeat(1_365) + "x"); // just fits
  }
});

Deno.test("no cookie, credential or challenge of an answer is kept, nor a header of ours sent back", () => {
  const secrets = {
    "set-cookie": "a=b",
    "set-cookie2": "a=b",
    cookie: "a=b",
    authorization: "Bearer hunter2hunter2",
    "proxy-authorization": "Basic eDp5",
    "www-authenticate": "Negotiate abc",
    "proxy-authenticate": "Digest nonce=1",
    "authentication-info": 'nextnonce="1"',
    "proxy-authentication-info": 'nextnonce="1"',
    "replay-nonce": "1",
    "x-auth": "1",
    "x-api-key": "1",
    "x-csrf-token": "1",
    "x-amz-security-token": "1",
    "sec-session-registration": "1",
    "webhook-signature": "v1,abc",
  };
  const harmless = { date: "today", "x-author": "eve", "content-type": "text/plain" };
  assert.deepEqual(answer(200, { ...secrets, ...harmless }).responseHeaders, harmless);
  const echo = judge(
    {
      status: 200,
      headers: { "x-shop": "acme", "x-way": "1" },
      body: new TextEncoder().encode("you sent hunter2hunter2 to acme"),
      truncated: false,
      durationMs: 12,
    },
    now,
    { "x-shop": "acme", "x-pass": "hunter2hunter2" },
  );
  assert.deepEqual(echo.responseHeaders, { "x-way": "1" });
  assert.equal(echo.responseBody, "you sent [redacted] to acme");
});

Deno.test("many and huge headers of an answer are bounded", () => {
  const headersOf = (count: number, name: string, value: string) =>
    answer(200, Object.fromEntries(Array.from({ length: count }, (_, n) => [name + n, value])))
      .responseHeaders!;
  assert.equal(Object.keys(headersOf(200, "x-", "y")).length, 50);
  const huge = headersOf(200, "x-", "y".repeat(100_000));
  for (const value of Object.values(huge)) assert.equal(value, "y".repeat(500));
  const length = Object.entries(huge).join("").length;
  assert.ok(length > 7_000 && length <= 8_192 + 50, `${length}`); // a comma each
  const [name] = Object.keys(headersOf(1, "x".repeat(9_000), "y"));
  assert.equal(name, "x".repeat(500));
  const { responseHeaders } = answer(200, { a: "x".repeat(499) + "💥", b: "x".repeat(498) + "💥" });
  assert.deepEqual(responseHeaders, { a: "x".repeat(499) + "\uFFFD", b: "x".repeat(498) + "💥" });
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
    clock: () => performance.now(),
    timeoutMs: 1,
    // deno-lint-ignore require-await
    send: async (request) => send(request),
  });
}

Deno.test("no answer: tried again; the endpoint rests unless the message itself may be why", async () => {
  type Theirs = Exclude<OutboundErrorClass, "proxy_unreachable" | "proxy_refused">;
  const rests: Record<Theirs, boolean> = {
    url_refused: true,
    address_refused: true,
    dns_failed: true,
    connect_failed: true,
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

Deno.test("no duration is negative, however the time is set meanwhile", async () => {
  const times = [new Date("2026-07-01T10:00:00Z"), new Date("2026-07-01T09:00:00Z")];
  let ms = 5_000;
  const result = await attempt({
    delivery: { id: "d", attempt: 1, eventId: "e", body: "{}", traceparent: null },
    keys: [importWebhookKey(newWebhookSecret())],
    now: () => times.shift() ?? new Date(0),
    clock: () => ms,
    timeoutMs: 1,
    send: () => {
      ms += 40.4;
      return Promise.reject(new OutboundError("timeout", "why"));
    },
  });
  assert.deepEqual([result.startedAtMs, result.durationMs], [now.getTime(), 40]);
});

Deno.test("our own proxy in the way: nothing is counted, and the endpoint rests", async () => {
  for (const errorClass of ["proxy_unreachable", "proxy_refused"] as const) {
    const result = await attemptWith(() => {
      throw new OutboundError(errorClass, "why");
    });
    assert.deepEqual(result, {
      id: "d",
      outcome: "release",
      retryAfterSeconds: 60,
      throttle: true,
      errorClass,
    });
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
