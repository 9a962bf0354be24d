/**
 * A sink of kind file: JSON lines in `<directory>/sinks/<sink id>/events.jsonl`, on disk before the cursor moves.
 *
 * No part of the path is anybody's to choose. A full file becomes `events-<first seq of the next>.jsonl`; with `keep`
 * above 0 the oldest of these are removed. A line that a crash left half-written is cut off: its event comes again.
 */
import { join } from "node:path";
import { z } from "zod";
import { type Batch, checkpointText, SinkError } from "./sink.ts";

export const FileSettings = z.strictObject({
  /** A file that has reached it is full. Default 100 MiB. */
  maxBytes: z.int().min(1024).max(1_099_511_627_776).default(104_857_600),
  /** Full files that stay; 0: all. */
  keep: z.int().min(0).max(100_000).default(0),
});
export type FileSettings = z.output<typeof FileSettings>;

const current = "events.jsonl";
const full = /^events-(\d+)\.jsonl$/;

export async function writeFile(
  settings: FileSettings,
  batch: Batch,
  directory: string,
): Promise<void> {
  try {
    await write(settings, batch, await ownDirectory(directory, batch.sinkId));
  } catch (cause) {
    throw new SinkError("file_failed", `Cannot write: ${(cause as Error).name}`, { cause });
  }
}

/** Made on first use; refuses one that a link leads elsewhere. */
async function ownDirectory(directory: string, sinkId: string): Promise<string> {
  if (!/^[0-9a-f-]{36}$/.test(sinkId)) throw new TypeError("a sink's id is a UUID");
  await Deno.mkdir(join(directory, "sinks", sinkId), { recursive: true, mode: 0o750 });
  const root = await Deno.realPath(directory);
  const path = await Deno.realPath(join(directory, "sinks", sinkId));
  if (path !== join(root, "sinks", sinkId)) throw new TypeError("the directory is a link");
  return path;
}

async function write(settings: FileSettings, batch: Batch, directory: string): Promise<void> {
  // One writer at a time, also where workers share the directory; the lock goes with the process.
  using lock = await Deno.open(join(directory, ".lock"), { create: true, write: true });
  await lock.lock(true);
  let file = await openCurrent(directory);
  try {
    const lines = [
      ...batch.events.map(({ seq, text }) => ({ seq, text })),
      ...batch.checkpoints.map((one) => ({
        seq: batch.events.at(-1)?.seq,
        text: checkpointText(one),
      })),
    ];
    let size = (await file.stat()).size;
    let waiting: Uint8Array[] = [];
    const flush = async () => {
      await writeAll(file, waiting);
      await file.sync();
      waiting = [];
    };
    for (const { seq, text } of lines) {
      const line = new TextEncoder().encode(text + "\n");
      if (size > 0 && size + line.byteLength > settings.maxBytes && seq !== undefined) {
        await flush();
        file.close();
        await rotate(directory, seq, settings.keep);
        file = await openCurrent(directory);
        size = 0;
      }
      waiting.push(line);
      size += line.byteLength;
    }
    await flush();
  } finally {
    file.close();
  }
  await syncDirectory(directory);
}

async function openCurrent(directory: string): Promise<Deno.FsFile> {
  const path = join(directory, current);
  const found = await Deno.lstat(path).catch(() => null);
  if (found?.isSymlink) throw new TypeError("the file is a link");
  const file = await Deno.open(path, { create: true, read: true, write: true, mode: 0o640 });
  await file.truncate(await endOfLastLine(file));
  await file.seek(0, Deno.SeekMode.End);
  return file;
}

async function endOfLastLine(file: Deno.FsFile): Promise<number> {
  const chunk = new Uint8Array(65_536);
  let end = (await file.stat()).size;
  while (end > 0) {
    const from = Math.max(0, end - chunk.byteLength);
    await file.seek(from, Deno.SeekMode.Start);
    const wanted = chunk.subarray(0, end - from);
    for (let got = 0; got < wanted.byteLength;) {
      const read = await file.read(wanted.subarray(got));
      if (read === null) throw new Error("the file became shorter");
      got += read;
    }
    const feed = wanted.lastIndexOf(10);
    if (feed >= 0) return from + feed + 1;
    end = from;
  }
  return 0;
}

async function rotate(directory: string, nextSeq: number, keep: number): Promise<void> {
  const names: string[] = [];
  for await (const { name } of Deno.readDir(directory)) if (full.test(name)) names.push(name);
  // After a replay the same place comes again: nothing is ever written over.
  let number = nextSeq;
  while (names.includes(`events-${number}.jsonl`)) number++;
  await Deno.rename(join(directory, current), join(directory, `events-${number}.jsonl`));
  if (keep === 0) return;
  const numbers = [...names.map((name) => Number(full.exec(name)![1])), number]
    .sort((a, b) => b - a);
  for (const old of numbers.slice(keep)) await Deno.remove(join(directory, `events-${old}.jsonl`));
}

async function writeAll(file: Deno.FsFile, lines: Uint8Array[]): Promise<void> {
  const bytes = new Uint8Array(await new Blob(lines as Uint8Array<ArrayBuffer>[]).arrayBuffer());
  for (let at = 0; at < bytes.byteLength;) at += await file.write(bytes.subarray(at));
}

/** A new name is on disk only once its directory is. */
async function syncDirectory(directory: string): Promise<void> {
  using opened = await Deno.open(directory, { read: true });
  await opened.sync();
}
