import assert from "node:assert/strict";
import { join } from "node:path";
import { decodeJwt, decodeProtectedHeader } from "jose";
import { writeSigningKey } from "../../../scripts/signing_key.ts";
import { root } from "../../support/paths.ts";

async function run(script: string, ...args: string[]) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--cached-only", "--no-prompt", "--allow-read", "--allow-env", script, ...args],
    cwd: root,
    env: { DENO_NO_UPDATE_CHECK: "1" },
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes).trim();
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

Deno.test("the signing key is its owner's file and is never overwritten; the anonymous key names it", async () => {
  const folder = await Deno.makeTempDir();
  const file = join(folder, "key.json");
  const kid = await writeSigningKey(file);
  assert.equal((await Deno.stat(file)).mode! & 0o777, 0o600);
  await assert.rejects(writeSigningKey(file), Deno.errors.AlreadyExists);

  const made = await run(
    "scripts/anon_key.ts",
    ...["--signing-key", file, "--issuer", "https://id.example", "--audience", "p1"],
  );
  assert.equal(made.code, 0, made.stderr);
  assert.equal(decodeProtectedHeader(made.stdout).kid, kid);
  const { iss, aud, role, sub } = decodeJwt(made.stdout);
  assert.deepEqual([iss, aud, role, sub], ["https://id.example", "p1", "anon", undefined]);
  await Deno.remove(folder, { recursive: true });
});

Deno.test("wrong use is exit 2 and shows the usage, a missing file exit 1 and its name", async () => {
  assert.deepEqual([
    (await run("scripts/anon_key.ts")).code,
    (await run("scripts/signing_key.ts")).code,
  ], [2, 2]);
  const args = ["--signing-key", "nowhere.json", "--issuer", "x", "--audience", "y"];
  const missing = await run("scripts/anon_key.ts", ...args);
  assert.equal(missing.code, 1);
  assert.match(missing.stderr, /nowhere\.json/);
});
