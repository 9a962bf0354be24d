import assert from "node:assert/strict";
import { join } from "node:path";
import { findFreeRow } from "../../scripts/stack/ports.ts";
import { descendants, running, runStart, spawnStart } from "../support/stack.ts";

Deno.test("npm start says which port is taken and leaves nothing behind", async () => {
  await using dir = await temporary();
  const port = findFreeRow(10);
  const listener = Deno.listen({ hostname: "127.0.0.1", port: port + 2 });
  try {
    const { code, stdout, stderr } = await runStart(["--port", `${port}`, "--dir", dir.path]);
    assert.equal(code, 1);
    assert.match(stderr, new RegExp(`Port ${port + 2} \\(storefront\\) is taken`));
    assert.equal(stdout, "");
    const left = Array.from(Deno.readDirSync(dir.path), ({ name }) => name);
    assert.deepEqual(left, ["lock"]);
  } finally {
    listener.close();
  }
});

Deno.test("npm start names a program that is missing", async () => {
  await using dir = await temporary();
  const { code, stderr } = await runStart(["--dir", dir.path], { PATH: dir.path });
  assert.equal(code, 1);
  assert.match(stderr, /^setpriv is missing/m);
  assert.deepEqual(Array.from(Deno.readDirSync(dir.path)), []);
});

Deno.test("npm start refuses options it does not know, with its usage", async () => {
  for (
    const wrong of [["--nonsense"], ["--port", "x"], ["--base-path", "no-slash"], ["left over"]]
  ) {
    const { code, stderr } = await runStart(wrong);
    assert.equal(code, 2, wrong.join(" "));
    assert.match(stderr, /Usage: npm start/);
  }
});

Deno.test("npm start refuses other addresses than the data was made with", async () => {
  await using dir = await temporary();
  await Deno.writeTextFile(
    join(dir.path, "addresses.json"),
    JSON.stringify({ port: findFreeRow(10), basePath: "" }),
  );
  for (const other of [["--base-path", "/other"], ["--host", "localhost"]]) {
    const { code, stderr } = await runStart(["--dir", dir.path, ...other]);
    assert.equal(code, 1);
    assert.match(stderr, /was made with --port \d+ --base-path "" --host 127\.0\.0\.1/);
  }
});

Deno.test("Ctrl-C while it starts ends what runs already, and the next start is none the worse", async () => {
  await using dir = await temporary();
  const locked = (pid: number) => Deno.readTextFileSync(join(dir.path, "lock")).trim() === `${pid}`;
  await Deno.writeTextFile(join(dir.path, "lock"), "");
  for (const afterMs of [100, 500, 1000, 1800, 2800]) {
    const process = spawnStart(["--no-demo", "--dir", dir.path]);
    while (!locked(process.pid)) await new Promise((resolve) => setTimeout(resolve, 10));
    await new Promise((resolve) => setTimeout(resolve, afterMs));
    const below = await descendants(process.pid);
    process.kill("SIGINT");
    const { code, stderr } = await process.output();
    assert.equal(code, 0, new TextDecoder().decode(stderr));
    assert.deepEqual(await running(below), [], `after ${afterMs} ms`);
  }
});

async function temporary(): Promise<{ path: string } & AsyncDisposable> {
  const path = await Deno.makeTempDir();
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}
