/**
 * Makes and checks proofs about the sealed log, offline.
 *
 *   deno task audit:prove EXPORT.jsonl --index N         that record N is in the log, by the export's newest checkpoint
 *   deno task audit:prove EXPORT.jsonl --since SIZE      that the log only grew since the checkpoint of that size
 *   deno task audit:prove PROOF.json --check --key FILE.pub [--key …] [--checkpoint NOTES] [--tenant ID | --origin NAME]
 *
 * The proof is printed as JSON. A consistency proof is checked against the older checkpoint, which --checkpoint holds.
 * --tenant or --origin says which log is meant, as audit:verify has it; which one was proved is printed.
 * Exit 0 made, or it holds · 1 it does not hold, or cannot be made · 2 wrong use.
 */
import { parseArgs } from "node:util";
import { checkProof, proveConsistency, proveInclusion } from "./audit/proof.ts";
import { type Brought, readTrust, trustOptions } from "./audit/trust.ts";

const usage = "usage: audit:prove EXPORT.jsonl --index N | --since SIZE\n" +
  "       audit:prove PROOF.json --check --key FILE.pub [--key …] [--checkpoint NOTES] [--tenant ID | --origin NAME]";

if (import.meta.main) {
  let work: () => Promise<string | null>;
  try {
    work = await understand(Deno.args);
  } catch (error) {
    console.error(`${(error as Error).message}\n${usage}`);
    Deno.exit(2);
  }
  const fault = await work().catch((error: Error) => error.message);
  if (fault !== null) console.error(fault);
  Deno.exit(fault === null ? 0 : 1);
}

/** Returns what does the work; that gives what is wrong, or null. */
async function understand(args: string[]): Promise<() => Promise<string | null>> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      index: { type: "string" },
      since: { type: "string" },
      check: { type: "boolean", default: false },
      ...trustOptions,
    },
  });
  const [path, ...more] = positionals;
  if (!path || more.length > 0) throw new Error("One file is needed");
  if (values.check) {
    if (!values.key) throw new Error("A proof is checked with a key");
    const brought = await readTrust(values);
    return () => check(path, brought);
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

async function check(
  path: string,
  { keys, forked, known, meant }: Brought,
): Promise<string | null> {
  if (forked) return "the key names more than one as the next: it is in two hands";
  const proof = JSON.parse(await Deno.readTextFile(path));
  const checked = checkProof(proof, keys, known, meant);
  if (checked.fault === null) console.log(`the proof holds: ${checked.told}`);
  return checked.fault;
}
