// ROT: one audit key follows the other, and what was sealed under both verifies; who stole the former one cannot go on with it.
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { join } from "node:path";
import type { Sql } from "postgres";
import {
  type CheckpointFile,
  checkpointFile,
  splitNotes,
} from "../../functions/_shared/audit/checkpoint_file.ts";
import {
  followKeys,
  type KeyFile,
  readAuditKeys,
  readKeyFile,
  signSuccession,
} from "../../functions/_shared/audit/keys.ts";
import {
  auditOrigin,
  type Keys,
  openCheckpoint,
  signCheckpoint,
  signLeaf,
} from "../../functions/_shared/audit/note.ts";
import { sealer } from "../../functions/_shared/audit/sealer.ts";
import { Frontier, leafHash } from "../../functions/_shared/audit/tree.ts";
import { withNextKey } from "../../scripts/audit_key.ts";
import { verifyFile } from "../../scripts/audit/verify_file.ts";
import { arrangeCast, platform, tenants } from "../support/actors.ts";
import { exportAll, type Exported, exportText, publicUrl } from "../support/audit_export.ts";
import { createDatabase, type TestDatabase } from "../support/database.ts";

const origin = auditOrigin(publicUrl, tenants.A);
const start = new Date("2026-01-01T00:00:00Z");
const overlapMs = 30 * 86_400_000;
const during = new Date(start.getTime() + 1000);
const after = new Date(start.getTime() + overlapMs + 1000);

const newFile = (): KeyFile =>
  readKeyFile(JSON.stringify(generateKeyPairSync("ed25519").privateKey.export({ format: "jwk" })));
const open = (file: KeyFile) => readAuditKeys(JSON.stringify(file));

interface Log extends AsyncDisposable {
  sql: Sql;
  dir: string;
  outside: CheckpointFile;
  /** So many events in A's log, sealed and signed with this file at that moment; gives A's size then. */
  grow(file: KeyFile, now: Date, events?: number): Promise<number>;
  exported(): Promise<Exported>;
  /** Of the notes outside, those of A that one of the keys signed. */
  known(keys: Keys): Promise<ReturnType<typeof openCheckpoint>[]>;
}

async function startLog(): Promise<Log> {
  const database: TestDatabase = await createDatabase();
  const { sql } = database;
  await arrangeCast(sql);
  const worker = database.connect("gatehouse_worker");
  const dir = await Deno.makeTempDir({ prefix: "gatehouse-rotation-" });
  const outside = checkpointFile(join(dir, "checkpoints"));
  return {
    sql,
    dir,
    outside,
    async grow(file, now, events = 5) {
      await sql`
        select private.record_event(${tenants.A}, 'app.updated', '[{"kind":"test"}]', jsonb_build_object('n', i))
          from generate_series(1, ${events}) i`;
      await seal(sql);
      const signer = sealer({ sql: worker, keys: open(file), publicUrl, outside, now: () => now });
      while (await signer.sign(1_000) > 0);
      const [tree] = await sql`
        select signed_size::int as size from private.audit_trees where tenant_id = ${tenants.A}`;
      return tree!.size;
    },
    exported: () => exportAll(sql, tenants.A),
    async known(keys) {
      const notes = splitNotes(await Deno.readTextFile(join(dir, "checkpoints")));
      return notes.flatMap((note) => openCheckpoint(note, origin, keys) ?? []);
    },
    async [Symbol.asyncDispose]() {
      await database.drop();
      await Deno.remove(dir, { recursive: true });
    },
  };
}

async function seal(sql: Sql): Promise<void> {
  while (Number((await sql`select private.sequence_events(10000) as n`)[0]!.n) > 0);
  while (Number((await sql`select private.seal_events(1000) as n`)[0]!.n) > 0);
}

/** By the roots and by every signature. */
async function verify(log: Log, text: string, key: Keys, known: unknown[]) {
  const path = join(log.dir, "export.jsonl");
  await Deno.writeTextFile(path, text);
  const trust = { key, known: known as never[], threads: 0 };
  const [whole, each] = [
    await verifyFile(path, trust),
    await verifyFile(path, { ...trust, allSignatures: true }),
  ];
  return { whole, each };
}

/** A log under one key, then both, then the next one alone. */
async function rotated(log: Log) {
  const first = newFile();
  const second = withNextKey(first, overlapMs, start);
  const alone = await log.grow(first, start);
  const crossSigned = await log.grow(second, during);
  const whole = await log.grow(second, after);
  return { first, second, alone, crossSigned, whole };
}

Deno.test("ROT-01 a log sealed across a rotation verifies with both keys, and with the former one that leads to the next", async () => {
  await using log = await startLog();
  const { first, second, whole } = await rotated(log);
  const { text } = await log.exported();
  const { all } = open(second);
  const { keys } = followKeys(open(first).all, await log.outside.successions());
  assert.equal(keys.length, 2);
  for (const key of [all, keys]) {
    const found = await verify(log, text, key, await log.known(key));
    assert.deepEqual([found.whole.problems, found.each.problems], [[], []]);
    assert.equal(found.whole.provedTo, whole);
  }
  assert.deepEqual(
    [...await log.sql`select * from private.verify_tree(${tenants.A})`],
    [],
    "SQL takes a note with two signatures",
  );
});

Deno.test("ROT-02 with the former key alone it verifies up to and with the last checkpoint that both signed", async () => {
  await using log = await startLog();
  const { first, alone, crossSigned, whole } = await rotated(log);
  assert.ok(alone < crossSigned && crossSigned < whole);
  const key = open(first).all;
  const known = await log.known(key);
  assert.deepEqual(known.map((one) => one!.size).at(-1), crossSigned);
  const { records, notes, text } = await log.exported();
  const upTo = exportText(
    tenants.A,
    records.slice(0, crossSigned),
    notes.filter((note) => Number(note.split("\n")[1]) <= crossSigned),
  );
  const good = await verify(log, upTo, key, known);
  assert.deepEqual(good.whole.problems, []);
  assert.equal(good.whole.provedTo, crossSigned);
  const more = await verify(log, text, key, known);
  assert.equal(more.whole.provedTo, crossSigned);
  assert.equal(more.whole.firstBad, crossSigned, "from there on it takes the next key");
});

Deno.test("ROT-03 a forged rotation is found: who owns the database signs on with a key of their own", async () => {
  await using log = await startLog();
  const first = newFile();
  const size = await log.grow(first, start, 8);
  const signed = (await log.exported()).records.length;
  assert.equal(size, signed);
  const thief = generateKeyPairSync("ed25519");
  // Everything from record 6 on is the forger's: bytes, signatures, a checkpoint, and a note in which our key «names» theirs.
  const { records } = await log.exported();
  const forged = records.map((record) => {
    if (record.index < 6) return record;
    const bytes = record.bytes.replace("app.updated", "app.deleted");
    const signature = signLeaf(origin, record.index, leafHash(bytes), thief.privateKey);
    return { ...record, bytes, signature: signature.toBase64() };
  });
  const tree = new Frontier();
  for (const { bytes } of forged) tree.append(leafHash(bytes));
  const checkpoint = { origin, size: forged.length, root: tree.root() };
  const note = signCheckpoint(checkpoint, thief.privateKey);
  const succession = signSuccession(thief.privateKey, thief.privateKey, start);
  await log.outside.append(note); // even there
  await log.outside.append(succession);
  const { keys } = followKeys(open(first).all, await log.outside.successions());
  assert.equal(keys.length, 1);
  const found = await verify(
    log,
    exportText(tenants.A, forged, [note]),
    keys,
    await log.known(keys),
  );
  assert.equal(found.whole.firstBad, 6);
  assert.equal(found.each.firstBad, 6);
});

Deno.test("ROT-04 from the first checkpoint of the next key on, the former one's signatures are worth nothing", async () => {
  await using log = await startLog();
  const { first, second, crossSigned } = await rotated(log);
  const { all } = open(second);
  const stolen = open(first).current;
  const { records, notes } = await log.exported();
  const index = records.length - 1;
  // The last record is the thief's, signed with the former key, and so is a checkpoint over all of it.
  const bytes = records[index]!.bytes.replace("app.updated", "app.deleted");
  const signature = signLeaf(origin, index, leafHash(bytes), stolen).toBase64();
  const forged = records.with(index, { ...records[index]!, bytes, signature });
  const tree = new Frontier();
  for (const { bytes } of forged) tree.append(leafHash(bytes));
  const note = signCheckpoint({ origin, size: forged.length, root: tree.root() }, stolen);
  const older = notes.filter((one) => Number(one.split("\n")[1]) <= crossSigned);
  const known = (await log.known(all)).filter((one) => one!.size <= crossSigned);
  const found = await verify(log, exportText(tenants.A, forged, [...older, note]), all, known);
  for (const { firstBad, problems } of [found.whole, found.each]) {
    assert.equal(firstBad, index);
    assert.ok(problems.some(({ problem }) => problem === "checkpoint_invalid"));
  }
  // And where the thief hands it out as one that was known before.
  const handed = openCheckpoint(note, origin, all)!;
  const again = await verify(log, exportText(tenants.A, forged, older), all, [...known, handed]);
  assert.equal(again.whole.firstBad, index);
});

Deno.test("ROT-05 while workers are started anew the one with the former key gives way, and nothing counts as forked", async () => {
  await using log = await startLog();
  const first = newFile();
  const second = withNextKey(first, overlapMs, start);
  await log.grow(first, start);
  const worker = (file: KeyFile) =>
    sealer({ sql: log.sql, keys: open(file), publicUrl, outside: log.outside, now: () => during });
  const former = worker(first);
  assert.equal(await former.sign(1_000), 0);
  await log.grow(second, after); // by the next key alone: the former worker cannot read that
  await log
    .sql`select private.record_event(${tenants.A}, 'app.updated', '[{"kind":"test"}]', '{}')`;
  await seal(log.sql);
  assert.equal(await former.sign(1_000), 0);
  assert.equal(await worker(first).sign(1_000), 0, "nor does one that is started now");
  assert.ok(await worker(second).sign(1_000) > 0);
  const events = await log.sql`
    select tenant_id, type, data from public.audit_events
     where type in ('audit.key_changed', 'audit.forked')`;
  assert.deepEqual(events.map(({ tenant_id, type }) => [tenant_id, type]), [
    [platform, "audit.key_changed"],
  ]);
  assert.equal(events[0]!.data.succession, second.successions[0]);
});

Deno.test("ROT-06 after a theft the next key goes on alone, and takes nothing outside that the stolen one signed since", async () => {
  await using log = await startLog();
  const first = newFile();
  const second = withNextKey(first, 0, start);
  const stolen = open(first).current;
  const size = await log.grow(first, start);
  // The thief, in the database: a longer history under the stolen key.
  const ahead = { origin, size: size + 100, root: leafHash("anything") };
  await log.sql`
    insert into private.audit_checkpoints (tenant_id, size, root, note)
    values (${tenants.A}, ${ahead.size}, ${ahead.root}, ${signCheckpoint(ahead, stolen)})`;
  const whole = await log.grow(second, during);
  assert.ok(whole > size);
  const { all } = open(second);
  const known = await log.known(all);
  assert.deepEqual(known.map((one) => one!.size), [size, whole]);
  await log.sql`delete from private.audit_checkpoints where size = ${ahead.size}`;
  const { text } = await log.exported();
  const found = await verify(log, text, all, known);
  assert.deepEqual([found.whole.problems, found.each.problems], [[], []]);
  const alone = await verify(log, text, open(first).all, known);
  assert.equal(alone.whole.firstBad, size, "the stolen key leads nowhere");
  assert.deepEqual(await log.outside.successions(), []);
});

Deno.test("ROT-07 a rotated log verifies by the scripts alone: one file of keys, several, or the former one", async () => {
  await using log = await startLog();
  const { first, second } = await rotated(log);
  const at = (name: string) => join(log.dir, name);
  const publicFile = ({ keys, successions }: KeyFile) =>
    JSON.stringify({ keys: keys.map(({ kty, crv, x }) => ({ kty, crv, x })), successions });
  await Deno.writeTextFile(at("first.pub"), publicFile(first));
  await Deno.writeTextFile(at("both.pub"), publicFile(second));
  await Deno.writeTextFile(
    at("second.pub"),
    publicFile({ keys: [second.keys[1]!], successions: [] }),
  );
  await Deno.writeTextFile(at("export.jsonl"), (await log.exported()).text);
  const run = async (...keys: string[]) => {
    const given = keys.flatMap((name) => ["--key", at(name)]);
    const { code, stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", "--cached-only", "scripts/audit_verify.ts"]
        .concat(
          at("export.jsonl"),
          given,
          "--checkpoint",
          at("checkpoints"),
          "--tenant",
          tenants.A,
          "--json",
        ),
      env: { DENO_NO_UPDATE_CHECK: "1", NO_COLOR: "1" },
    }).output();
    return { code, report: JSON.parse(new TextDecoder().decode(stdout)) };
  };
  for (const keys of [["both.pub"], ["first.pub", "second.pub"], ["first.pub"]]) {
    assert.equal((await run(...keys)).code, 0, keys.join(" "));
  }
  // The former key, stolen later, names another one: whoever holds it alone is told.
  const thief = generateKeyPairSync("ed25519").privateKey;
  await log.outside.append(signSuccession(open(first).current, thief, after));
  const { code, report } = await run("first.pub");
  assert.deepEqual([code, report.problems[0].problem], [1, "key_forked"]);
  assert.equal((await run("both.pub")).code, 0);
});
