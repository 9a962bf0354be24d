import assert from "node:assert/strict";
import { join } from "node:path";
import postgres from "postgres";
import { initPostgres, temporaryPostgres } from "../../scripts/stack/postgres.ts";

Deno.test("Postgres runs from a checkout that only its owner may enter", async () => {
  const database = await temporaryPostgres(); // its directory has mode 0700, as `mktemp -d` makes them
  const sql = postgres(database.url(), { max: 1 });
  try {
    const [row] = await sql`select current_setting('server_version_num')::int / 10000 as major`;
    assert.equal(row?.major, 17);
  } finally {
    await sql.end();
    await database.stop();
  }
});

Deno.test("Postgres runs where user namespaces are not to be had", async () => {
  const dir = await Deno.makeTempDir();
  for (const program of ["setpriv", "chown", "true"]) {
    await Deno.symlink(`/usr/bin/${program}`, join(dir, program));
  }
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "eval",
      `import { temporaryPostgres } from "./scripts/stack/postgres.ts";
       await (await temporaryPostgres()).stop();`,
    ],
    env: { PATH: dir, TMPDIR: dir }, // no unshare there
  }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
  await Deno.remove(dir, { recursive: true });
});

Deno.test("a Postgres whose starter is killed ends by itself", async () => {
  const dir = await Deno.makeTempDir();
  const starter = new Deno.Command(Deno.execPath(), {
    args: [
      "eval",
      `import { temporaryPostgres } from "./scripts/stack/postgres.ts";
       console.log((await temporaryPostgres()).port); setInterval(() => {}, 1000);`,
    ],
    env: { TMPDIR: dir },
    stdout: "piped",
  }).spawn();
  const reader = starter.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const port = Number((await reader.read()).value);
  assert.ok(port > 0);
  await (await Deno.connect({ hostname: "127.0.0.1", port })).close();
  starter.kill("SIGKILL");
  await starter.status;
  await reader.cancel();
  for (let waited = 0; await connects(port); waited += 50) {
    assert.ok(waited < 10_000, "still takes connections after 10 s");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  await Deno.remove(dir, { recursive: true });
});

Deno.test("a directory that holds something else is refused and left as it was", async () => {
  const dir = await Deno.makeTempDir();
  try {
    const dataDir = join(dir, "data");
    await Deno.mkdir(dataDir);
    await Deno.writeTextFile(join(dataDir, "stranger"), "");
    await assert.rejects(
      initPostgres({ dataDir, port: 1, password: "x", logFile: join(dir, "log"), durable: false }),
      { name: "Failure" },
    );
    assert.deepEqual(Array.from(Deno.readDirSync(dataDir), ({ name }) => name), ["stranger"]);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

async function connects(port: number): Promise<boolean> {
  return await Deno.connect({ hostname: "127.0.0.1", port }).then((connection) => {
    connection.close();
    return true;
  }, () => false);
}
