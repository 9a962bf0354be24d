// What the one who verifies brings along: public keys, checkpoints that were known before, and which log is meant.
import type { KeyObject } from "node:crypto";
import { z } from "zod";
import { splitNotes } from "../../functions/_shared/audit/checkpoint_file.ts";
import {
  followKeys,
  readPublicKeys,
  splitSuccessions,
} from "../../functions/_shared/audit/keys.ts";
import {
  claimedOrigin,
  isOriginOf,
  openCheckpoint,
  type OpenedCheckpoint,
} from "../../functions/_shared/audit/note.ts";

/** For parseArgs. */
export const trustOptions = {
  key: { type: "string", multiple: true },
  checkpoint: { type: "string", multiple: true },
  tenant: { type: "string" },
  origin: { type: "string" },
} as const;

export interface TrustValues {
  /** Files of public keys, in the order of use. */
  key?: string[];
  /** Files of signed notes. */
  checkpoint?: string[];
  tenant?: string;
  origin?: string;
}

/** Which log is meant, as far as it was said. */
export type LogMeant = Pick<TrustValues, "tenant" | "origin">;

export interface Brought {
  keys: KeyObject[];
  /** A key that names two others as the next one; neither is followed. */
  forked: KeyObject | null;
  /** Of the log that is meant. */
  known: OpenedCheckpoint[];
  meant: LogMeant;
}

/** @throws {Error} a file cannot be read, is no key, or nobody said which of several logs is meant */
export async function readTrust(values: TrustValues): Promise<Brought> {
  const { tenant, origin } = values;
  if (tenant !== undefined && !z.uuid().safeParse(tenant).success) {
    throw new Error(`"${tenant}" is no tenant's id`);
  }
  const meant = { tenant: tenant?.toLowerCase(), origin };
  const given = await readAll(values.key);
  const notes = (await readAll(values.checkpoint)).join("\n");
  const successions = [notes, ...given].flatMap(splitSuccessions);
  const { keys, forked } = followKeys(given.flatMap(readPublicKeys), successions);
  const known = splitNotes(notes).flatMap((note) => {
    const claimed = claimedOrigin(note);
    return isMeant(claimed, meant) ? openCheckpoint(note, claimed, keys) ?? [] : [];
  });
  const logs = new Set(known.map(({ origin }) => origin));
  if (logs.size > 1) {
    const some = [...logs].slice(0, 10).map((log) => `\n  ${log}`).join("");
    throw new Error(`Of ${logs.size} logs --tenant or --origin says which one is meant:${some}`);
  }
  return { keys, forked, known, meant: { ...meant, origin: origin ?? [...logs][0] } };
}

/** Whether the log of this name is the one that is meant; true when nobody said which one is. */
export function isMeant(name: string, { tenant, origin }: LogMeant): boolean {
  return (origin === undefined || name === origin) &&
    (tenant === undefined || isOriginOf(name, tenant));
}

function readAll(paths: string[] = []): Promise<string[]> {
  return Promise.all(paths.map((path) => Deno.readTextFile(path)));
}
