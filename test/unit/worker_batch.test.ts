// A batch whose receiver, proxy, clock or own code does something out of the ordinary. What goes right: test/integration/deliveries.test.ts.
import assert from "node:assert/strict";
import { join } from "node:path";
import {
  type Batch,
  beginWithinMs,
  sendBatch,
  type Sending,
} from "../../functions/_worker/batch.ts";
import { Pace } from "../../functions/_worker/pace.ts";
import { OutboundError, type Target } from "../../functions/_shared/outbound.ts";
import { toBase64 } from "../../functions/_shared/secrets.ts";
import { newSecrets, type SealedSecret } from "../../functions/_shared/webhook_secrets.ts";

type Send = Target["send"];
type Request = Parameters<Send>[0];

const of = { tenantId: "01990000-0000-7000-8000-00000000000a", id: "endpoint" };
const variable = "GATEHOUSE_SECRETS_KEY_FILE";
let dir: string;
let secrets: SealedSecret[];

Deno.test.beforeAll(async () => {
  dir = await Deno.makeTempDir({ prefix: "gatehouse-batch-" });
  const key = toBase64(crypto.getRandomValues(new Uint8Array(32)));
  const keys = JSON.stringify({ current: "k1", keys: { k1: key } });
  await Deno.writeTextFile(join(dir, "keys.json"), keys, { mode: 0o600 });
  Deno.env.set(variable, join(dir, "keys.json"));
  secrets = (await newSecrets("v1", of.tenantId, of.id)).sealed;
});
Deno.test.afterAll(async () => {
  Deno.env.delete(variable);
  await Deno.remove(dir, { recursive: true });
});

const ok = { status: 204, headers: {}, body: new Uint8Array(0), truncated: false, durationMs: 1 };

function batchOf(count: number, failuresInARow = 0): Batch {
  const deliveries = Array.from({ length: count }, (_, n) => ({
    id: `d${n}`,
    attempt: 1,
    eventId: `e${n}`,
    body: "{}",
    traceparent: null,
  }));
  return {
    endpoint: {
      url: "https://hooks.example/",
      ordering: "parallel",
      failuresInARow,
      pace: null,
      headers: null,
    },
    secrets,
    deliveries,
    full: false,
    last: ["", "", ""],
    beginBy: beginWithinMs,
  };
}

/** The batch sent so; the clock stands still at 0 unless told otherwise. */
async function sent(batch: Batch, send: Send, sending: Partial<Sending> = {}) {
  return await sendBatch(of, batch, {
    open: () => Promise.resolve({ send }),
    now: () => new Date(),
    clock: () => 0,
    pace: new Pace(() => 0, () => Promise.resolve()),
    goOn: () => true,
    abandoned: new Promise(() => {}),
    ...sending,
  });
}

/** What was logged meanwhile. */
async function logged<T>(run: () => Promise<T>) {
  const lines: Record<string, unknown>[] = [];
  const original = console.log;
  console.log = (text: string) => lines.push(JSON.parse(text));
  try {
    return { result: await run(), lines };
  } finally {
    console.log = original;
  }
}

const later = () => new Promise<void>((resolve) => setTimeout(resolve, 1));
const idOf = ({ headers }: Request) => headers!["webhook-id"]!;

Deno.test("an attempt gets 15 seconds and the first 4 KiB of its answer", async () => {
  const asked: Request[] = [];
  await sent(batchOf(1), (request) => {
    asked.push(request);
    return Promise.resolve(ok);
  });
  assert.deepEqual(asked.map((one) => [one.timeoutMs, one.maxBytes]), [[15_000, 4_096]]);
  assert.equal(beginWithinMs, 40_000, "with that and 5 s to settle within the claim's 60");
});

Deno.test("a fault of ours in one delivery is its own: all others are sent and told of", async () => {
  let under = 0;
  const { result, lines } = await logged(() =>
    sent(batchOf(40), async (request) => {
      under++;
      await later();
      under--;
      if (idOf(request) === "e3") throw new TypeError("ours");
      return ok;
    })
  );
  assert.equal(under, 0, "nothing goes on behind its back");
  const { results, sick } = result;
  assert.equal(sick, false);
  assert.deepEqual(
    results.map(({ id }) => id).sort(),
    Array.from({ length: 40 }, (_, n) => `d${n}`).sort(),
  );
  const released = results.filter(({ outcome }) => outcome !== "delivered");
  assert.deepEqual(released, [{ id: "d3", outcome: "release", retryAfterSeconds: 60 }]);
  assert.deepEqual(
    lines.map(({ level, tenant, delivery }) => [level, tenant, delivery]),
    [["error", of.tenantId, "d3"]],
  );
});

Deno.test("our own proxy is down: no more is tried than was under way, one line says so", async () => {
  let count = 0;
  const { result, lines } = await logged(() =>
    sent(batchOf(100, 9), async () => {
      count++;
      await later();
      throw new OutboundError("proxy_unreachable", "why");
    })
  );
  assert.equal(count, 8);
  assert.equal(result.sick, true);
  assert.ok(result.results.every(({ outcome, throttle }) => outcome === "release" && throttle));
  assert.deepEqual(lines.map(({ level, errorClass }) => [level, errorClass]), [
    ["error", "proxy_unreachable"],
  ]);
});

Deno.test("a release is neither a success nor a failure: nine failures stay nine", async () => {
  const { result } = await logged(() =>
    sent(batchOf(3, 9), async (request) => {
      if (idOf(request) === "e0") throw new TypeError("ours");
      await later();
      return { ...ok, status: idOf(request) === "e1" ? 500 : 204 };
    })
  );
  assert.equal(result.sick, true, "the tenth");
  const other = await logged(() =>
    sent(batchOf(1, 9), () => Promise.reject(new TypeError("ours")))
  );
  assert.equal(other.result.sick, false);
});

Deno.test("no attempt begins when its claim may end before it, though the time is set back", async () => {
  let ms = 0;
  let wall = Date.UTC(2026, 6, 1, 10);
  const { results } = await sent(batchOf(100), async () => {
    ms += 1_000;
    wall -= 3_600_000;
    await later();
    return ok;
  }, { clock: () => ms, now: () => new Date(wall) });
  assert.ok(results.length >= 41 && results.length < 41 + 8, `${results.length}`);
});

Deno.test("when nobody waits any longer, nothing more begins and what is under way is left out", async () => {
  const abandoned = Promise.withResolvers<void>();
  const held = Promise.withResolvers<void>();
  let count = 0;
  const { results } = await sent(batchOf(100), async () => {
    if (++count === 10) abandoned.resolve();
    if (count > 2) await held.promise;
    return ok;
  }, { abandoned: abandoned.promise });
  const told = results.length;
  held.resolve();
  await later();
  assert.deepEqual([count, told, results.length], [10, 2, 2]);
});
