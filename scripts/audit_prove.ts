/**
 * Makes and checks proofs about the sealed log, offline.
 *
 *   deno task audit:prove EXPORT.jsonl --index N         that record N is in the log, by the export's newest checkpoint
 *   deno task audit:prove EXPORT.jsonl --since SIZE      that the log only grew since the checkpoint of that size
 *   deno task audit:prove PROOF.json --check --key FILE.pub [--key …] [--checkpoint NOTES]
 *
 * The proof is printed as JSON. A consistency proof is checked against the older checkpoint, which --checkpoint holds.
 * Exit 0 made, or it holds · 1 it does not hold, or cannot be made · 2 wrong use.
 */
import { parseArgs } from "node:util";
import { splitNotes } from "../functions/_shared/audit/checkpoint_file.ts";
import { followKeys, readPublicKeys, splitSuccessions } from "../functions/_shared/audit/keys.ts";
import { claimedOrigin, openCheckpoint } from "../functions/_shared/audit/note.ts";
import { checkProof, proveConsistency, proveInclusion } from "./audit/proof.ts";

const usage =
  "usage: audit:prove EXPORT.jsonl --index N | --since SIZE\n       audit:prove PROOF.json --check --key FILE.pub [--key …] [--checkpoint NOTES]";

if (import.meta.main) {
  let work: () => Promise<string | null>;
  try {
    work = understand(Deno.args);
  } catch (error) {
    console.error(`${(error as Error).message}\n${usage}`);
    Deno.exit(2);
  }
  const fault = await work().catch((error: Error) => error.message);
  if (fault !== null) console.error(fault);
  Deno.exit(fault === null ? 0 : 1);
}

/** Returns what does the work; that gives what is wrong, or null. */
function understand(args: string[]): () => Promise<string | null> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      index: { type: "string" },
      since: { type: "string" },
      check: { type: "boolean", default: false },
      key: { type: "string", multiple: true },
      checkpoint: { type: "string" },
    },
  });
  const [path, ...more] = positionals;
  if (!path || more.length > 0) throw new Error("One file is needed");
  if (values.check) {
    const { key, checkpoint } = values;
    if (!key) throw new Error("A proof is checked with a key");
    return () => check(path, key, checkpoint);
  }
  if ((values.index === undefined) === (values.since === undefined)) {
    throw new Error("Either --index or --since");
  }
  const number = Number(values.index ?? values.since);
  if (!Number.isSafeInteger(number) || number < 0) throw new Error(`"${number}" is no number`);
  return async () => {
    const proof = values.index === undefined
      ? await proveConsistency(path, number)
      : await proveInclusion(path, number);
    console.log(JSON.stringify(proof, null, 2));
    return null;
  };
}

async function check(path: string, keyFiles: string[], notesFile?: string): Promise<string | null> {
  const given = await Promise.all(keyFiles.map((file) => Deno.readTextFile(file)));
  const notes = notesFile === undefined ? "" : await Deno.readTextFile(notesFile);
  const { keys, forked } = followKeys(given.flatMap(readPublicKeys), splitSuccessions(notes));
  if (forked) return "the key names more than one as the next: it is in two hands";
  const known = splitNotes(notes).flatMap((note) =>
    openCheckpoint(note, claimedOrigin(note), keys) ?? []
  );
  const fault = checkProof(JSON.parse(await Deno.readTextFile(path)), keys, known);
  if (fault === null) console.log("the proof holds");
  return fault;
}
