import assert from "node:assert/strict";
import { readContext } from "../../../functions/_shared/context.ts";

const read = (headers: Record<string, string>, trustedHops = 1) =>
  readContext(new Headers(headers), { trustedHops, remoteAddress: "192.0.2.9" });

Deno.test("a well-formed request id is kept, any other replaced", () => {
  assert.equal(read({ "x-correlation-id": "order-12345678" }).id, "order-12345678");
  for (
    const id of ["", "short", "with space in it", "x".repeat(101), '"><script>alert', "a,b,c,d,e"]
  ) {
    assert.match(read({ "x-correlation-id": id }).id, /^[0-9a-f-]{36}$/, id);
  }
});

Deno.test("the caller's trace goes on, a malformed one is replaced", () => {
  const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  const context = read({ traceparent });
  assert.equal(context.traceparent, traceparent);
  assert.equal(context.traceId, "0af7651916cd43dd8448eb211c80319c");
  assert.match(read({ traceparent: "x" }).traceparent, /^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/);
});

Deno.test("the client's address is what our outermost proxy saw, never the client's word", () => {
  const headers = { "x-forwarded-for": "6.6.6.6, 198.51.100.1, 10.0.0.1" };
  assert.equal(read(headers, 1).address, "10.0.0.1");
  assert.equal(read(headers, 2).address, "198.51.100.1");
  assert.equal(read(headers, 0).address, "192.0.2.9");
  assert.equal(read({}, 1).address, "192.0.2.9");
});
