/**
 * Checkpoints outside the database: a file that only grows, one signed note after the other. Give it a disk that the
 * database's machine cannot write, or copy it away: the log is as sure as the newest checkpoint somebody else holds.
 */
import type { KeyObject } from "node:crypto";
import { type Checkpoint, claimedOrigin, openCheckpoint } from "./note.ts";

export interface CheckpointFile {
  /** The newest checkpoint of each origin that this key signed. What is torn or foreign is passed over. */
  newest(key: KeyObject): Promise<Map<string, Checkpoint>>;
  /** Returns when the note is on the disk. */
  append(note: string): Promise<void>;
}

export function checkpointFile(path: string): CheckpointFile {
  return {
    async newest(key) {
      const newest = new Map<string, Checkpoint>();
      for (const note of splitNotes(await readOrEmpty(path))) {
        const checkpoint = openCheckpoint(note, claimedOrigin(note), key);
        if (checkpoint && checkpoint.size >= (newest.get(checkpoint.origin)?.size ?? 0)) {
          newest.set(checkpoint.origin, checkpoint);
        }
      }
      return newest;
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
