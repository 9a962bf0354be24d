/**
 * What an export proves, with nothing but the public key and checkpoints that were known before.
 *
 * A record is good when a checkpoint signed by the key covers it: the root over all records up to there is the signed
 * one. Where no root fits, and after the newest one, each record is judged by its own signature, which names the bad ones.
 * docs/adr/0010-sealed-log.md says what can be found and named, and what cannot.
 */
import type { KeyObject } from "node:crypto";
import type { ExportHeader } from "./export_format.ts";
import { alteredPersonal, isOfTenant, readLine } from "./export_reader.ts";
import { KeyOrder, type KnownCheckpoint } from "./key_order.ts";
import {
  isOriginOf,
  keyList,
  type Keys,
  openCheckpoint,
  type OpenedCheckpoint,
  verifyLeaf,
} from "./note.ts";
import { type KeyReport, largest, openPrefix, prefixFits, Roots } from "./roots.ts";
import { Frontier, leafHash } from "./tree.ts";

export type ProblemSlug =
  | "header_malformed" // the first line is none of an export
  | "log_foreign" // not the log that was meant, or the header's origin is not the log of its tenant
  | "checkpoint_missing" // no known checkpoint of this log: nothing can be proved
  | "checkpoint_invalid" // a note is not signed by a key that counts there, or tells of another log
  | "checkpoint_not_covered" // every known checkpoint is older than the first record
  | "prefix_altered" // the hashes that stand for the records before the first are not the signed ones
  | "history_forked" // every record is signed and the whole is not: the key signed two histories
  | "key_forked" // a key names two others as the next one: it is in two hands
  | "record_missing" // records that a checkpoint or the numbering tells of are not there
  | "record_out_of_order" // a number that was there before, or a lower one
  | "record_malformed" // the line is no record
  | "record_altered" // the signature is not of these bytes in this place
  | "record_foreign" // the record is another tenant's
  | "record_unsigned" // no signature, and no checkpoint covers it
  | "personal_altered"; // a personal value is not the one that was sealed

export interface Problem {
  problem: ProblemSlug;
  /** The record; null when it concerns the whole. */
  index: number | null;
  detail: string;
}

export interface Report {
  origin: string;
  first: number;
  records: number;
  /** A signed tombstone says that retention removed the records before. */
  removedBefore: number;
  /** The names of the keys that signed it. */
  removedBy: string[];
  /** What the caller said of it. */
  saidRemovedBefore: number | null;
  /** Known checkpoints of records that are not in the export: nothing here was compared with them. */
  notCompared: { count: number; newest: number };
  /** Size of the newest checkpoint whose root fits: the records before it are proved as a whole. */
  provedTo: number;
  /** Who proved it, in the order of use. */
  keys: KeyReport[];
  problems: Problem[];
  /** The lowest index among the problems. */
  firstBad: number | null;
}

export interface Trust {
  key: Keys;
  /** The log that is meant. Default: the one that the export says it is of, if there is a known checkpoint of it. */
  origin?: string;
  /** Checkpoints known before; the more, the closer is what can be named without the records' own signatures. */
  known: KnownCheckpoint[];
  /** Index that the export is expected to begin with, when the caller asked for a part. */
  from?: number;
  /** Index that it may end before, when the caller asked for a part. */
  to?: number;
  /** Retention removed the records before this index, as the caller knows; a tombstone that says more of it is not believed. */
  removedBefore?: number;
  /** Checks the signature of every record, though a root covers it. */
  allSignatures?: boolean;
}

/** What the notes come to. */
export interface Weighed {
  /** To compare, by size. */
  checkpoints: KnownCheckpoint[];
  tombstones: OpenedCheckpoint[];
  notCompared: Report["notCompared"];
  problems: Problem[];
  keys: KeyOrder;
}

/** What is to be compared, and what is wrong before any record is looked at. */
export function weighNotes(
  header: ExportHeader,
  notes: { kind: "checkpoint" | "tombstone"; note: string }[],
  trust: Trust,
): Weighed {
  const { origin, tenant_id: tenantId, first } = header;
  const problems: Problem[] = [];
  if (trust.origin !== undefined && origin !== trust.origin) {
    problems.push(whole("log_foreign", `${origin} is not the log that is meant, ${trust.origin}`));
  }
  if (!isOriginOf(origin, tenantId)) {
    problems.push(whole("log_foreign", `${origin} is not the log of tenant ${tenantId}`));
  }
  const ofThisLog = trust.known.filter((checkpoint) => checkpoint.origin === origin);
  const opened = notes.map(({ kind, note }) => ({
    kind,
    note,
    checkpoint: openCheckpoint(note, origin, keyList(trust.key), kind),
  }));
  const keys = new KeyOrder(keyList(trust.key), [
    ...ofThisLog,
    ...opened.flatMap(({ kind, checkpoint }) => kind === "checkpoint" ? checkpoint ?? [] : []),
  ]);
  const known = ofThisLog.filter((checkpoint) => keys.counts(checkpoint));
  for (const { size } of ofThisLog.filter((checkpoint) => !keys.counts(checkpoint))) {
    problems.push(whole("checkpoint_invalid", `the known one of ${size} is by a former key`));
  }
  const end = trust.to === undefined ? Infinity : Math.max(trust.to, header.size);
  const checkpoints = known.filter(({ size }) => size <= end);
  const tombstones: OpenedCheckpoint[] = [];
  const newest = largest(known);
  if (known.length === 0) {
    problems.push(whole("checkpoint_missing", `no known checkpoint is of ${origin}`));
  }
  for (const { kind, note, checkpoint } of opened) {
    // A tombstone is signed long after its size was reached, by the key of that time.
    if (!checkpoint || (kind === "checkpoint" && !keys.counts(checkpoint))) {
      problems.push(whole("checkpoint_invalid", `${kind} ${JSON.stringify(note)}`));
    } else (kind === "checkpoint" ? checkpoints : tombstones).push(checkpoint);
  }
  const begins = Math.max(trust.from ?? 0, trust.removedBefore ?? largest(tombstones));
  // One of just the records that retention removed is compared with the hashes that stand for them.
  const compares = newest > first || newest === first && tombstones.length > 0;
  if (first > begins) problems.push(missing(begins, first));
  else if (newest > 0 && !compares && first > (trust.removedBefore ?? 0)) {
    const detail = `the newest known one is of ${newest} records, the export begins with ${first}`;
    problems.push(whole("checkpoint_not_covered", detail));
  }
  const older = known.filter(({ size }) => size < first);
  return {
    checkpoints: checkpoints.sort((a, b) => a.size - b.size),
    tombstones,
    notCompared: { count: older.length, newest: largest(older) },
    problems,
    keys,
  };
}

/** Goes through the export line by line and names every bad record. Slower than verify_file.ts, which calls it in doubt. */
export async function examine(
  header: ExportHeader,
  lines: () => AsyncIterable<string>,
  trust: Trust,
): Promise<Report> {
  const notes: { kind: "checkpoint" | "tombstone"; note: string }[] = [];
  for await (const text of lines()) {
    const line = readLine(text);
    if ("note" in line) notes.push(line);
  }
  const weighed = weighNotes(header, notes, trust);
  const { checkpoints, tombstones, problems, keys } = weighed;
  const prefix = openPrefix(header);
  if (!prefix) problems.push(whole("prefix_altered", "so many hashes are no tree of that size"));
  if (prefix && !prefixFits(prefix, tombstones)) {
    problems.push(whole("prefix_altered", "the tombstone was signed for others"));
  }

  // First the roots: up to the newest that fits nothing was touched.
  const roots = new Roots(prefix ?? new Frontier(), prefix ? checkpoints : [], keys);
  if (prefix) {
    for await (const text of lines()) {
      const line = readLine(text);
      if (line.kind === "malformed") break;
      if (line.kind !== "record") continue;
      if (line.record.index !== roots.tree.size) break;
      roots.tree.append(leafHash(line.record.bytes));
      roots.compare();
    }
  }
  const { provedTo } = roots;

  // Then each record by itself.
  let expected = header.first;
  let records = 0;
  let unsound = 0;
  const signed = new Map<KeyObject, number>();
  for await (const text of lines()) {
    const line = readLine(text);
    if ("note" in line) continue;
    if (line.kind === "malformed") {
      problems.push({ problem: "record_malformed", index: expected, detail: text.slice(0, 200) });
      unsound++;
      continue;
    }
    records++;
    const { record } = line;
    const { index } = record;
    if (index < expected) {
      problems.push({
        problem: "record_out_of_order",
        index: expected,
        detail: `record ${index} comes where ${expected} belongs`,
      });
      unsound++;
      continue;
    }
    if (index > expected) {
      problems.push(missing(expected, index));
      unsound++;
    }
    expected = index + 1;
    if (index >= provedTo || trust.allSignatures) {
      const signature = record.signature === null ? null : signatureOf(record.signature);
      const leaf = leafHash(record.bytes);
      const signer = signature === null
        ? undefined
        : keys.at(index).find((key) => verifyLeaf(header.origin, index, leaf, signature, key));
      if (signer) signed.set(signer, (signed.get(signer) ?? 0) + 1);
      else {
        unsound++;
        problems.push(
          record.signature === null
            ? { problem: "record_unsigned", index, detail: "no signature, no checkpoint covers it" }
            : {
              problem: "record_altered",
              index,
              detail: "the signature is not of these bytes in this place",
            },
        );
        continue; // its commitments mean nothing
      }
    }
    if (!isOfTenant(record.bytes, header.tenant_id)) {
      problems.push({ problem: "record_foreign", index, detail: "it is another tenant's" });
    }
    for (const slot of alteredPersonal(record)) {
      problems.push({ problem: "personal_altered", index, detail: `slot ${slot}` });
    }
  }
  const promised = Math.max(header.size, trust.to ?? 0, largest(checkpoints));
  if (promised > expected) problems.push(missing(expected, promised));
  else if (unsound === 0 && roots.failed.length > 0) {
    const sizes = roots.failed.map(({ size }) => size).join(", ");
    problems.push(
      header.first > 0
        ? whole("prefix_altered", `the roots at ${sizes} do not fit`)
        : whole("history_forked", `the roots at ${sizes} do not fit`),
    );
  }
  const proved = { records, provedTo, keys: roots.report(trust.key, signed) };
  return report(header, trust, weighed, proved);
}

export function report(
  { origin, first }: ExportHeader,
  trust: Trust,
  { tombstones, notCompared, problems }: Weighed,
  proved: Pick<Report, "records" | "provedTo" | "keys">,
): Report {
  const indexes = problems.flatMap(({ index }) => index ?? []);
  const firstBad = indexes.length === 0 ? null : indexes.reduce((a, b) => Math.min(a, b));
  const removedBefore = largest(tombstones);
  const removedBy = tombstones.flatMap(({ size, signers }) =>
    size === removedBefore ? signers : []
  );
  return {
    origin,
    first,
    ...proved,
    removedBefore,
    removedBy: [...new Set(removedBy)],
    saidRemovedBefore: trust.removedBefore ?? null,
    notCompared,
    problems,
    firstBad,
  };
}

function signatureOf(base64: string): Uint8Array | null {
  try {
    return Uint8Array.fromBase64(base64);
  } catch {
    return null;
  }
}

function missing(from: number, to: number): Problem {
  const detail = to - from === 1 ? `record ${from}` : `records ${from} to ${to - 1}`;
  return { problem: "record_missing", index: from, detail };
}

function whole(problem: ProblemSlug, detail: string): Problem {
  return { problem, index: null, detail };
}
