// The key file through its life, and whom a former key makes one trust.
import assert from "node:assert/strict";
import { generateKeyPairSync, type KeyObject } from "node:crypto";
import {
  followKeys,
  readAuditKeys,
  readKeyFile,
  readPublicKeys,
  signSuccession,
  splitSuccessions,
} from "../../../functions/_shared/audit/keys.ts";
import { keyName, openCheckpoint, signCheckpoint } from "../../../functions/_shared/audit/note.ts";
import { leafHash } from "../../../functions/_shared/audit/tree.ts";
import { withNextKey, withoutPast } from "../../../scripts/audit_key.ts";

const day = 86_400_000;
const start = new Date("2026-01-01T00:00:00Z");
const later = (days: number) => new Date(start.getTime() + days * day);
const first = () =>
  readKeyFile(JSON.stringify(
    generateKeyPairSync("ed25519").privateKey.export({ format: "jwk" }),
  ));
const names = (keys: readonly KeyObject[]) => keys.map(keyName);

Deno.test("a rotated file signs with the new key, and checkpoints with the old one until its time", () => {
  const before = first();
  const after = withNextKey(before, 30 * day, start);
  const keys = readAuditKeys(JSON.stringify(after));
  assert.deepEqual(names(keys.all).slice(0, 1), names(readPublicKeys(JSON.stringify(before))));
  assert.equal(keys.all.length, 2);
  assert.equal(keys.cosigners.length, 1);
  assert.deepEqual(keys.cosigners[0]!.until, later(30));
  assert.equal(readAuditKeys(JSON.stringify(before)).cosigners.length, 0);
});

Deno.test("retiring takes out the private half that is over, never the last key's", () => {
  const rotated = withNextKey(withNextKey(first(), day, start), 30 * day, later(0.5));
  const halves = (file: typeof rotated) => file.keys.map(({ d }) => d !== undefined);
  assert.deepEqual(halves(rotated), [true, true, true]);
  assert.deepEqual(halves(withoutPast(rotated, later(2))), [false, true, true]);
  assert.deepEqual(halves(withoutPast(rotated, later(99))), [false, false, true]);
  const { all } = readAuditKeys(JSON.stringify(withoutPast(rotated, later(99))));
  assert.deepEqual(names(all), names(readAuditKeys(JSON.stringify(rotated)).all));
});

Deno.test("a stolen key signs nothing more and names nobody", () => {
  const after = withNextKey(first(), 0, start);
  assert.deepEqual(after.keys.map(({ d }) => d !== undefined), [false, true]);
  assert.deepEqual(after.successions, []);
});

Deno.test("who holds the first key alone is led to the last, through a text that holds other notes too", () => {
  const file = withNextKey(withNextKey(first(), day, start), day, later(1));
  const { all, current } = readAuditKeys(JSON.stringify(file));
  const origin = "id.example/audit/a";
  const note = signCheckpoint({ origin, size: 3, root: leafHash("a") }, current);
  const text = `\n${file.successions[1]}\n${note}\n${file.successions[0]}torn\n— x`;
  const notes = splitSuccessions(text);
  assert.equal(notes.length, 2);
  const { keys, forked } = followKeys(all.slice(0, 1), notes);
  assert.deepEqual([names(keys), forked], [names(all), null]);
  assert.ok(openCheckpoint(note, origin, keys));
  assert.equal(openCheckpoint(note, origin, all.slice(0, 1)), null);
});

Deno.test("a forged succession leads nowhere", () => {
  const [ours, next, thiefs] = [0, 1, 2].map(() => generateKeyPairSync("ed25519"));
  const good = signSuccession(ours!.privateKey, next!.privateKey, start);
  const lines = good.split("\n");
  const forged = [
    // by the thief alone, in our name
    signSuccession(thiefs!.privateKey, thiefs!.privateKey, start)
      .replace(keyName(thiefs!.publicKey), keyName(ours!.publicKey)),
    // another successor, another time
    good.replace(keyName(next!.publicKey), keyName(thiefs!.publicKey)),
    good.replace("2026-01-01", "2026-01-02"),
    // one signature of the two
    [...lines.slice(0, 6), ""].join("\n"),
    [...lines.slice(0, 5), lines[6], ""].join("\n"),
    // no key
    good.replace(keyName(next!.publicKey), "x".repeat(44)),
    "",
  ];
  for (const note of forged) {
    assert.equal(followKeys([ours!.publicKey], [note]).keys.length, 1, note);
  }
  assert.equal(followKeys([ours!.publicKey], [...forged, good]).keys.length, 2);
  assert.equal(followKeys([thiefs!.publicKey], [good]).keys.length, 1, "it is ours, not theirs");
});

Deno.test("a key that names two is in two hands: neither is followed", () => {
  const [ours, one, other] = [0, 1, 2].map(() => generateKeyPairSync("ed25519"));
  const notes = [one, other].map((to) => signSuccession(ours!.privateKey, to!.privateKey, start));
  const { keys, forked } = followKeys([ours!.publicKey], notes);
  assert.equal(keys.length, 1);
  assert.equal(keyName(forked!), keyName(ours!.publicKey));
  assert.equal(
    followKeys([ours!.publicKey], [notes[0]!, notes[0]!]).forked,
    null,
    "one, told twice",
  );
});

Deno.test("keys that name each other in a ring end", () => {
  const [one, other] = [0, 1].map(() => generateKeyPairSync("ed25519"));
  const ring = [
    signSuccession(one!.privateKey, other!.privateKey, start),
    signSuccession(other!.privateKey, one!.privateKey, start),
  ];
  assert.equal(followKeys([one!.publicKey], ring).keys.length, 2);
});

Deno.test("a file that ends with a public key signs nothing", () => {
  const file = withNextKey(first(), 0, start);
  const turned = { ...file, keys: file.keys.toReversed() };
  assert.throws(() => readAuditKeys(JSON.stringify(turned)), TypeError);
  assert.throws(() => readAuditKeys(JSON.stringify({ keys: [] })), TypeError);
});
