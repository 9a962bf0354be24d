// The worker as it runs: what is committed is sealed, signed and outside the database within 5 s, and an export of it verifies by the scripts alone.
import assert from "node:assert/strict";
import { join } from "node:path";
import { writeAuditKey } from "../../scripts/audit_key.ts";
import { checkpointFile } from "../../functions/_shared/audit/checkpoint_file.ts";
import { readPublicKeys } from "../../functions/_shared/audit/keys.ts";
import { auditOrigin } from "../../functions/_shared/audit/note.ts";
import { arrangeCast, tenants } from "../support/actors.ts";
import { exportAll, publicUrl } from "../support/audit_export.ts";
import { createDatabase } from "../support/database.ts";
import { root } from "../support/paths.ts";
import { eventually } from "../support/eventually.ts";
import { sleep } from "./worker_support.ts";

const sealedWithinMs = 5_000;

async function run(args: string[], cwd = root) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "--cached-only", "--no-prompt", ...args],
    cwd,
    env: { DENO_NO_UPDATE_CHECK: "1", NO_COLOR: "1" },
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, out: text(stdout), err: text(stderr) };
}

Deno.test("each event is sealed, signed and pushed outside within 5 s of its commit; what is exported is proved offline", async () => {
  await using database = await createDatabase();
  const { sql } = database;
  await arrangeCast(sql);
  const dir = await Deno.makeTempDir();
  const at = (name: string) => join(dir, name);
  await writeAuditKey(at("key"));
  assert.equal((await Deno.stat(at("key"))).mode! & 0o777, 0o600);
  const worker = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--cached-only", "functions/_worker/main.ts"],
    cwd: root,
    env: {
      DENO_NO_UPDATE_CHECK: "1",
      NO_COLOR: "1",
      GATEHOUSE_PROFILE: "embedded",
      GATEHOUSE_PUBLIC_URL: publicUrl,
      GATEHOUSE_DB_URL: database.url("gatehouse_worker"),
      GATEHOUSE_AUDIT_KEY_FILE: at("key"),
      GATEHOUSE_AUDIT_CHECKPOINT_FILE: at("checkpoints"),
    },
    stdout: "null", // ZITADEL is not there, and it says so
    stderr: "null",
  }).spawn();
  try {
    const key = readPublicKeys(await Deno.readTextFile(at("key.pub")));
    const origin = auditOrigin(publicUrl, tenants.A);
    const outside = async () =>
      (await checkpointFile(at("checkpoints")).newest(key)).get(origin)?.size ?? 0;
    await eventually("the worker seals", async () => await outside() > 0, 30_000);
    const waits: number[] = [];
    for (let n = 0; n < 8; n++) {
      await sleep(n * 130); // at other moments of its rounds
      await sql`select private.record_event(${tenants.A}, 'app.updated', '[{"kind":"test"}]', '{}')`;
      const began = performance.now();
      const [{ events }] = await sql<[{ events: number }]>`
        select count(*)::int as events from public.audit_events where tenant_id = ${tenants.A}`;
      await eventually("it is outside", async () => await outside() === events, 2 * sealedWithinMs);
      waits.push(performance.now() - began);
    }
    console.error(`from commit to outside, ms: ${waits.map(Math.round).join(" ")}`);
    assert.ok(waits.every((ms) => ms < sealedWithinMs), waits.join(" "));
  } finally {
    worker.kill("SIGTERM");
    assert.equal((await worker.status).code, 0);
  }

  const exported = await exportAll(sql, tenants.A);
  await Deno.writeTextFile(at("export.jsonl"), exported.text);
  const given = ["--key", at("key.pub"), "--checkpoint", at("checkpoints")]
    .concat("--tenant", tenants.A); // the file holds checkpoints of every log
  const verify = (file: string, ...more: string[]) =>
    run(["scripts/audit_verify.ts", at(file), ...given, ...more]);
  const good = await verify("export.jsonl");
  assert.equal(good.code, 0, good.out + good.err);
  assert.match(good.out, /all is as it was sealed/);
  assert.equal((await verify("export.jsonl", "--signatures")).code, 0);

  const bad = exported.text.replace("app.updated", "app.deleted");
  assert.notEqual(bad, exported.text);
  await Deno.writeTextFile(at("bad.jsonl"), bad);
  const found = await verify("bad.jsonl");
  const index = exported.records.findIndex(({ bytes }) => bytes.includes("app.updated"));
  assert.equal(found.code, 1);
  assert.match(found.out, new RegExp(`first bad record: ${index}\n`));
  const json = JSON.parse((await verify("bad.jsonl", "--json")).out);
  assert.equal(json.firstBad, index);
  assert.equal(json.problems[0].problem, "record_altered");
  assert.equal((await verify("nothing.jsonl")).code, 2);
  assert.equal((await run(["scripts/audit_verify.ts", at("export.jsonl")])).code, 2);
  assert.equal((await verify("export.jsonl", "--from", "x")).code, 2);

  const prove = (...args: string[]) => run(["scripts/audit_prove.ts", ...args]);
  const proof = await prove(at("export.jsonl"), "--index", String(index));
  assert.equal(proof.code, 0, proof.err);
  await Deno.writeTextFile(at("proof.json"), proof.out);
  assert.equal((await prove(at("proof.json"), "--check", ...given)).code, 0);
  await Deno.writeTextFile(at("proof.json"), proof.out.replace("app.updated", "app.deleted"));
  assert.equal((await prove(at("proof.json"), "--check", ...given)).code, 1);
  const older = exported.notes.at(-3)!.split("\n")[1]!;
  const grown = await prove(at("export.jsonl"), "--since", older);
  assert.equal(grown.code, 0, grown.err);
  await Deno.writeTextFile(at("grown.json"), grown.out);
  assert.equal((await prove(at("grown.json"), "--check", ...given)).code, 0);
  assert.equal((await prove(at("export.jsonl"))).code, 2);
  await Deno.remove(dir, { recursive: true });
});
