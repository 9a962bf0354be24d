// Exports made by hand: parts of a log, logs whose beginning retention removed, and files that are not what they say.
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import {
  type ExportNote,
  type ExportRecord,
  headerLine,
  noteLine,
  recordLine,
} from "../../../functions/_shared/audit/export_format.ts";
import { auditOrigin, signCheckpoint, signLeaf } from "../../../functions/_shared/audit/note.ts";
import { Frontier, leafHash } from "../../../functions/_shared/audit/tree.ts";
import { verifyFile, type VerifyOptions } from "../../../scripts/audit/verify_file.ts";

const { privateKey, publicKey: key } = generateKeyPairSync("ed25519");
const tenant = "01990000-0000-7000-8000-000000000011";
const origin = auditOrigin("https://id.example", tenant);
const size = 40;

const records = Array.from({ length: size }, (_, index): ExportRecord => {
  const bytes = JSON.stringify({ index, personal: null });
  const signature = signLeaf(origin, index, leafHash(bytes), privateKey).toBase64();
  return { index, bytes, signature };
});

function treeOf(count: number): Frontier {
  const tree = new Frontier();
  for (const { bytes } of records.slice(0, count)) tree.append(leafHash(bytes));
  return tree;
}

const at = (count: number) => ({ origin, size: count, root: treeOf(count).root() });
const known = [at(size)];
const checkpoint = (count: number): ExportNote => ({
  checkpoint: signCheckpoint(at(count), privateKey),
});
const tombstone = (count: number): ExportNote => ({
  tombstone: signCheckpoint(at(count), privateKey, "tombstone"),
});

interface Part {
  first?: number;
  end?: number;
  prefix?: string[];
  notes?: ExportNote[];
  origin?: string;
  change?: (records: ExportRecord[]) => ExportRecord[];
}

function text(
  { first = 0, end = size, notes = [checkpoint(end)], change, ...given }: Part,
): string {
  const header = headerLine({
    origin: given.origin ?? origin,
    tenant_id: tenant,
    first,
    prefix: given.prefix ?? treeOf(first).subtrees.map((hash) => hash.toBase64()),
    size: end,
    exported_at: "2026-01-01T00:00:00Z",
  });
  const part = records.slice(first, end);
  return header + (change ? change(part) : part).map(recordLine).join("") +
    notes.map(noteLine).join("");
}

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
  assert.deepEqual(await problems(text({})), []);
  assert.deepEqual(await problems(text({}), { threads: 2 }), []);
  assert.deepEqual(await problems(text({}).trimEnd()), [], "the last line feed may be missing");
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
  assert.deepEqual(
    await problems(kept, { known: [at(7)] }),
    [],
    "the checkpoint is older than that",
  );
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

Deno.test("a checkpoint file of many days is taken whole", async () => {
  const many = Array<ReturnType<typeof at>>(200_000).fill(at(20));
  assert.deepEqual(await problems(text({}), { known: [...many, at(size)] }), []);
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
  const lines = text({}).split("\n");
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
  assert.ok(foreign.includes("checkpoint_missing -"));
  assert.ok(foreign.includes("record_altered 0"));
});
