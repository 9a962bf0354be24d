/**
 * Checkpoints outside the database: a file that only grows, one signed note after the other. Give it a disk that the
 * database's machine cannot write, or copy it away: the log is as sure as the newest checkpoint somebody else holds.
 *
 * It grows by up to 22 MB a day and tenant, so it is read in pieces, each piece once, and only what may be the newest of a
 * log is kept and has its signature checked.
 */
import { Buffer } from "node:buffer";
import type { KeyObject } from "node:crypto";
import { splitSuccessions } from "./keys.ts";
import {
  claimedOrigin,
  keyList,
  keyName,
  type Keys,
  openCheckpoint,
  type OpenedCheckpoint,
} from "./note.ts";

type Purpose = "checkpoint" | "tombstone";

export interface CheckpointFile {
  /**
   * The newest checkpoint of each origin that one of the keys signed; one by a later key is newer, for an earlier one may
   * be in other hands by now. What is torn or foreign is passed over. `purpose` as in note.ts.
   */
  newest(keys: Keys, purpose?: Purpose): Promise<Map<string, OpenedCheckpoint>>;
  /** The notes in which a key names the next one. */
  successions(): Promise<string[]>;
  /** Returns when the note is on the disk. */
  append(note: string): Promise<void>;
  /** What it has cost so far. */
  readonly work: Readonly<{ bytesRead: number; notesOpened: number; notesKept: number }>;
}

const pieceSize = 262_144;
/** Longer than any note; what is longer and has none in it is no file of ours, and is not kept. */
const longestNote = 16_384;
/** Of one log and the same signers, the largest: should as many have a broken signature the file is read anew. */
const keptOfEach = 8;

/** One that may be the newest of its log. */
interface Candidate {
  note: string;
  size: number;
}

export function checkpointFile(path: string): CheckpointFile {
  const work = { bytesRead: 0, notesOpened: 0, notesKept: 0 };
  /** By what the note says its origin and its signers are. */
  let candidates = new Map<string, Candidate[]>();
  let successions = new Set<string>();
  /** Up to here nothing is looked at again. */
  let offset = 0;
  let inode: number | null = null;

  /** Reads what came since. */
  async function readOn(): Promise<void> {
    using file = await openOrNull(path);
    const { size = 0, ino = null } = await file?.stat() ?? {};
    if (ino !== inode || size < offset) { // another file was put there
      candidates = new Map();
      successions = new Set();
      offset = 0;
      inode = ino;
    }
    if (!file || size === offset) return;
    for await (const { notes, end } of notesOf(file, offset, work)) {
      // From the end: most of a piece is then smaller than what is kept already.
      for (const note of notes.reverse()) {
        if (!keep(candidates, note)) {
          splitSuccessions(copyOf(note)).forEach((n) => successions.add(n));
        }
      }
      offset = end;
    }
    work.notesKept = [...candidates.values()].reduce((sum, { length }) => sum + length, 0);
  }

  /** The largest of those whose signature holds. */
  async function openLargest(
    of: string,
    kept: Candidate[],
    keys: Keys,
    purpose: Purpose,
  ): Promise<OpenedCheckpoint | null> {
    const open = ({ note }: Candidate) => {
      work.notesOpened++;
      return openNote(note, keys, purpose);
    };
    for (const candidate of kept) {
      const opened = open(candidate);
      if (opened) return opened;
    }
    if (kept.length < keptOfEach) return null;
    let largest: OpenedCheckpoint | null = null;
    using file = await openOrNull(path);
    if (!file) return null;
    for await (const { notes } of notesOf(file, 0, work)) {
      for (const note of notes) {
        const size = sizeOf(note);
        if (size === null || size < (largest?.size ?? 0) || groupOf(note) !== of) continue;
        largest = open({ note: copyOf(note), size }) ?? largest;
      }
    }
    return largest;
  }

  return {
    work,
    async newest(keys, purpose = "checkpoint") {
      await readOn();
      const newest = new Map<string, OpenedCheckpoint>();
      for (const [of, kept] of candidates) {
        if (purposeOf(kept[0]!.note) !== purpose) continue;
        const checkpoint = await openLargest(of, kept, keys, purpose);
        if (checkpoint && !isOlder(checkpoint, newest.get(checkpoint.origin), keyList(keys))) {
          newest.set(checkpoint.origin, checkpoint);
        }
      }
      return newest;
    },
    async successions() {
      await readOn();
      return [...successions];
    },
    async append(note) {
      using file = await Deno.open(path, { append: true, create: true, mode: 0o644 });
      // The line feed ends what a crash may have left half written.
      const bytes = new TextEncoder().encode(`\n${note}`);
      for (let done = 0; done < bytes.length;) done += await file.write(bytes.subarray(done));
      await file.syncData();
    },
  };
}

/** By the latest key that signed, then by size. */
function isOlder(
  one: OpenedCheckpoint,
  other: OpenedCheckpoint | undefined,
  keys: readonly KeyObject[],
): boolean {
  if (!other) return false;
  const rank = ({ signers }: OpenedCheckpoint) =>
    keys.findLastIndex((key) => signers.includes(keyName(key)));
  return (rank(one) - rank(other) || one.size - other.size) < 0;
}

/** False when it is no checkpoint and no tombstone. */
function keep(candidates: Map<string, Candidate[]>, note: string): boolean {
  const size = sizeOf(note);
  if (size === null) return false;
  const of = groupOf(note);
  const kept = candidates.get(of);
  if (!kept) {
    candidates.set(of, [{ note: copyOf(note), size }]);
    return true;
  }
  if (kept.length === keptOfEach && kept.at(-1)!.size > size) return true;
  const candidate = { note: copyOf(note), size };
  const at = kept.findIndex((one) => one.size <= size);
  if (kept.some((one) => one.note === candidate.note)) return true; // the file's end comes twice
  kept.splice(at < 0 ? kept.length : at, 0, candidate);
  if (kept.length > keptOfEach) kept.pop();
  return true;
}

/** As text, and apart from the piece it was found in, which a part of it would keep in memory. */
const copyOf = (note: string): string => Buffer.from(note, "latin1").toString("utf8");

const tombstone = /\/tombstone$/;
const purposeOf = (note: string): Purpose =>
  tombstone.test(claimedOrigin(note)) ? "tombstone" : "checkpoint";

function openNote(note: string, keys: Keys, purpose: Purpose): OpenedCheckpoint | null {
  const name = claimedOrigin(note);
  const origin = purpose === "tombstone" ? name.replace(tombstone, "") : name;
  return openCheckpoint(note, origin, keys, purpose);
}

/** Null for a note of another kind. */
function sizeOf(note: string): number | null {
  const start = claimedOrigin(note).length + 1;
  const size = note.slice(start, note.indexOf("\n", start));
  return /^\d{1,16}$/.test(size) ? Number(size) : null;
}

/** The origin and the ids of the keys that a note names: a signature line ends with base64 of the id and the signature. */
function groupOf(note: string): string {
  const lines = note.slice(note.lastIndexOf("\n\n") + 2).split("\n").slice(0, -1);
  const ids = lines.map((line) => line.slice(line.lastIndexOf(" ") + 1).slice(0, 5));
  return [claimedOrigin(note), ...ids].join("\n");
}

/** The notes in a text that holds one or many. Says nothing of their signatures. */
export function splitNotes(text: string): string[] {
  return [...text.matchAll(/[^\n]+\n\d+\n[^\n]+\n\n(?:— [^\n]+\n)+/g)].map(([note]) => note);
}

/**
 * As in splitNotes, and the notes in which a key names the next one; in a text where a character is a byte. From the
 * beginning of a line, for which `^` would take a carriage return, too.
 */
const anyNote =
  /(?<![^\n])(?:[^\n]+\n\d+\n[^\n]+|gatehouse-audit-key\/1\n[^\n]+\n[^\n]+\n[^\n]+)\n\n(?:\xe2\x80\x94 [^\n]+\n)+/g;

/**
 * The notes from an offset on, piece by piece, a character for a byte (copyOf makes a text of it). `end` is where to go on
 * another time: the last note may be a part of what is being written, so it comes again.
 */
async function* notesOf(
  file: Deno.FsFile,
  from: number,
  work: { bytesRead: number },
): AsyncGenerator<{ notes: string[]; end: number }> {
  await file.seek(from, Deno.SeekMode.Start);
  const piece = new Uint8Array(pieceSize);
  let text = "";
  let end = from;
  for (;;) {
    const read = await file.read(piece) ?? 0;
    work.bytesRead += read;
    text += Buffer.from(piece.buffer, 0, read).toString("latin1");
    const notes: string[] = [];
    let done = 0;
    for (const { 0: note, index } of text.matchAll(anyNote)) {
      const after = text[index + note.length];
      const isWhole = after !== undefined && after !== "\xe2"; // a dash: another signature follows
      if (isWhole) done = index + note.length;
      if (isWhole || read === 0) notes.push(note);
    }
    done = Math.max(done, text.length - longestNote);
    text = text.slice(done);
    end += done;
    yield { notes, end };
    if (read === 0) return;
  }
}

async function openOrNull(path: string): Promise<Deno.FsFile | null> {
  try {
    return await Deno.open(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}
