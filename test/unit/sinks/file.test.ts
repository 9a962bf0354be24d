// A sink that is a file: lines, rotation, what a crash leaves behind, and never outside its directory.
import assert from "node:assert/strict";
import { join } from "node:path";
import { FileSettings, writeFile } from "../../../functions/_shared/sinks/file.ts";
import type { Batch } from "../../../functions/_shared/sinks/sink.ts";

const tenantId = "01990000-0000-7000-8000-00000000000a";
const sinkId = "01990000-0000-7000-8000-0000000000b1";

function batch(from: number, to: number, padding = 0): Batch {
  const events = Array.from({ length: to - from + 1 }, (_, index) => {
    const seq = from + index;
    return {
      seq,
      id: crypto.randomUUID(),
      tenantId,
      type: "app.updated",
      occurredAt: "2026-11-22T10:00:00Z",
      actor: { kind: "system" },
      targets: [],
      text: JSON.stringify({ seq, padding: "x".repeat(padding) }),
    };
  });
  return { sinkId, tenantId, events, checkpoints: [] };
}

async function inDirectory(run: (directory: string, own: string) => Promise<void>) {
  const directory = await Deno.makeTempDir({ prefix: "gatehouse-sink-" });
  try {
    await run(directory, join(directory, "sinks", sinkId));
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

const seqs = (text: string) =>
  text.split("\n").filter(Boolean).map((line) => JSON.parse(line).seq as number);
const files = (own: string) => [...Deno.readDirSync(own)].map(({ name }) => name).sort();
const range = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, n) => n + from);

Deno.test("each event is a line, each checkpoint too", async () => {
  await inDirectory(async (directory, own) => {
    const settings = FileSettings.parse({});
    const checkpoint = { tenantId, size: 3, note: "note\n", createdAt: "2026-11-22T10:00:00Z" };
    await writeFile(settings, batch(1, 2), directory);
    await writeFile(settings, { ...batch(3, 3), checkpoints: [checkpoint] }, directory);
    const lines = (await Deno.readTextFile(join(own, "events.jsonl"))).trimEnd().split("\n");
    assert.deepEqual(lines.slice(0, 3).map((line) => JSON.parse(line).seq), [1, 2, 3]);
    assert.equal(JSON.parse(lines[3]!).checkpoint, "note\n");
    assert.equal((await Deno.stat(join(own, "events.jsonl"))).mode! & 0o7, 0, "not for others");
  });
});

Deno.test("a full file makes room for the next, inside a batch too; nothing is lost or written over", async () => {
  await inDirectory(async (directory, own) => {
    const settings = FileSettings.parse({ maxBytes: 1024 });
    await writeFile(settings, batch(1, 10, 200), directory);
    await writeFile(settings, batch(11, 20, 200), directory);
    await writeFile(settings, batch(1, 20, 200), directory); // a replay
    const full = files(own).filter((name) => name.startsWith("events-"));
    assert.ok(full.length >= 9, full.join(" "));
    let all: number[] = [];
    for (const name of [...full, "events.jsonl"]) {
      assert.ok((await Deno.stat(join(own, name))).size <= 1024, name);
      all = [...all, ...seqs(await Deno.readTextFile(join(own, name)))];
    }
    assert.deepEqual(
      all.sort((a, b) => a - b),
      [...range(1, 20), ...range(1, 20)].sort((a, b) => a - b),
    );
  });
});

Deno.test("with keep, only so many full files stay, the newest", async () => {
  await inDirectory(async (directory, own) => {
    await writeFile(FileSettings.parse({ maxBytes: 1024, keep: 2 }), batch(1, 40, 200), directory);
    const full = files(own).filter((name) => name.startsWith("events-"));
    assert.equal(full.length, 2);
    const kept = await Promise.all(full.map((name) => Deno.readTextFile(join(own, name))));
    assert.ok(Math.min(...seqs(kept.join(""))) > 28);
  });
});

Deno.test("a line that a crash left half-written is cut off before the next", async () => {
  await inDirectory(async (directory, own) => {
    const settings = FileSettings.parse({});
    await writeFile(settings, batch(1, 2), directory);
    await Deno.writeTextFile(join(own, "events.jsonl"), '{"seq":3,"padd', { append: true });
    await writeFile(settings, batch(3, 4), directory);
    assert.deepEqual(seqs(await Deno.readTextFile(join(own, "events.jsonl"))), [1, 2, 3, 4]);
  });
});

Deno.test("two writers at once interleave lines, never bytes", async () => {
  await inDirectory(async (directory, own) => {
    const settings = FileSettings.parse({});
    await Promise.all(
      range(0, 9).map((n) => writeFile(settings, batch(n * 50, n * 50 + 49), directory)),
    );
    const found = seqs(await Deno.readTextFile(join(own, "events.jsonl")));
    assert.deepEqual(found.sort((a, b) => a - b), range(0, 499));
  });
});

Deno.test("no link and no id leads out of the directory", async () => {
  await inDirectory(async (directory, own) => {
    const elsewhere = await Deno.makeTempDir();
    await Deno.mkdir(join(directory, "sinks"));
    await Deno.symlink(elsewhere, own);
    const write = (more = {}) =>
      writeFile(FileSettings.parse({}), { ...batch(1, 1), ...more }, directory);
    await assert.rejects(write(), { slug: "file_failed" });
    await assert.rejects(write({ sinkId: "../../../../../tmp/outside-of-the-dir" }), {
      slug: "file_failed",
    });
    await Deno.remove(own);
    await Deno.mkdir(own);
    await Deno.symlink(join(elsewhere, "x"), join(own, "events.jsonl"));
    await assert.rejects(write(), { slug: "file_failed" });
    assert.deepEqual(files(elsewhere), []);
    await Deno.remove(elsewhere);
  });
});
