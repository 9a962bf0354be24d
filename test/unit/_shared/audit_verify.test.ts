// Exports made by hand: parts of a log, logs whose beginning retention removed, and files that are not what they say.
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { type ExportRecord, recordLine } from "../../../functions/_shared/audit/export_format.ts";
import { isOfTenant } from "../../../functions/_shared/audit/export_reader.ts";
import { openCheckpoint, signLeaf } from "../../../functions/_shared/audit/note.ts";
import { leafHash } from "../../../functions/_shared/audit/tree.ts";
import { verifyFile, type VerifyOptions } from "../../../scripts/audit/verify_file.ts";
import { handmadeLog } from "../../support/audit_handmade.ts";

const { privateKey, publicKey: key } = generateKeyPairSync("ed25519");
const tenant = "01990000-0000-7000-8000-000000000011";
const size = 40;
const log = handmadeLog(tenant, size, () => privateKey);
const { origin, records, treeOf, at, checkpoint, tombstone, text } = log;
const known = [at(size)];

async function problems(file: string, options: Partial<VerifyOptions> = {}) {
  const path = await Deno.makeTempFile({ suffix: ".jsonl" });
  try {
    await Deno.writeTextFile(path, file);
    const found = [];
    for (const allSignatures of [false, true]) {
      const report = await verifyFile(path, { key, known, threads: 0, allSignatures, ...options });
      found.push(report.problems.map(({ problem, index }) => `${problem} ${index ?? "-"}`));
    }
    assert.deepEqual(found[0], found[1], "by the root or by each signature: the same is found");
    return found[0];
  } finally {
    await Deno.remove(path);
  }
}

Deno.test("a whole export is proved, in threads too", async () => {
  assert.deepEqual(await problems(text()), []);
  assert.deepEqual(await problems(text(), { threads: 2 }), []);
  assert.deepEqual(await problems(text().trimEnd()), [], "the last line feed may be missing");
});

Deno.test("a part is proved when a part was asked for, and else lacks records", async () => {
  const part = text({ first: 13, end: 30 });
  assert.deepEqual(await problems(part, { from: 13, to: 30 }), []);
  assert.deepEqual(await problems(part, { from: 14, to: 29 }), []);
  assert.deepEqual(await problems(part, { from: 12, to: 30 }), ["record_missing 12"]);
  assert.deepEqual(await problems(part, { from: 13, to: 31 }), ["record_missing 30"]);
  assert.deepEqual(await problems(part), ["record_missing 0", "record_missing 30"]);
});

Deno.test("records that retention removed are missed by nobody when the tombstone is signed", async () => {
  const kept = text({ first: 13, notes: [tombstone(13), checkpoint(size)] });
  assert.deepEqual(await problems(kept), []);
  const without = text({ first: 13 });
  assert.deepEqual(await problems(without), ["record_missing 0"]);
  const short = text({ first: 13, notes: [tombstone(9), checkpoint(size)] });
  assert.deepEqual(await problems(short), ["record_missing 9"]);
  const forged = {
    tombstone: (tombstone(13) as { tombstone: string }).tombstone.replace("13", "14"),
  };
  assert.deepEqual(await problems(text({ first: 13, notes: [forged, checkpoint(size)] })), [
    "checkpoint_invalid -",
    "record_missing 0",
  ]);
});

Deno.test("hashes that stand for removed records are the ones that were signed", async () => {
  const other = treeOf(13).subtrees.map(() => leafHash("other").toBase64());
  const notes = [tombstone(13), checkpoint(size)];
  assert.deepEqual(
    (await problems(text({ first: 13, prefix: other, notes })))?.[0],
    "prefix_altered -",
  );
  assert.deepEqual(await problems(text({ first: 13, prefix: other }), { from: 13 }), [
    "prefix_altered -",
  ]);
  assert.deepEqual(
    (await problems(text({ first: 13, prefix: [], notes })))?.[0],
    "prefix_altered -",
  );
});

Deno.test("a checkpoint that is older than a part proves nothing of it, and says so", async () => {
  assert.deepEqual(await problems(text({ first: 13 }), { from: 13, known: [at(7)] }), [
    "checkpoint_not_covered -",
  ]);
});

Deno.test("a checkpoint that is older than what retention left is not passed over in silence", async () => {
  const kept = text({ first: 13, notes: [tombstone(13), checkpoint(size)] });
  const trust = { known: [at(7)] };
  assert.deepEqual(await problems(kept, trust), ["checkpoint_not_covered -"]);
  assert.deepEqual(await problems(kept, { known: [at(7), at(12)] }), ["checkpoint_not_covered -"]);
  assert.deepEqual(await problems(kept, { known: [at(7), at(13)] }), [], "of just what is gone");
  assert.deepEqual(await problems(kept, { known: [at(7), at(14)] }), [], "a newer one is compared");
  const other = { ...at(13), root: leafHash("another") };
  assert.notDeepEqual(await problems(kept, { known: [at(7), other] }), []);
});

Deno.test("what the caller knows of retention is what is believed of it, and no more", async () => {
  const stones = [tombstone(13), checkpoint(size)];
  const kept = text({ first: 13, notes: stones });
  const said = (removedBefore: number) => ({ known: [at(7)], removedBefore });
  assert.deepEqual(await problems(kept, said(13)), []);
  assert.deepEqual(await problems(kept, said(20)), []);
  assert.deepEqual(await problems(kept, said(12)), ["record_missing 12"]);
  assert.deepEqual(await problems(kept, said(0)), ["record_missing 0"]);
  assert.deepEqual(await problems(text({ first: 13 }), said(13)), [], "not signed yet");
  assert.deepEqual(await problems(text({ first: 13 }), { ...said(5), from: 13 }), [
    "checkpoint_not_covered -",
  ]);
  assert.deepEqual(await problems(text(), { removedBefore: 13 }), []);
});

Deno.test("a checkpoint file of many days is taken whole", async () => {
  const many = Array<ReturnType<typeof at>>(200_000).fill(at(20));
  assert.deepEqual(await problems(text(), { known: [...many, at(size)] }), []);
});

Deno.test("records after the newest checkpoint stand by their own signatures", async () => {
  const young = text({ notes: [checkpoint(20)] });
  assert.deepEqual(await problems(young, { known: [at(20)] }), []);
  const last = (change: Partial<ExportRecord>) =>
    text({
      notes: [checkpoint(20)],
      change: (all) => all.with(-1, { ...all.at(-1)!, ...change }),
    });
  const trust = { known: [at(20)] };
  assert.deepEqual(await problems(last({ signature: null }), trust), ["record_unsigned 39"]);
  assert.deepEqual(await problems(last({ signature: "?" }), trust), ["record_altered 39"]);
  assert.deepEqual(await problems(last({ bytes: "{}" }), trust), ["record_altered 39"]);
});

Deno.test("a line that is no record, a number twice and a number too many are named where they stand", async () => {
  const lines = text().split("\n");
  assert.deepEqual(await problems(lines.with(6, "{}").join("\n")), [
    "record_malformed 5",
    "record_missing 5",
  ]);
  assert.deepEqual(await problems(lines.toSpliced(6, 0, lines[5]!).join("\n")), [
    "record_out_of_order 5",
  ]);
  assert.deepEqual(await problems(lines.toSpliced(6, 1).join("\n")), ["record_missing 5"]);
});

Deno.test("what is no export, or of another log, proves nothing", async () => {
  assert.deepEqual(await problems(""), ["header_malformed -"]);
  assert.deepEqual(await problems(recordLine(records[0]!)), ["header_malformed -"]);
  const foreign = (await problems(text({ origin: `${origin}0` })))!;
  assert.ok(foreign.includes("log_foreign -"));
  assert.ok(foreign.includes("checkpoint_missing -"));
  assert.ok(foreign.includes("record_altered 0"));
});

const theirs = handmadeLog("01990000-0000-7000-8000-000000000012", size, () => privateKey);

Deno.test("an export is of the log that was meant, whatever else the same key signed", async () => {
  const both = [at(size), theirs.at(size)];
  assert.deepEqual(await problems(theirs.text(), { known: both, origin: theirs.origin }), []);
  assert.deepEqual(await problems(theirs.text(), { known: both, origin }), ["log_foreign -"]);
  assert.deepEqual(await problems(theirs.text(), { known, origin }), [
    "log_foreign -",
    "checkpoint_missing -",
  ]);
});

Deno.test("another tenant's export under this tenant's id is found by its origin and by each record", async () => {
  const all = records.map(({ index }) => `record_foreign ${index}`);
  assert.deepEqual(await problems(theirs.text({ tenant }), { known: [theirs.at(size)] }), [
    "log_foreign -",
    ...all,
  ]);
  const signer = () => privateKey;
  const mixed = handmadeLog(tenant, size, signer, (n) => n === 7 ? '"tenant_id": "' : "");
  assert.deepEqual(await problems(mixed.text(), { known: [mixed.at(size)] }), []);
});

Deno.test("a record that says it is another tenant's is named, though it is signed", async () => {
  const at = '"2026-01-01T00:00:00.000000Z"';
  const end = `, "occurred_at": ${at}, "recorded_at": ${at}}`; // as Postgres prints it
  const ours = `{"tenant_id": "${tenant}"${end}`;
  for (
    const bytes of [
      `{"tenant_id": "${theirs.tenant}"}`,
      `{"data": ${ours}, "tenant_id": "${theirs.tenant}"${end}`,
      `{"tenant_id": "${theirs.tenant}", "z": ${ours}}`,
      `{"data": ${ours}}`,
      `${tenant}`,
    ]
  ) {
    const leaf = leafHash(bytes);
    const signature = signLeaf(origin, 0, leaf, privateKey).toBase64();
    const record = { index: 0, bytes, signature };
    const trust = { known: [{ origin, size: 1, root: leaf }] };
    const file = text({ end: 1, notes: [], change: () => [record] });
    assert.deepEqual(await problems(file, trust), ["record_foreign 0"], bytes);
    const unproved = text({ end: 1, notes: [], change: () => [{ ...record, bytes: ours }] });
    assert.deepEqual(await problems(unproved, trust), ["record_altered 0"]);
  }
});

Deno.test("whose record it is stands at the end as Postgres prints it, and is found anywhere else", () => {
  const at = '"2026-01-01T00:00:00.000000Z"';
  const end = `"tenant_id": "${tenant}", "occurred_at": ${at}, "recorded_at": ${at}}`;
  for (const bytes of [`{"v": 1, ${end}`, `{${end}`, `{"tenant_id": "${tenant}", "v": 1}`]) {
    assert.ok(isOfTenant(bytes, tenant), bytes);
    assert.ok(!isOfTenant(bytes, theirs.tenant), bytes);
    assert.ok(isOfTenant(bytes, tenant), "again: nothing is left over from the one before");
  }
  for (const bytes of ["", "{}", "null", "[]", tenant, `{"data": {${end}}`]) {
    assert.ok(!isOfTenant(bytes, tenant), bytes);
  }
});

Deno.test("a tombstone is no checkpoint of a log of its own: no truncated log hides behind one", async () => {
  const name = `${origin}/tombstone`;
  const note = (tombstone(20) as { tombstone: string }).tombstone;
  assert.equal(openCheckpoint(note, name, key), null);
  const file = text({ end: 20, origin: name, notes: [{ checkpoint: note }] });
  const found = (await problems(file))!;
  assert.ok(found.includes("log_foreign -"));
  assert.ok(found.includes("checkpoint_invalid -"));
});
