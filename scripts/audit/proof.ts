/**
 * Proofs that are a few hundred bytes, for who is not to have the whole export: that one record is in the log
 * (inclusion), and that the log only grew between two checkpoints (consistency). RFC 6962, section 2.1.
 */
import { z } from "zod";
import type { ExportRecord } from "../../functions/_shared/audit/export_format.ts";
import { isOfTenant, readHeader, readLine } from "../../functions/_shared/audit/export_reader.ts";
import { KeyOrder, type KnownCheckpoint } from "../../functions/_shared/audit/key_order.ts";
import {
  type Checkpoint,
  keyList,
  type Keys,
  openCheckpoint,
  tenantOf,
} from "../../functions/_shared/audit/note.ts";
import { openPrefix } from "../../functions/_shared/audit/roots.ts";
import {
  consistencyProof,
  Frontier,
  type Hash,
  inclusionProof,
  leafHash,
  sameHash,
  verifyConsistency,
  verifyInclusion,
} from "../../functions/_shared/audit/tree.ts";
import { firstLine, linesAfterFirst } from "./lines.ts";
import { isMeant, type LogMeant } from "./trust.ts";

const path = z.array(z.base64()).max(64);
const Proof = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("inclusion"),
    origin: z.string(),
    index: z.int().nonnegative(),
    /** private.audit_leaves.bytes */
    bytes: z.string(),
    path,
    /** The signed note of the tree that holds the record. */
    checkpoint: z.string(),
  }),
  z.object({
    kind: z.literal("consistency"),
    origin: z.string(),
    oldSize: z.int().positive(),
    path,
    /** The signed note of the newer tree. */
    checkpoint: z.string(),
  }),
]);
export type Proof = z.output<typeof Proof>;

/** Says what an export lacks for the proof that was asked. */
export class ProofError extends Error {
  override readonly name = "ProofError";
}

/** Proves record `index` by the newest checkpoint in the export. @throws {ProofError} */
export async function proveInclusion(file: string, index: number): Promise<Proof> {
  const { origin, before, records, leaves, size, checkpoint } = await read(
    file,
    (n) => n === index,
  );
  const record = records[0];
  if (!record || index >= size) {
    throw new ProofError(`There is no record ${index} from ${before.size} to before ${size}`);
  }
  const path = texts(inclusionProof(index, leaves, before));
  return { kind: "inclusion", origin, index, bytes: record.bytes, path, checkpoint };
}

/**
 * Proves that the newest checkpoint in the export continues the tree of `oldSize`, which is not older than the export's
 * first record, unless the hashes before it happen to suffice.
 * @throws {ProofError}
 */
export async function proveConsistency(file: string, oldSize: number): Promise<Proof> {
  const { origin, before, leaves, size, checkpoint } = await read(file, () => false);
  if (oldSize < 1 || oldSize > size) {
    throw new ProofError(`${size} records did not grow from ${oldSize}`);
  }
  let path: string[];
  try {
    path = texts(consistencyProof(oldSize, leaves, before));
  } catch (cause) {
    const detail = `The export begins with record ${before.size}: too late for ${oldSize}`;
    throw new ProofError(detail, { cause });
  }
  return { kind: "consistency", origin, oldSize, path, checkpoint };
}

/** `told`: what was proved, of which log and by whom. */
export type Checked = { fault: string } | { fault: null; told: string };

/**
 * Whether a proof holds. `known`: the checkpoints that whoever checks had before; a consistency proof needs the older
 * one among them, an inclusion proof is checked against the one of its size if it is there. Once a later key has signed, a
 * former one's checkpoint proves nothing but what was known: whoever stole that key could sign one of any size.
 */
export function checkProof(
  value: unknown,
  key: Keys,
  known: KnownCheckpoint[],
  meant: LogMeant = {},
): Checked {
  const parsed = Proof.safeParse(value);
  if (!parsed.success) return { fault: "this is no proof" };
  const proof = parsed.data;
  const { origin } = proof;
  if (!isMeant(origin, meant)) return { fault: `it is of ${origin}, which is not the log meant` };
  const newer = openCheckpoint(proof.checkpoint, origin, key);
  if (!newer) return { fault: "its checkpoint is not signed by this key" };
  const ofThisLog = known.filter((one) => one.origin === origin);
  const keys = new KeyOrder(keyList(key), [...ofThisLog, newer]);
  const ours = ofThisLog.filter((one) => keys.counts(one));
  const former = `a former key alone signed its checkpoint of ${newer.size} records`;
  const same = ours.filter(({ size }) => size === newer.size);
  const signers = keys.signersOf(newer);
  if (signers.length === 0 && same.length === 0) return { fault: former };
  if (!agree([newer, ...same])) return { fault: twoHistories(newer.size) };
  if (same.length === 0 && !signers.includes(keys.latest!)) return { fault: former };
  let path: Hash[];
  try {
    path = proof.path.map((text) => Uint8Array.fromBase64(text));
  } catch {
    return { fault: "this is no proof" };
  }
  const whose = signers.length > 0 ? `that ${signers.join(" and ")} signed` : "that was known";
  const by = `by the checkpoint of ${newer.size} ${whose}`;
  if (proof.kind === "inclusion") {
    const { index, bytes } = proof;
    const { size, root } = newer;
    if (!verifyInclusion({ index, size, leaf: leafHash(bytes), proof: path, root })) {
      return { fault: `these bytes are not record ${index}` };
    }
    if (!isOfTenant(bytes, tenantOf(origin))) {
      return { fault: `record ${index} says that it is another tenant's` };
    }
    return { fault: null, told: `record ${index} of ${origin}, ${by}` };
  }
  const older = ours.filter(({ size }) => size === proof.oldSize);
  if (!older[0]) return { fault: `no known checkpoint has ${proof.oldSize} records` };
  if (!agree(older)) return { fault: twoHistories(proof.oldSize) };
  const holds = verifyConsistency({
    oldSize: older[0].size,
    oldRoot: older[0].root,
    newSize: newer.size,
    newRoot: newer.root,
    proof: path,
  });
  return holds
    ? { fault: null, told: `${origin} only grew since it had ${proof.oldSize} records, ${by}` }
    : {
      fault: `the log of ${newer.size} records does not continue the one of ${proof.oldSize}`,
    };
}

/** Whether checkpoints of one size tell of one history. */
const agree = ([first, ...more]: Checkpoint[]): boolean =>
  more.every(({ root }) => sameHash(root, first!.root));

const twoHistories = (size: number): string =>
  `two checkpoints of ${size} records are signed: the key signed two histories`;

/** The leaves that the newest checkpoint covers, and the tree of those before the first. */
async function read(file: string, keep: (index: number) => boolean) {
  const header = readHeader(firstLine(file));
  if (!header) throw new ProofError(`"${file}" does not begin as an export`);
  const before = openPrefix(header);
  if (!before) throw new ProofError("What stands for the records before the first is no tree");
  const { origin, first } = header;
  const records: ExportRecord[] = [];
  const leaves: Hash[] = [];
  let newest = { size: 0, root: "", note: "" };
  for await (const text of linesAfterFirst(file)) {
    const line = readLine(text);
    if (line.kind === "record") {
      const { record } = line;
      if (record.index !== first + leaves.length) {
        throw new ProofError(`Record ${record.index} comes where ${first + leaves.length} belongs`);
      }
      if (keep(record.index)) records.push(record);
      leaves.push(leafHash(record.bytes));
    } else if (line.kind === "checkpoint") {
      const { note } = line;
      const [, sizeText, root = ""] = note.split("\n");
      const size = Number(sizeText);
      if (size > newest.size) newest = { size, root, note };
    }
  }
  const { size, root, note: checkpoint } = newest;
  if (size <= first || size > first + leaves.length) {
    const range = `${leaves.length} records from ${first}`;
    throw new ProofError(`The export has ${range} and no checkpoint of them`);
  }
  const covered = leaves.slice(0, size - first);
  const tree = new Frontier(first, before.subtrees);
  for (const leaf of covered) tree.append(leaf);
  if (tree.root().toBase64() !== root) {
    throw new ProofError("The export's checkpoint is not of its records: audit:verify says why");
  }
  return { origin, before, records, leaves: covered, size, checkpoint };
}

const texts = (hashes: Hash[]): string[] => hashes.map((hash) => hash.toBase64());
