// The command that verifies an export: which log is meant, what it prints, exit codes. Whole logs from a database: test/integration/audit_seal.test.ts.
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { keyName } from "../../../functions/_shared/audit/note.ts";
import { auditFiles } from "../../support/audit_commands.ts";
import { type HandmadeLog, handmadeLog } from "../../support/audit_handmade.ts";

const { privateKey, publicKey } = generateKeyPairSync("ed25519");
const [ours, theirs] = ["11", "12"].map((end) =>
  handmadeLog(`01990000-0000-7000-8000-0000000000${end}`, 40, () => privateKey)
) as [HandmadeLog, HandmadeLog];

Deno.test("VERIFY-01 where the checkpoints are of several logs, nobody guesses which one is meant", async () => {
  await using files = await auditFiles([publicKey], {
    "ours.jsonl": ours.text(),
    "notes": `${ours.note(40)}\n${theirs.note(40)}`,
    "one": ours.note(40),
  });
  const given = ["--checkpoint", "notes"];
  const unsaid = await files.verify("ours.jsonl", ...given);
  assert.equal(unsaid.code, 2, unsaid.out);
  assert.match(unsaid.err, /--tenant or --origin says which/);
  for (const meant of [["--tenant", ours.tenant], ["--origin", ours.origin]]) {
    const said = await files.verify("ours.jsonl", ...given, ...meant);
    assert.equal(said.code, 0, said.out + said.err);
  }
  assert.equal((await files.verify("ours.jsonl", "--checkpoint", "one")).code, 0);
  const wrong = ["nobody", "01990000-0000-7000-8000-000000000099", ours.tenant.slice(1)];
  for (const tenant of wrong) {
    assert.equal((await files.verify("ours.jsonl", ...given, "--tenant", tenant)).code, 2, tenant);
  }
  const both = ["--tenant", ours.tenant, "--origin", theirs.origin];
  assert.equal((await files.verify("ours.jsonl", ...given, ...both)).code, 2);
});

Deno.test("VERIFY-02 another tenant's log does not verify as this one's, under its own id or under this tenant's", async () => {
  await using files = await auditFiles([publicKey], {
    "theirs.jsonl": theirs.text(),
    "renamed.jsonl": theirs.text({ tenant: ours.tenant }),
    "notes": `${ours.note(40)}\n${theirs.note(40)}`,
    "ours": ours.note(40),
  });
  for (
    const meant of [["--checkpoint", "notes", "--tenant", ours.tenant], ["--checkpoint", "ours"]]
  ) {
    for (const file of ["theirs.jsonl", "renamed.jsonl"]) {
      const { code, out } = await files.verify(file, ...meant);
      assert.equal(code, 1, out);
      assert.match(out, /^log_foreign /m);
    }
  }
  const known = ["--checkpoint", "notes", "--tenant", theirs.tenant];
  assert.equal((await files.verify("theirs.jsonl", ...known)).code, 0);
  const renamed = await files.verify("renamed.jsonl", ...known);
  assert.equal(renamed.code, 1);
  assert.match(renamed.out, /^record_foreign {2}0 /m);
});

Deno.test("VERIFY-03 a log that was cut where a tombstone was signed does not verify as a log of that name", async () => {
  const { tombstone } = ours.tombstone(20) as { tombstone: string };
  const origin = `${ours.origin}/tombstone`;
  await using files = await auditFiles([publicKey], {
    "cut.jsonl": ours.text({ end: 20, origin, notes: [{ checkpoint: tombstone }] }),
    "notes": `${ours.note(40)}\n${tombstone}`,
    "stone": tombstone,
  });
  const cut = await files.verify("cut.jsonl", "--checkpoint", "notes");
  assert.equal(cut.code, 1, cut.out + cut.err);
  assert.match(cut.out, /proved to {3}0,/);
  const meant = ["--origin", origin];
  assert.equal((await files.verify("cut.jsonl", "--checkpoint", "notes", ...meant)).code, 2);
  assert.equal((await files.verify("cut.jsonl", "--checkpoint", "stone")).code, 2);
});

Deno.test("VERIFY-04 where every checkpoint is of what retention removed, the verifier says so, or is told", async () => {
  await using files = await auditFiles([publicKey], {
    "export.jsonl": ours.text({ first: 13, notes: [ours.tombstone(13), ours.checkpoint(40)] }),
    "old": ours.note(7),
    "both": `${ours.note(7)}\n${ours.note(40)}`,
  });
  const verify = async (notes: string, ...args: string[]) => {
    const ran = await files.verify("export.jsonl", "--checkpoint", notes, ...args);
    return { ...ran, json: () => JSON.parse(ran.out) };
  };
  const silent = await verify("old");
  assert.equal(silent.code, 1, silent.out);
  assert.match(silent.out, /^checkpoint_not_covered {2}- /m);
  assert.match(silent.out, /^unused {6}1 known /m);
  const told = await verify("old", "--removed-before", "13");
  assert.equal(told.code, 0, told.out);
  assert.match(told.out, /^removed {5}before 13, as you say$/m);
  assert.equal(
    (await verify("old", "--removed-before", "13", "--json")).json().saidRemovedBefore,
    13,
  );
  assert.equal((await verify("old", "--removed-before", "soon")).code, 2);
  const less = await verify("both", "--removed-before", "12");
  assert.equal(less.code, 1);
  assert.match(less.out, /first bad record: 12\n/);
  const newer = await verify("both", "--json");
  assert.equal(newer.code, 0, newer.out);
  assert.deepEqual(newer.json().notCompared, { count: 1, newest: 7 });
  assert.deepEqual(newer.json().removedBy, [keyName(publicKey)]);
});
