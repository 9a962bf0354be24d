import assert from "node:assert/strict";
import fc from "fast-check";
import { ConfigError } from "../../../functions/_shared/config.ts";
import {
  fromBase64,
  type Keyring,
  open,
  openText,
  parseKeyring,
  type Place,
  reseal,
  seal,
  SecretError,
  toBase64,
} from "../../../functions/_shared/secrets.ts";

const newKey = () => toBase64(crypto.getRandomValues(new Uint8Array(32)));
const k1 = newKey();
const k2 = newKey();
const ring = (current: string, keys: Record<string, string>): Promise<Keyring> =>
  parseKeyring(JSON.stringify({ current, keys }));
const place: Place = { table: "webhook_secrets", tenantId: "t", id: "e" };

Deno.test("property: what is sealed opens to the same bytes, and is never the same twice", async () => {
  const keys = await ring("k1", { k1 });
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (bytes) => {
      const plain = new Uint8Array(bytes);
      const [a, b] = [await seal(plain, place, keys), await seal(plain, place, keys)];
      assert.notDeepEqual(a.ciphertext, b.ciphertext);
      assert.deepEqual(await open(a, place, keys), plain);
    }),
    { numRuns: 50 },
  );
});

Deno.test("a ciphertext does not open for another row, table or tenant", async () => {
  const keys = await ring("k1", { k1 });
  const sealed = await seal("secret", place, keys);
  const others: Place[] = [
    { ...place, id: "f" },
    { ...place, tenantId: "u" },
    { ...place, table: "other" },
    { ...place, tenantId: "", id: "te" },
  ];
  for (const other of others) await assert.rejects(open(sealed, other, keys), SecretError);
});

Deno.test("a changed bit anywhere, or a cut, does not open", async () => {
  const keys = await ring("k1", { k1 });
  const { keyId, ciphertext } = await seal("secret", place, keys);
  for (let at = 0; at < ciphertext.length; at++) {
    const changed = ciphertext.slice();
    changed[at]! ^= 1;
    await assert.rejects(open({ keyId, ciphertext: changed }, place, keys), SecretError);
  }
  for (const cut of [0, 11, 27, ciphertext.length - 1]) {
    const short = ciphertext.slice(0, cut);
    await assert.rejects(open({ keyId, ciphertext: short }, place, keys), SecretError);
  }
});

Deno.test("names that would blur the boundary between two places are refused", async () => {
  const keys = await ring("k1", { k1 });
  await assert.rejects(seal("x", { ...place, tenantId: "t|e" }, keys), SecretError);
});

Deno.test("a rotation: the old key still opens, resealing moves to the new one, then the old can go", async () => {
  const before = await ring("k1", { k1 });
  const during = await ring("k2", { k1, k2 });
  const after = await ring("k2", { k2 });
  const sealed = await seal("secret", place, before);
  assert.equal(await openText(sealed, place, during), "secret");
  await assert.rejects(open(sealed, place, after), SecretError);
  const moved = await reseal(sealed, place, during);
  assert.equal(moved?.keyId, "k2");
  assert.equal(await openText(moved!, place, after), "secret");
  assert.equal(await reseal(moved!, place, during), null);
});

Deno.test("a wrong key file is refused and never quoted", async () => {
  const wrong = [
    "",
    "{}",
    `{"current":"k1","keys":{"k1":"${k1.slice(0, 20)}"}}`,
    `{"current":"k9","keys":{"k1":"${k1}"}}`,
    `{"current":"k1","keys":{"k1":"${k1}"}`,
    `{"current":"k1","keys":{"k1":"${k1}"},"more":1}`,
  ];
  for (const text of wrong) {
    await assert.rejects(
      parseKeyring(text),
      (error) => error instanceof ConfigError && !error.message.includes(k1.slice(0, 20)),
      text,
    );
  }
});

Deno.test("Postgres's base64, broken into lines, is read", () => {
  assert.deepEqual(fromBase64("aGVs\nbG8="), new TextEncoder().encode("hello"));
});
