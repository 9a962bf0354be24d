/**
 * Checkpoints outside the database: a file that only grows, one signed note after the other. Give it a disk that the
 * database's machine cannot write, or copy it away: the log is as sure as the newest checkpoint somebody else holds.
 */
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
}

export function checkpointFile(path: string): CheckpointFile {
  return {
    async newest(keys, purpose = "checkpoint") {
      const newest = new Map<string, OpenedCheckpoint>();
      for (const note of splitNotes(await readOrEmpty(path))) {
        const origin = claimedOrigin(note).replace(
          purpose === "tombstone" ? /\/tombstone$/ : "",
          "",
        );
        const checkpoint = openCheckpoint(note, origin, keys, purpose);
        if (checkpoint && !isOlder(checkpoint, newest.get(checkpoint.origin), keyList(keys))) {
          newest.set(checkpoint.origin, checkpoint);
        }
      }
      return newest;
    },
    async successions() {
      return splitSuccessions(await readOrEmpty(path));
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

/** The notes in a text that holds one or many. Says nothing of their signatures. */
export function splitNotes(text: string): string[] {
  return [...text.matchAll(/[^\n]+\n\d+\n[^\n]+\n\n(?:— [^\n]+\n)+/g)].map(([note]) => note);
}

async function readOrEmpty(path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}
