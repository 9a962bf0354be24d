// Personal values beside a record: the ones that it commits to are good, everything else is altered.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import type { ExportRecord } from "../../../functions/_shared/audit/export_format.ts";
import { alteredPersonal } from "../../../functions/_shared/audit/export_reader.ts";

const salt = "00ff".repeat(16);
const value = '{"context.address": "192.0.2.1"}';
const forged = '{"context.address":"6.6.6.6"}';
const commit = (salt: Uint8Array, value: string) =>
  createHash("sha256").update(salt).update(value).digest("hex");
const actor = commit(Uint8Array.fromHex(salt), value);

/** The altered slots of a record whose bytes and values are these; both as text, for what JSON.parse makes of a key. */
function altered(sealed: string, personal: string): string[] {
  const record = JSON.parse(`{"index": 0, "signature": null, "personal": ${personal}}`);
  return alteredPersonal({ ...record, bytes: `{"personal": ${sealed}}` } as ExportRecord);
}

const sealed = JSON.stringify({ actor });
const held = (slots: Record<string, unknown>) => JSON.stringify(slots);

Deno.test("PERS-01 the sealed value is good, and so is one that was erased", () => {
  assert.deepEqual(altered(sealed, held({ actor: { salt, value } })), []);
  assert.deepEqual(altered(sealed, held({})), []);
  assert.deepEqual(alteredPersonal({ index: 0, bytes: "{}", signature: null }), []);
});

Deno.test("PERS-02 another value, or another salt, is not what was sealed", () => {
  for (const other of [{ salt, value: forged }, { salt: "00".repeat(32), value }]) {
    assert.deepEqual(altered(sealed, held({ actor: other })), ["actor"]);
  }
});

Deno.test("PERS-03 a slot that was not sealed is altered, whatever its salt", () => {
  const salts = [salt, "zz", "", "0", "00".repeat(31)];
  for (const salt of salts) {
    const value = { salt, value: forged };
    for (const nothing of ["null", "{}", "[]", "7", '"actor"', '{"target": null}']) {
      assert.deepEqual(altered(nothing, held({ actor: value })), ["actor"], `${nothing} ${salt}`);
    }
    assert.deepEqual(altered(sealed, held({ nobody: value })), ["nobody"], salt);
    assert.deepEqual(altered(sealed, held({ actor: value, target: value })), ["actor", "target"]);
  }
  for (const bytes of ["null", "7", "no JSON", "[]"]) {
    const personal = { actor: { salt: "zz", value: forged } };
    assert.deepEqual(alteredPersonal({ index: 0, bytes, signature: null, personal }), ["actor"]);
  }
});

Deno.test("PERS-04 a salt that is odd, empty, too short, too long or no hexadecimal is altered", () => {
  const salts = ["zz", "", "0", salt.slice(1), salt.slice(2), `${salt}00`, salt.toUpperCase()];
  for (const other of salts) {
    assert.deepEqual(altered(sealed, held({ actor: { salt: other, value } })), ["actor"], other);
  }
  assert.deepEqual(altered(sealed, held({ actor: { salt: `${salt}\n`, value } })), ["actor"]);
});

Deno.test("PERS-05 bytes that move between salt and value are found, though the hash is the same", () => {
  const long = `${salt.slice(0, -2)}20`; // ends in a space
  const committed = commit(Uint8Array.fromHex(long), value);
  assert.equal(committed, commit(Uint8Array.fromHex(long.slice(0, -2)), ` ${value}`));
  const sealed = JSON.stringify({ actor: committed });
  assert.deepEqual(altered(sealed, held({ actor: { salt: long, value } })), []);
  const moved = { salt: long.slice(0, -2), value: ` ${value}` };
  assert.deepEqual(altered(sealed, held({ actor: moved })), ["actor"]);
});

Deno.test("PERS-06 a value of another type is altered", () => {
  const halves = [{ salt }, { value }, { salt: 7, value }, { salt, value: null }];
  for (const value of [null, 7, "text", [], {}, ...halves, { salt, value: { address: "x" } }]) {
    assert.deepEqual(altered(sealed, held({ actor: value })), ["actor"], JSON.stringify(value));
    assert.deepEqual(altered("null", held({ actor: value })), ["actor"], JSON.stringify(value));
  }
  assert.deepEqual(altered('{"actor": 7}', held({ actor: { salt, value } })), ["actor"]);
});

Deno.test("PERS-07 a slot called as something of the prototype is altered", () => {
  for (const slot of ["__proto__", "constructor", "toString", "hasOwnProperty", "valueOf"]) {
    for (const given of [`{"salt": "zz", "value": "x"}`, `{"salt": "${salt}", "value": "x"}`]) {
      assert.deepEqual(altered(sealed, `{"${slot}": ${given}}`), [slot]);
      assert.deepEqual(altered("null", `{"${slot}": ${given}}`), [slot]);
    }
  }
});
