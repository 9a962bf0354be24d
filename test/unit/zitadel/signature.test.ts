import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { signatureHolds } from "../../../functions/zitadel/signature.ts";

const key = "c2lnbmluZy1rZXk";
const body = new TextEncoder().encode('{"event_type":"session.added"}');
const at = 1_700_000_000;
/** As ZITADEL makes it, by another library than the one under test. */
const sign = (t: number | string, of: Uint8Array = body, by = key) =>
  createHmac("sha256", by).update(`${t}.`).update(of).digest("hex");
const holds = (header: string | undefined, now = at, of = body, by = key) =>
  signatureHolds(header, of, by, now);

Deno.test("a call signed with the target's key holds, also beside an older signature", async () => {
  const good = sign(at);
  assert.equal(await holds(`t=${at},v1=${good}`), true);
  assert.equal(await holds(`t=${at}, v1=${"0".repeat(64)}, v1=${good}`), true);
  assert.equal(await holds(`t=${at},v1=${good},v2=abc`), true);
});

Deno.test("another body, key or time does not hold", async () => {
  const header = `t=${at},v1=${sign(at)}`;
  assert.equal(await holds(header, at, new TextEncoder().encode("{}")), false);
  assert.equal(await holds(header, at, body, key + "x"), false);
  assert.equal(await holds(`t=${at + 1},v1=${sign(at)}`), false);
});

Deno.test("a call is good for 300 s, either way", async () => {
  const header = `t=${at},v1=${sign(at)}`;
  for (
    const [now, expected] of [[at + 300, true], [at + 301, false], [at - 300, true], [
      at - 301,
      false,
    ]] as const
  ) {
    assert.equal(await holds(header, now), expected, String(now - at));
  }
});

Deno.test("a header that is not as ZITADEL writes it does not hold", async () => {
  const good = sign(at);
  const malformed = [
    ...[undefined, "", `v1=${good}`, `t=${at}`, `t=,v1=${sign("")}`, `t=${at},v1=${good.slice(2)}`],
    ...[`t=${at},v1=zz${good.slice(2)}`, `t=${at},t=${at},v1=${good}`, `t=${at}.0,v1=${good}`],
    `t=${at},v1=${good}`.padEnd(2001, ","),
  ];
  for (const header of malformed) assert.equal(await holds(header), false, String(header));
});
