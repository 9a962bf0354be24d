/**
 * Verifies an export of the sealed log with nothing but the public key and checkpoints that were known before.
 *
 *   deno task audit:verify EXPORT.jsonl --key FILE.pub [--key …] --checkpoint NOTES [--checkpoint …] [--tenant ID | --origin NAME] [--from INDEX] [--to INDEX] [--removed-before INDEX] [--signatures] [--json]
 *
 * --key         the public key: a JWK or a set of them (scripts/audit_key.ts wrote it) or a C2SP verifier key; several in the
 *               order of their use. Keys that the last one names as its successors, in NOTES, are trusted as it is
 * --checkpoint  a file with one or many signed notes, best the whole GATEHOUSE_AUDIT_CHECKPOINT_FILE
 * --tenant      whose log is meant; needed when the notes are of several. --origin names the log itself, as its notes' first
 *               line does: needed when the tenant has had several, under other public addresses
 * --from, --to  a part was asked for: it begins with this record at the latest, and ends before that one at the earliest
 * --removed-before  retention dropped the records before this one, as you know: neither a tombstone that says more is believed,
 *               nor is it a problem that your checkpoints are of those records only
 * --signatures  checks the signature of every record, also where a checkpoint proves it
 *
 * Needs no network and no database. Prints what is proved and what is not, one line a problem, the first bad record last.
 * Exit 0 all is as it was sealed · 1 it is not · 2 wrong use.
 */
import { parseArgs } from "node:util";
import { keyName } from "../functions/_shared/audit/note.ts";
import type { Report } from "../functions/_shared/audit/verify.ts";
import { readTrust, trustOptions } from "./audit/trust.ts";
import { verifyFile, type VerifyOptions } from "./audit/verify_file.ts";

const usage =
  "usage: audit:verify EXPORT.jsonl --key FILE.pub [--key …] --checkpoint NOTES [--checkpoint …] [--tenant ID | --origin NAME]\n" +
  "       [--from INDEX] [--to INDEX] [--removed-before INDEX] [--signatures] [--json]";
const printed = 100;

if (import.meta.main) {
  let asked: Awaited<ReturnType<typeof read>>;
  try {
    asked = await read(Deno.args);
    await Deno.stat(asked.path);
  } catch (error) {
    console.error(`${(error as Error).message}\n${usage}`);
    Deno.exit(2);
  }
  const began = performance.now();
  const report = await verifyFile(asked.path, asked.options);
  if (asked.forked) {
    const detail = `${keyName(asked.forked)} names more than one key as the next`;
    report.problems.unshift({ problem: "key_forked", index: null, detail });
  }
  const seconds = (performance.now() - began) / 1000;
  if (asked.json) console.log(JSON.stringify(report, null, 2));
  else tell(report, seconds);
  Deno.exit(report.problems.length === 0 ? 0 : 1);
}

async function read(args: string[]) {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      ...trustOptions,
      from: { type: "string" },
      to: { type: "string" },
      "removed-before": { type: "string" },
      signatures: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
    },
  });
  const [path, ...more] = positionals;
  if (!path || more.length > 0 || !values.key || !values.checkpoint) {
    throw new Error("An export, a key and a checkpoint are needed");
  }
  const [from, to] = [indexOf(values.from), indexOf(values.to)];
  const { keys: key, forked, known, meant } = await readTrust(values);
  if (known.length === 0) {
    const files = values.checkpoint.map((file) => `"${file}"`).join(", ");
    const log = values.origin ?? values.tenant ?? "any log";
    throw new Error(`There is no checkpoint of ${log} signed by this key in ${files}`);
  }
  const { origin } = meant;
  const options: VerifyOptions = {
    key,
    known,
    origin,
    from,
    to,
    removedBefore: indexOf(values["removed-before"]),
    allSignatures: values.signatures,
  };
  return { path, options, forked, json: values.json };
}

function indexOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d{1,15}$/.test(text)) throw new Error(`"${text}" is no index`);
  return Number(text);
}

function tell(report: Report, seconds: number) {
  const { origin, first, records, removedBefore, saidRemovedBefore, notCompared } = report;
  const { provedTo, keys, problems, firstBad } = report;
  console.log(`log         ${origin}`);
  console.log(`records     ${records}, from ${first}`);
  if (removedBefore > 0) {
    const by = report.removedBy.join(" and ");
    console.log(`removed     before ${removedBefore}, by retention, signed by ${by}`);
  }
  if (saidRemovedBefore !== null) {
    console.log(`removed     before ${saidRemovedBefore}, as you say`);
  }
  if (notCompared.count > 0) {
    const { count, newest } = notCompared;
    console.log(
      `unused      ${count} known checkpoints of up to ${newest} records, before the first`,
    );
  }
  console.log(`proved to   ${provedTo}, by signed checkpoints`);
  for (const { key, provedTo, records } of keys) {
    const what = [
      provedTo > 0 ? `checkpoints to ${provedTo}` : [],
      records > 0 ? `signatures of ${records} records` : [],
    ].flat();
    console.log(`key         ${key}  ${what.join(", ") || "proved nothing"}`);
  }
  console.error(`${seconds.toFixed(2)} s, ${Math.round(records / seconds)} records/s`);
  for (const { problem, index, detail } of problems.slice(0, printed)) {
    console.log(`${problem}  ${index ?? "-"}  ${detail}`);
  }
  if (problems.length > printed) console.log(`… and ${problems.length - printed} more`);
  if (firstBad !== null) console.log(`first bad record: ${firstBad}`);
  console.log(problems.length === 0 ? "all is as it was sealed" : "this is not what was sealed");
}
