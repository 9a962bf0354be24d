// The file of checkpoints as it is after weeks: what it costs to open it depends on how many logs there are, not on how long it is.
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { checkpointFile } from "../../../functions/_shared/audit/checkpoint_file.ts";
import { signSuccession } from "../../../functions/_shared/audit/keys.ts";
import { type Checkpoint, signCheckpoint } from "../../../functions/_shared/audit/note.ts";
import { leafHash } from "../../../functions/_shared/audit/tree.ts";

const ours = generateKeyPairSync("ed25519");
const next = generateKeyPairSync("ed25519");
const theirs = generateKeyPairSync("ed25519");
const root = leafHash("a");
const originOf = (tenant: number) => `id.example/audit/${tenant}`;

const note = (tenant: number, size: number, keys = [ours.privateKey], purpose?: "tombstone") =>
  signCheckpoint({ origin: originOf(tenant), size, root }, keys, purpose);

const signedOnce = Array.from({ length: 7 }, (_, tenant) => note(tenant, 1).split("\n1\n"));
/** Cheap: its signature is that of another size, and so does not hold. */
const unsigned = (tenant: number, size: number) => signedOnce[tenant]!.join(`\n${size}\n`);

async function withFile(fn: (path: string) => Promise<void>): Promise<void> {
  const path = await Deno.makeTempFile({ prefix: "gatehouse-checkpoints-" });
  try {
    await fn(path);
  } finally {
    await Deno.remove(path);
  }
}

const sizes = (newest: Map<string, Checkpoint>) =>
  Object.fromEntries([...newest].map(([origin, { size }]) => [origin.split("/").at(-1), size]));

Deno.test("400,000 notes are read once and in pieces, a handful is kept of each log, and one signature a log is checked", async () => {
  await withFile(async (path) => {
    const tenants = 4;
    for (let from = 1; from < 100_000; from += 1_000) {
      const lines = Array.from(
        { length: 1_000 * tenants },
        (_, n) => unsigned(n % tenants, from + Math.floor(n / tenants)),
      );
      await Deno.writeTextFile(path, `\n${lines.join("\n")}`, { append: true });
    }
    const file = checkpointFile(path);
    const write = (text: string) => Deno.writeTextFile(path, `\n${text}`, { append: true }); // no fsync
    for (let tenant = 0; tenant < tenants; tenant++) await write(note(tenant, 200_000 + tenant));
    const { size } = await Deno.stat(path);
    assert.ok(size > 70_000_000, String(size));
    const newest = await file.newest(ours.publicKey);
    assert.deepEqual(sizes(newest), { 0: 200_000, 1: 200_001, 2: 200_002, 3: 200_003 });
    assert.deepEqual(file.work, { bytesRead: size, notesOpened: tenants, notesKept: 8 * tenants });

    await write(note(1, 200_500));
    const again = await file.newest(ours.publicKey);
    assert.equal(sizes(again)[1], 200_500);
    assert.ok(file.work.bytesRead - size < 1_000, "only what is new");
    assert.equal(file.work.notesOpened, 2 * tenants);
  });
});

Deno.test("notes whose signature does not hold hide none that does, however many they are and whatever they claim", async () => {
  await withFile(async (path) => {
    const file = checkpointFile(path);
    await file.append(note(1, 7));
    await file.append(note(1, 5));
    for (let n = 0; n < 30; n++) await file.append(unsigned(1, 1_000 + n));
    await file.append(note(1, 2_000, [theirs.privateKey]));
    await file.append(note(2, 3));
    assert.deepEqual(sizes(await file.newest(ours.publicKey)), { 1: 7, 2: 3 });
    await file.append(note(1, 9));
    assert.deepEqual(sizes(await file.newest(ours.publicKey)), { 1: 9, 2: 3 });
  });
});

Deno.test("a torn line at the end is none until the rest is written, wherever it was cut", async () => {
  const whole = new TextEncoder().encode(`\n${note(1, 8, [ours.privateKey, next.privateKey])}`);
  for (let cut = 1; cut < whole.length; cut += 3) {
    await withFile(async (path) => {
      const file = checkpointFile(path);
      await file.append(note(1, 7, [ours.privateKey, next.privateKey]));
      await Deno.writeFile(path, whole.subarray(0, cut), { append: true });
      const torn = sizes(await file.newest(next.publicKey))[1];
      assert.equal(torn, 7, `cut at ${cut}`);
      await Deno.writeFile(path, whole.subarray(cut), { append: true });
      assert.equal(sizes(await file.newest(next.publicKey))[1], 8, `cut at ${cut}`);
    });
    if (cut >= whole.length - 3) continue; // but for the padding and a line feed it is whole
    await withFile(async (path) => {
      const file = checkpointFile(path);
      await Deno.writeFile(path, whole.subarray(0, cut), { append: true });
      await file.newest(next.publicKey);
      await file.append(note(1, 6, [ours.privateKey, next.privateKey])); // by the next process
      assert.equal(sizes(await file.newest(next.publicKey))[1], 6, `cut at ${cut}`);
    });
  }
});

Deno.test("tombstones, and notes in which a key names the next one, are found among the others at every place of a piece", async () => {
  await withFile(async (path) => {
    const file = checkpointFile(path);
    const told = signSuccession(ours.privateKey, next.privateKey, new Date(0));
    let filling = "";
    for (let n = 0; n < 4_000; n++) {
      filling += `\n${unsigned(n % 7, 10 + n)}${n % 400 === 3 ? "torn somewhere\n" : ""}`;
    }
    await Deno.writeTextFile(path, filling);
    await file.append([note(1, 5, [ours.privateKey], "tombstone"), told].join("\n"));
    await Deno.writeTextFile(path, filling, { append: true });
    await file.append(note(1, 4, [ours.privateKey], "tombstone"));
    assert.deepEqual(sizes(await file.newest(ours.publicKey, "tombstone")), { 1: 5 });
    assert.deepEqual(await file.successions(), [told]);
    assert.deepEqual(sizes(await file.newest(ours.publicKey)), {});
  });
});

Deno.test("a file that was put in the other's place is read from its beginning", async () => {
  await withFile(async (path) => {
    const file = checkpointFile(path);
    await file.append(note(1, 7));
    assert.deepEqual(sizes(await file.newest(ours.publicKey)), { 1: 7 });
    await Deno.rename(path, `${path}.aside`);
    assert.deepEqual(sizes(await file.newest(ours.publicKey)), {});
    await file.append(note(2, 3));
    assert.deepEqual(sizes(await file.newest(ours.publicKey)), { 2: 3 });
    await Deno.remove(`${path}.aside`);
  });
});

Deno.test("bytes that are no text, and megabytes without a line, are passed over", async () => {
  await withFile(async (path) => {
    const file = checkpointFile(path);
    const noise = crypto.getRandomValues(new Uint8Array(65_536));
    for (let n = 0; n < 30; n++) {
      await Deno.writeFile(path, noise.map((b) => b === 10 ? 11 : b), { append: true });
    }
    await file.append(note(1, 7));
    assert.deepEqual(sizes(await file.newest(ours.publicKey)), { 1: 7 });
    assert.equal(file.work.notesKept, 1);
  });
});
