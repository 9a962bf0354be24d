// `npm start` is npm, then Node, then Deno, then the stack: whoever of them is ended, the rest ends too.
import assert from "node:assert/strict";
import { join } from "node:path";
import { eventually } from "../support/eventually.ts";
import { root } from "../support/paths.ts";
import { descendants, running } from "../support/stack.ts";

Deno.test("the stack ends with npm, however npm ends", async () => {
  const dir = await Deno.makeTempDir();
  for (const signal of ["SIGINT", "SIGTERM", "SIGKILL"] as const) {
    const npm = new Deno.Command("npm", {
      args: ["start", "--", "--dir", dir, "--port", "0", "--no-demo"],
      cwd: root,
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    await eventually("the stack", () => exists(join(dir, "stack.json")), 60_000);
    const below = await descendants(npm.pid);
    assert.ok(below.length >= 10, `${below.length} processes`);
    npm.kill(signal);
    await npm.status;
    const allEnded = async () => (await running(below)).length === 0;
    await eventually(`the end of every process after ${signal} to npm`, allEnded, 60_000);
    assert.equal(await exists(join(dir, "stack.json")), false, signal);
  }
  await Deno.remove(dir, { recursive: true });
});

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}
