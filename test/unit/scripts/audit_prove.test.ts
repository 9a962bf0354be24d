// The command that makes proofs and checks them: by whose checkpoint, of which log, what does not hold. From the worker's own export: test/integration/audit_seal.test.ts.
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { keyName, signCheckpoint } from "../../../functions/_shared/audit/note.ts";
import { inclusionProof, leafHash, rootOf } from "../../../functions/_shared/audit/tree.ts";
import { auditFiles } from "../../support/audit_commands.ts";
import { handmadeLog } from "../../support/audit_handmade.ts";

const [former, next] = [0, 1].map(() => generateKeyPairSync("ed25519"));
const keys = [former!.publicKey, next!.publicKey];
const stolen = former!.privateKey;
const tenant = "01990000-0000-7000-8000-000000000011";
/** The former key signs 30 records, the next one 20 more. */
const log = handmadeLog(tenant, 50, (n) => n < 30 ? stolen : next!.privateKey);
const { origin, records } = log;
const leaves = records.map(({ bytes }) => leafHash(bytes));

/** A proof that record `size - 1` says what it never said, under a checkpoint of the thief's own. */
function forged(size: number): string {
  const index = size - 1;
  const bytes = JSON.stringify({ data: "forged", tenant_id: tenant });
  const others = leaves.slice(0, size).with(index, leafHash(bytes));
  const checkpoint = signCheckpoint({ origin, size, root: rootOf(others) }, stolen);
  const path = inclusionProof(index, others).map((hash) => hash.toBase64());
  return JSON.stringify({ kind: "inclusion", origin, index, bytes, path, checkpoint });
}

Deno.test("ROT-08 a stolen former key proves nothing of records that the next one has signed since, nor of those before", async () => {
  await using files = await auditFiles(keys, {
    "after": forged(41),
    "at": forged(40),
    "before": forged(25),
    "known": log.note(40),
    "handed": `${log.note(40)}\n${JSON.parse(forged(41)).checkpoint}`, // by the thief
  });
  for (const proof of ["after", "at", "before"]) {
    const { code, out, err } = await files.check(proof, "--checkpoint", "known");
    assert.equal(code, 1, out + err);
    assert.doesNotMatch(out, /holds/);
  }
  assert.match((await files.check("after", "--checkpoint", "known")).err, /a former key alone/);
  assert.equal((await files.check("after", "--checkpoint", "handed")).code, 1);
});

Deno.test("ROT-09 what the former key signed before still proves, when its checkpoint was known or the next one signed too", async () => {
  const both = [former!.privateKey, next!.privateKey];
  await using files = await auditFiles(keys, {
    "old.jsonl": log.text({ end: 25 }),
    "crossed.jsonl": log.text({ end: 30, notes: [log.checkpoint(30, both)] }),
    "new.jsonl": log.text(),
    "known": [20, 25, 40].map((size) => log.note(size)).join("\n"),
    "newest": log.note(40),
  });
  for (const [name, by] of [["old", 0], ["crossed", 1], ["new", 1]] as const) {
    const proof = await files.prove(`${name}.jsonl`, "--index", "7");
    assert.equal(proof.code, 0, proof.err);
    await files.write(name, proof.out);
    const { code, out, err } = await files.check(name, "--checkpoint", "known");
    assert.equal(code, 0, err);
    assert.ok(out.includes(keyName(keys[by]!)), out);
    assert.ok(out.includes(`record 7 of ${origin}`), out);
    assert.equal((await files.check(name, "--checkpoint", "newest")).code, name === "old" ? 1 : 0);
  }
  const grown = await files.prove("new.jsonl", "--since", "20");
  await files.write("grown", grown.out);
  const { code, err } = await files.check("grown", "--checkpoint", "known");
  assert.equal(code, 0, err);
});

Deno.test("ROT-10 the verifier says which key proved what", async () => {
  await using files = await auditFiles(keys, {
    "export.jsonl": log.text({ notes: [log.checkpoint(40)] }),
    "known": `${log.note(20)}\n${log.note(40)}`,
  });
  const proved = async (...args: string[]) => {
    const { code, out } = await files.verify("export.jsonl", "--checkpoint", "known", ...args);
    assert.equal(code, 0, out);
    return out;
  };
  const report = JSON.parse(await proved("--json"));
  const of = (n: number, provedTo: number, records: number) => ({
    key: keyName(keys[n]!),
    provedTo,
    records,
  });
  assert.deepEqual(report.keys, [of(0, 20, 0), of(1, 40, 10)]);
  const all = JSON.parse(await proved("--json", "--signatures"));
  assert.deepEqual(all.keys, [of(0, 20, 30), of(1, 40, 20)]);
  assert.match(await proved(), /^key {9}\S{44} {2}checkpoints to 40, signatures of 10 records$/m);
});

Deno.test("ROT-11 after a theft the next key's newest note ends what the stolen one can sign", async () => {
  // The thief's history: from record 25 on everything is another, all of it under the stolen key.
  const thiefs = handmadeLog(tenant, 45, () => stolen, (n) => n < 25 ? String(n) : "forged");
  await using files = await auditFiles(keys, {
    "export.jsonl": thiefs.text(),
    "before": log.note(25),
    "newest": log.note(50),
    "middle": log.note(40),
  });
  const before = ["--checkpoint", "before"];
  const alone = await files.verify("export.jsonl", ...before);
  assert.equal(alone.code, 0, "what nobody contradicts");
  assert.match(alone.out, /proved nothing$/m, "the next key is told to have proved nothing");
  for (const note of ["newest", "middle"]) {
    const { code, out } = await files.verify("export.jsonl", ...before, "--checkpoint", note);
    assert.equal(code, 1, out);
  }
});

Deno.test("PROOF-01 a record is proved from an export without the beginning, after retention or of a part", async () => {
  await using files = await auditFiles(keys, {
    "kept.jsonl": log.text({ first: 13, notes: [log.tombstone(13), log.checkpoint(50)] }),
    "part.jsonl": log.text({ first: 22, end: 44 }),
    "whole.jsonl": log.text(),
    "known": [13, 16, 31, 44, 50].map((size) => log.note(size)).join("\n"),
  });
  const known = ["--checkpoint", "known"];
  for (const [name, indexes] of [["kept", [13, 14, 31, 49]], ["part", [22, 43]]] as const) {
    for (const index of indexes) {
      const made = await files.prove(`${name}.jsonl`, "--index", String(index));
      assert.equal(made.code, 0, made.err);
      await files.write("proof", made.out);
      const checked = await files.check("proof", ...known);
      assert.equal(checked.code, 0, checked.err);
      assert.ok(checked.out.includes(`record ${index} of ${origin}`), checked.out);
    }
  }
  for (const since of ["13", "16", "31", "50"]) {
    const made = await files.prove("kept.jsonl", "--since", since);
    assert.equal(made.code, 0, made.err);
    assert.equal(made.out, (await files.prove("whole.jsonl", "--since", since)).out);
    await files.write("proof", made.out);
    assert.equal((await files.check("proof", ...known)).code, 0, since);
  }
  const gone = [["kept", "--index", "12"], ["kept", "--since", "7"], ["part", "--index", "44"]];
  for (const [name, ...args] of gone) {
    const { code, out, err } = await files.prove(`${name}.jsonl`, ...args);
    assert.equal(code, 1, out);
    assert.notEqual(err, "");
    assert.equal(out, "");
  }
});

Deno.test("PROOF-02 growth that did not happen, and two histories, do not prove", async () => {
  const say = (from: number) => (n: number) => n < from ? String(n) : "another";
  const signer = next!.privateKey;
  const other = handmadeLog(tenant, 50, () => signer, say(10));
  await using files = await auditFiles(keys, {
    "ours.jsonl": log.text(),
    "other.jsonl": other.text(),
    "ours": `${log.note(20)}\n${log.note(50)}`,
    "old": log.note(20, signer),
    "both": `${log.note(20, signer)}\n${other.note(20, signer)}`,
    "none": log.note(50),
  });
  const since = async (name: string) => {
    const made = await files.prove(`${name}.jsonl`, "--since", "20");
    assert.equal(made.code, 0, made.err);
    return made.out;
  };
  await files.write("proof", await since("ours"));
  await files.write("forked", await since("other"));
  const [path] = JSON.parse(await since("ours")).path;
  await files.write("bent", (await since("ours")).replace(path, leafHash("x").toBase64()));
  const faults: [string, string, RegExp][] = [
    ["forked", "old", /does not continue/],
    ["forked", "ours", /two histories/],
    ["proof", "both", /two histories/],
    ["proof", "none", /no known checkpoint has 20/],
    ["bent", "ours", /does not continue/],
  ];
  assert.equal((await files.check("proof", "--checkpoint", "ours")).code, 0);
  for (const [proof, notes, fault] of faults) {
    const { code, out, err } = await files.check(proof, "--checkpoint", notes);
    assert.equal(code, 1, `${proof} ${notes}: ${out}`);
    assert.match(err, fault);
    assert.equal(out, "");
  }
});

Deno.test("PROOF-03 a proof is of the log that is meant", async () => {
  const theirs = handmadeLog(tenant.replace(/.$/, "2"), 50, () => next!.privateKey);
  await using files = await auditFiles(keys, {
    "theirs.jsonl": theirs.text(),
    "notes": `${log.note(50)}\n${theirs.note(50)}`,
    "ours": log.note(50),
  });
  await files.write("proof", (await files.prove("theirs.jsonl", "--index", "3")).out);
  const check = async (...args: string[]) => (await files.check("proof", ...args)).code;
  assert.equal(await check(), 0, "the log is printed");
  assert.equal(await check("--tenant", theirs.tenant), 0);
  assert.equal(await check("--checkpoint", "notes", "--tenant", theirs.tenant), 0);
  assert.equal(await check("--checkpoint", "notes"), 2, "which one is not said");
  assert.equal(await check("--tenant", tenant), 1);
  assert.equal(await check("--origin", origin), 1);
  assert.equal(await check("--checkpoint", "ours"), 1);
});

Deno.test("PROOF-04 what is no whole export makes no proof", async () => {
  const lines = log.text().split("\n");
  await using files = await auditFiles(keys, {
    "cut.jsonl": lines.toSpliced(6, 1).join("\n"),
    "altered.jsonl": log.text().replace('\\"data\\":\\"5\\"', '\\"data\\":\\"6\\"'),
    "prefix.jsonl": log.text({ first: 13, prefix: [] }),
    "bare.jsonl": log.text({ notes: [] }),
    "early.jsonl": log.text({ first: 13, notes: [log.checkpoint(13)] }),
    "proof": "{}",
  });
  for (const name of ["cut", "altered", "prefix", "bare", "early"]) {
    const { code, out, err } = await files.prove(`${name}.jsonl`, "--index", "20");
    assert.deepEqual([code, out], [1, ""], `${name}: ${err}`);
  }
  assert.equal((await files.check("proof")).code, 1);
});
