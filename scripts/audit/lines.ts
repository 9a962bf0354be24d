// The lines of a file: one after the other, or those that begin in a stretch of it.

const readSize = 1 << 16;

/** The text of the lines whose first byte is in [from, to). */
export function readStretch(path: string, from: number, to: number): string {
  using file = Deno.openSync(path);
  // One byte before tells whether a line begins at `from`.
  const begin = Math.max(0, from - 1);
  file.seekSync(begin, Deno.SeekMode.Start);
  let bytes = new Uint8Array(to - begin);
  bytes = bytes.subarray(0, readFully(file, bytes));
  let start = 0;
  if (from > 0) {
    start = bytes.indexOf(lineFeed) + 1;
    if (start === 0) return ""; // one line goes through the whole stretch
  }
  // The last line may end after the stretch.
  const parts = [bytes.subarray(start)];
  if (bytes.length > start && bytes.at(-1) !== lineFeed) {
    for (;;) {
      const more = new Uint8Array(readSize);
      const count = readFully(file, more);
      const end = more.subarray(0, count).indexOf(lineFeed);
      parts.push(more.subarray(0, end < 0 ? count : end + 1));
      if (end >= 0 || count < readSize) break;
    }
  }
  const decoder = new TextDecoder();
  return parts.map((part) => decoder.decode(part, { stream: true })).join("") + decoder.decode();
}

const lineFeed = 10;

function readFully(file: Deno.FsFile, into: Uint8Array): number {
  let done = 0;
  while (done < into.length) {
    const count = file.readSync(into.subarray(done));
    if (count === null) break;
    done += count;
  }
  return done;
}

/** The first line, without its end. */
export function firstLine(path: string): string {
  return readStretch(path, 0, 1).replace(/\n$/, "");
}

/** Every line after the first. */
export async function* linesAfterFirst(path: string): AsyncGenerator<string> {
  using file = await Deno.open(path);
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(readSize);
  let rest = "";
  let first = true;
  const whole = function* (text: string) {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    for (const line of lines) {
      if (!first) yield line;
      first = false;
    }
  };
  for (;;) {
    const count = await file.read(buffer);
    if (count === null) break;
    yield* whole(decoder.decode(buffer.subarray(0, count), { stream: true }));
  }
  if (rest !== "" && !first) yield rest;
}
