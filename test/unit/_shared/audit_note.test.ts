import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { checkpointFile } from "../../../functions/_shared/audit/checkpoint_file.ts";
import { readAuditKeys, readPublicKeys } from "../../../functions/_shared/audit/keys.ts";
import {
  auditOrigin,
  keyName,
  openCheckpoint,
  signCheckpoint,
  signLeaf,
  signNote,
  verifierKey,
  verifyLeaf,
} from "../../../functions/_shared/audit/note.ts";
import { leafHash } from "../../../functions/_shared/audit/tree.ts";

const ours = generateKeyPairSync("ed25519");
const theirs = generateKeyPairSync("ed25519");
const origin = auditOrigin("https://id.example/acme", "01990000-0000-7000-8000-000000000011");
const checkpoint = { origin, size: 7, root: leafHash("a root") };
const opened = { ...checkpoint, signers: [keyName(ours.publicKey)] };

Deno.test("a checkpoint is a signed note as C2SP lays it out", () => {
  const note = signCheckpoint(checkpoint, ours.privateKey);
  const [name, size, root, empty, signature, end] = note.split("\n");
  assert.equal(name, "id.example/acme/audit/01990000-0000-7000-8000-000000000011");
  assert.equal(size, "7");
  assert.deepEqual(Uint8Array.fromBase64(root!), new Uint8Array(checkpoint.root));
  assert.equal(empty, "");
  assert.match(signature!, /^— id\.example\/acme\/audit\/[0-9a-f-]{36} [A-Za-z0-9+/]{91}=$/);
  assert.equal(end, "");
  assert.deepEqual(openCheckpoint(note, origin, ours.publicKey), opened);
});

Deno.test("a note that was altered, is another's or serves another purpose opens as nothing", () => {
  const note = signCheckpoint(checkpoint, ours.privateKey);
  const refused = [
    note.replace("\n7\n", "\n8\n"),
    note.replace("\n7\n", "\n07\n"),
    note.replace("id.example", "id.evil"),
    note.slice(0, -1),
    note.slice(0, -12),
    note.replace("\n\n", "\n"),
    `${note.split("\n").slice(0, 3).join("\n")}\n`,
    signCheckpoint(checkpoint, theirs.privateKey),
    signCheckpoint(checkpoint, ours.privateKey, "tombstone"),
    "",
  ];
  for (const text of refused) {
    assert.equal(openCheckpoint(text, origin, ours.publicKey), null, text);
  }
  assert.equal(openCheckpoint(note, `${origin}0`, ours.publicKey), null);
  const cosigned = `${note}— a.witness.example AAAAAAAA\n`;
  assert.deepEqual(openCheckpoint(cosigned, origin, ours.publicKey), opened);
});

Deno.test("a tombstone opens as no checkpoint of a log called like it, nor the reverse", () => {
  const name = `${origin}/tombstone`;
  const tombstone = signCheckpoint(checkpoint, ours.privateKey, "tombstone");
  assert.deepEqual(openCheckpoint(tombstone, origin, ours.publicKey, "tombstone"), opened);
  assert.equal(openCheckpoint(tombstone, name, ours.publicKey), null);
  assert.equal(openCheckpoint(tombstone, name, ours.publicKey, "tombstone"), null);
  const note = signCheckpoint(checkpoint, ours.privateKey);
  assert.equal(openCheckpoint(note, origin, ours.publicKey, "tombstone"), null);
  const called = { ...checkpoint, origin: name };
  for (const purpose of ["checkpoint", "tombstone"] as const) {
    assert.throws(() => signCheckpoint(called, ours.privateKey, purpose), TypeError);
    // Another tool, with the same key.
    const line = purpose === "checkpoint" ? name : `${name}/tombstone`;
    const text = `${line}\n7\n${checkpoint.root.toBase64()}\n`;
    const foreign = signNote(line, text, [ours.privateKey]);
    assert.equal(openCheckpoint(foreign, name, ours.publicKey, purpose), null);
  }
});

Deno.test("a verifier key is read and written as Go's sumdb does", () => {
  const known = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
  assert.equal(verifierKey("PeterNeumann", readPublicKeys(known)[0]!), known);
});

Deno.test("a leaf's signature holds for its log, index and hash alone", () => {
  const leaf = leafHash("a");
  const signature = signLeaf(origin, 3, leaf, ours.privateKey);
  assert.ok(verifyLeaf(origin, 3, leaf, signature, ours.publicKey));
  assert.ok(!verifyLeaf(origin, 4, leaf, signature, ours.publicKey));
  assert.ok(!verifyLeaf(`${origin}0`, 3, leaf, signature, ours.publicKey));
  assert.ok(!verifyLeaf(origin, 3, leafHash("b"), signature, ours.publicKey));
  assert.ok(!verifyLeaf(origin, 3, leaf, signature, theirs.publicKey));
  assert.ok(!verifyLeaf(origin, 3, leaf, signature.slice(1), ours.publicKey));
});

Deno.test("a text that is no key is refused as such", () => {
  for (const text of ["", "{}", "a+b+c", JSON.stringify({ kty: "RSA", n: "AQAB", e: "AQAB" })]) {
    assert.throws(() => readPublicKeys(text), TypeError, text);
    assert.throws(() => readAuditKeys(text), TypeError, text);
  }
  const publicOnly = JSON.stringify(ours.publicKey.export({ format: "jwk" }));
  assert.throws(() => readAuditKeys(publicOnly), TypeError);
});

Deno.test("the file outside gives the newest checkpoint of each log, and what is torn or foreign is passed over", async () => {
  const path = await Deno.makeTempFile();
  const file = checkpointFile(path);
  const other = { origin: `${origin}2`, size: 3, root: leafHash("b") };
  try {
    assert.equal((await checkpointFile(`${path}.none`).newest(ours.publicKey)).size, 0);
    await file.append(signCheckpoint({ ...checkpoint, size: 5 }, ours.privateKey));
    await file.append(signCheckpoint(other, ours.privateKey));
    await file.append(signCheckpoint(checkpoint, ours.privateKey));
    await file.append(signCheckpoint({ ...checkpoint, size: 6 }, ours.privateKey));
    await file.append(signCheckpoint({ ...checkpoint, size: 90 }, theirs.privateKey));
    const torn = signCheckpoint({ ...checkpoint, size: 91 }, ours.privateKey).slice(0, -20);
    await Deno.writeTextFile(path, `\n${torn}`, { append: true });
    await file.append(signCheckpoint({ ...other, size: 4 }, ours.privateKey));
    const newest = await file.newest(ours.publicKey);
    assert.equal(newest.get(origin)?.size, 7);
    assert.equal(newest.get(other.origin)?.size, 4);
    assert.equal(newest.size, 2);
  } finally {
    await Deno.remove(path);
  }
});
