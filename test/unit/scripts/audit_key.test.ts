// The command that makes audit keys: files, modes, exit codes. What the keys are good for: test/sql/30_audit_key_rotation.test.ts.
import assert from "node:assert/strict";
import { join } from "node:path";
import { readAuditKeys, readPublicKeys } from "../../../functions/_shared/audit/keys.ts";
import { keyName } from "../../../functions/_shared/audit/note.ts";
import { root } from "../../support/paths.ts";

async function run(...args: string[]) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "--cached-only", "scripts/audit_key.ts", ...args],
    cwd: root,
    env: { DENO_NO_UPDATE_CHECK: "1", NO_COLOR: "1" },
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, out: text(stdout), err: text(stderr) };
}

Deno.test("the key file through its life: made, rotated, stolen, retired; always private, and .pub never", async () => {
  const dir = await Deno.makeTempDir({ prefix: "gatehouse-key-" });
  const file = join(dir, "key.json");
  const read = () => Deno.readTextFile(file);
  const names = async () => readPublicKeys(await read()).map(keyName);
  const checkFiles = async () => {
    assert.equal((await Deno.stat(file)).mode! & 0o777, 0o600);
    const handedOut = await Deno.readTextFile(`${file}.pub`);
    assert.ok(!handedOut.includes('"d"'));
    assert.deepEqual(readPublicKeys(handedOut).map(keyName), await names());
    assert.deepEqual([...Deno.readDirSync(dir)].map(({ name }) => name).sort(), [
      "key.json",
      "key.json.pub",
    ]);
  };
  try {
    const made = await run("--out", file);
    assert.deepEqual([made.code, made.out], [0, `${file}.pub\n`]);
    await checkFiles();
    assert.equal((await run("--out", file)).code, 1, "never over another");
    const [first] = await names();

    assert.equal((await run("--rotate", file, "--overlap-days", "7")).code, 0);
    await checkFiles();
    assert.equal((await names())[0], first);
    const { cosigners, successions } = readAuditKeys(await read());
    const days = (cosigners[0]!.until.getTime() - Date.now()) / 86_400_000;
    assert.ok(days > 6.9 && days <= 7, `${days} days`);
    assert.equal(successions.length, 1);

    assert.equal((await run("--retire", file)).code, 0);
    assert.equal(readAuditKeys(await read()).cosigners.length, 1, "its time is not over");
    assert.equal((await run("--rotate", file, "--stolen")).code, 0);
    await checkFiles();
    const after = readAuditKeys(await read());
    assert.equal(after.all.length, 3);
    assert.deepEqual(after.cosigners.map(({ key }) => keyName(key)), [first]);
    assert.equal(after.successions.length, 1);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("wrong use ends with 2 and changes nothing, a file that is no key with 1", async () => {
  const dir = await Deno.makeTempDir({ prefix: "gatehouse-key-" });
  const file = join(dir, "key.json");
  try {
    await Deno.writeTextFile(file, "{}");
    const wrong = [
      [],
      ["--out", file, "--rotate", file],
      ["--rotate", file, "--stolen", "--overlap-days", "3"],
      ["--rotate", file, "--overlap-days", "0"],
      ["--rotate", file, "--overlap-days", "soon"],
      ["--out", file, "--stolen"],
      ["--unknown"],
    ];
    for (const args of wrong) {
      const { code, err } = await run(...args);
      assert.equal(code, 2, args.join(" "));
      assert.match(err, /usage: /);
    }
    assert.equal((await run("--rotate", file)).code, 1);
    assert.equal(await Deno.readTextFile(file), "{}");
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
