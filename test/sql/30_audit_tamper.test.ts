// TAMPER: an attacker who may do everything in the database alters the log at random. With the public key and the last checkpoint known outside, each is
// found and the first bad record named, also after the job of the night; what rpc/verify_audit finds without them is counted. FULL=1: 10,000 attacks instead of 300. SEED=n repeats a run, ATTACKS=n sets their number.
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import type { Sql, TransactionSql } from "postgres";
import { verifyFile } from "../../scripts/audit/verify_file.ts";
import type { ExportRecord } from "../../functions/_shared/audit/export_format.ts";
import { checkpointFile } from "../../functions/_shared/audit/checkpoint_file.ts";
import { soleKey } from "../../functions/_shared/audit/keys.ts";
import { auditOrigin, openCheckpoint } from "../../functions/_shared/audit/note.ts";
import { sealer } from "../../functions/_shared/audit/sealer.ts";
import type { Config } from "../../functions/_shared/config.ts";
import { auditRetain } from "../../functions/_worker/tasks/audit__retain.ts";
import { arrangeCast, tenants } from "../support/actors.ts";
import { exportAll, type Exported, publicUrl } from "../support/audit_export.ts";
import { createDatabase, type TestDatabase } from "../support/database.ts";
import { undone } from "../support/log.ts";
import { type Attack, carryOut, drawAttack, seeded } from "./tamper_attacks.ts";

const { privateKey, publicKey: key } = generateKeyPairSync("ed25519");
const origin = auditOrigin(publicUrl, tenants.A);
const open = (note: string) => openCheckpoint(note, origin, key)!;

const attacks = Number(Deno.env.get("ATTACKS") ?? (Deno.env.get("FULL") ? 10_000 : 300));
const seed = Number(Deno.env.get("SEED") ?? 20_261_122);

/** About 100 records, some with personal values, signed in eight batches; `night` is the worker's job, allowed as little as can be. */
async function sealedLog(): Promise<TestDatabase & { night(tx: TransactionSql): Promise<void> }> {
  const database = await createDatabase();
  const { sql } = database;
  await arrangeCast(sql);
  const dir = await Deno.makeTempDir({ prefix: "gatehouse-tamper-" });
  await Deno.writeTextFile(`${dir}/key`, JSON.stringify(privateKey.export({ format: "jwk" })));
  const outside = checkpointFile(`${dir}/notes`);
  const signer = sealer({ sql, keys: soleKey(privateKey), publicUrl, outside });
  for (let batch = 0; batch < 8; batch++) {
    await sql`
      select private.record_event(${tenants.A}, 'app.updated', '[{"kind":"test"}]', jsonb_build_object('n', i),
          p_context => case when i % 3 = 0 then '{"address": "192.0.2.1", "user_agent": "a browser"}' else '{}' end::jsonb)
        from generate_series(1, 10) i`;
    await sql`select private.sequence_events(1000)`;
    await sql`select private.seal_events(1000)`;
    while (await signer.sign(1_000) > 0);
  }
  const retain = auditRetain(() => ({
    publicUrl,
    auditKeyFile: `${dir}/key`,
    auditCheckpointFile: `${dir}/notes`,
    auditRetentionDays: 31,
    has: () => true,
  } as unknown as Config));
  return {
    ...database,
    night: (tx) =>
      retain({}, {
        sql: tx as unknown as Sql,
        now: () => new Date(),
        holder: "test",
        stopping: new AbortController().signal,
      }),
    async [Symbol.asyncDispose]() {
      await database.drop();
      await Deno.remove(dir, { recursive: true });
    },
  };
}

const same = (a: ExportRecord | undefined, b: ExportRecord | undefined) =>
  JSON.stringify(a) === JSON.stringify(b);
const unsigned = (record: ExportRecord | undefined) => record && { ...record, signature: null };

/**
 * By what was there before: the first record that is not what it was. A signed root proves what is before it; from the
 * newest root that still fits a record needs its own signature, so one that lost it counts as bad.
 */
function firstBad(before: Exported, after: Exported): number | null {
  const length = Math.max(before.records.length, after.records.length);
  const indexes = Array.from({ length }, (_, n) => n);
  const altered = indexes.find((n) =>
    !same(unsigned(before.records[n])!, unsigned(after.records[n])!)
  );
  if (altered === undefined) return null;
  const sealed = (n: number) =>
    before.records[n]?.bytes === after.records[n]?.bytes &&
    before.records[n]?.index === after.records[n]?.index;
  const fits = indexes.find((n) => !sealed(n)) ?? length;
  const proved = Math.max(
    0,
    ...after.notes.filter((note) => before.notes.includes(note)).map((note) => open(note).size)
      .concat(before.records.length).filter((size) => size <= fits),
  );
  return Math.min(
    altered,
    indexes.find((n) => n >= proved && !same(before.records[n], after.records[n])) ?? length,
  );
}

Deno.test(`TAMPER-01 ${attacks} random attacks on everything in the database: each is found outside, the first bad record named, whatever the night's job makes of it`, async () => {
  await using database = await sealedLog();
  const { sql } = database;
  const before = await exportAll(sql, tenants.A);
  const known = [open(before.notes.at(-1)!)];
  const size = before.records.length;
  const path = await Deno.makeTempFile({ suffix: ".jsonl" });
  const random = seeded(seed);
  const count = { attacks: 0, exact: 0, sqlFound: 0, thorough: 0, thoroughSqlFound: 0 };
  const byProblem: Record<string, number> = {};
  try {
    await Deno.writeTextFile(path, before.text);
    assert.deepEqual((await verifyFile(path, { key, known })).problems, []);
    assert.deepEqual((await verifyFile(path, { key, known, allSignatures: true })).problems, []);
    for (let n = 0; n < attacks; n++) {
      const attack = drawAttack(random, size, before.notes.map((note) => open(note).size));
      const told = `seed ${seed}, attack ${n}: ${JSON.stringify(attack)}`;
      const { after, inSql } = await undone(sql, async (tx) => {
        await carryOut(tx, attack, random);
        await database.night(tx);
        const after = await exportAll(tx, tenants.A);
        const inSql = await tx`
          select problem from private.verify_records(${tenants.A}, 0, 1000000)
          union all select problem from private.verify_personal(${tenants.A}, 0, 1000000)
          union all select problem from private.verify_unnumbered(${tenants.A})
          union all select problem from private.verify_tree(${tenants.A})`;
        return { after, inSql };
      });
      const expected = firstBad(before, after);
      await Deno.writeTextFile(path, after.text);
      const report = await verifyFile(path, { key, known, threads: 0 });
      if (expected === null) {
        // Nothing of the log itself was altered: an event row or a signature beside it. What is exported is what was sealed.
        assert.equal(report.firstBad, null, told);
      } else {
        count.attacks++;
        assert.ok(report.problems.length > 0, told);
        assert.equal(report.firstBad, expected, `${told}\n${JSON.stringify(report, null, 1)}`);
        if (expected === attackedRecord(before, after)) count.exact++;
        const [first] = report.problems.filter(({ index }) => index === expected);
        byProblem[first!.problem] = (byProblem[first!.problem] ?? 0) + 1;
      }
      if (inSql.length > 0) count.sqlFound++;
      else assert.ok(fitsTogether(attack, expected), `${told}: SQL should have seen it`);
      if (attack.cover === "everything" && expected !== null) {
        count.thorough++;
        if (inSql.length > 0) count.thoroughSqlFound++;
      }
    }
  } finally {
    await Deno.remove(path);
  }
  console.error(JSON.stringify({ ...count, byProblem }));
  assert.ok(count.attacks > attacks * 0.6);
  assert.ok(count.thoroughSqlFound < count.thorough, "some of it SQL cannot see");
});

/** Where the bytes or personal values first differ, whatever became of signatures. */
function attackedRecord(before: Exported, after: Exported): number {
  const length = Math.max(before.records.length, after.records.length);
  return Array.from({ length }, (_, n) => n)
    .findIndex((n) => !same(unsigned(before.records[n])!, unsigned(after.records[n])!));
}

/** Whether SQL may find nothing: the attacker made everything fit, or did nothing. */
function fitsTogether(attack: Attack, expected: number | null): boolean {
  return attack.cover === "everything" || attack.deed === "bury" || expected === null;
}

Deno.test("TAMPER-02 with every checkpoint known outside, a bad record is named within its batch though all signatures are gone", async () => {
  await using database = await sealedLog();
  const { sql } = database;
  const before = await exportAll(sql, tenants.A);
  const known = before.notes.map(open);
  const path = await Deno.makeTempFile({ suffix: ".jsonl" });
  try {
    const attack = { deed: "edit", cover: "everything", signatures: "dropped", notes: "deleted" };
    for (const at of [0, 31, 57, before.records.length - 1]) {
      const after = await undone(sql, async (tx) => {
        await carryOut(tx, { ...attack, at, other: at } as Attack, seeded(1));
        return await exportAll(tx, tenants.A);
      });
      await Deno.writeTextFile(path, after.text);
      const report = await verifyFile(path, { key, known, threads: 0 });
      const batch = Math.max(0, ...known.map(({ size }) => size).filter((size) => size <= at));
      assert.equal(report.firstBad, batch);
      const last = await verifyFile(path, { key, known: known.slice(-1), threads: 0 });
      assert.equal(last.firstBad, 0, "with the last one alone nothing is proved before it");
    }
  } finally {
    await Deno.remove(path);
  }
});

Deno.test("TAMPER-03 signatures that were altered beside an untouched log are found when asked for", async () => {
  await using database = await sealedLog();
  const { sql } = database;
  const before = await exportAll(sql, tenants.A);
  const known = [open(before.notes.at(-1)!)];
  const path = await Deno.makeTempFile({ suffix: ".jsonl" });
  try {
    const after = await undone(sql, async (tx) => {
      await tx`update private.audit_signatures set signature = set_byte(signature, 5, 0)
        where tenant_id = ${tenants.A} and leaf_index = 17`;
      return await exportAll(tx, tenants.A);
    });
    await Deno.writeTextFile(path, after.text);
    assert.deepEqual((await verifyFile(path, { key, known })).problems, []);
    const report = await verifyFile(path, { key, known, allSignatures: true });
    assert.deepEqual(report.problems.map(({ problem, index }) => ({ problem, index })), [
      { problem: "record_altered", index: 17 },
    ]);
  } finally {
    await Deno.remove(path);
  }
});

Deno.test("TAMPER-04 personal values and salts may go, and all still verifies", async () => {
  await using database = await sealedLog();
  const { sql } = database;
  const before = await exportAll(sql, tenants.A);
  assert.ok(before.records.some(({ personal }) => personal));
  const path = await Deno.makeTempFile({ suffix: ".jsonl" });
  try {
    const after = await undone(sql, async (tx) => {
      await tx`delete from private.audit_personal where tenant_id = ${tenants.A}`;
      assert.deepEqual([
        ...await tx`select * from private.verify_personal(${tenants.A}, 0, 1000000)`,
      ], []);
      return await exportAll(tx, tenants.A);
    });
    await Deno.writeTextFile(path, after.text);
    const report = await verifyFile(path, { key, known: [open(before.notes.at(-1)!)] });
    assert.deepEqual(report.problems, []);
  } finally {
    await Deno.remove(path);
  }
});
