import assert from "node:assert/strict";
import { join } from "node:path";
import type { Spec } from "../../scripts/stack/child.ts";
import { Supervisor } from "../../scripts/stack/supervisor.ts";
import { running } from "../support/stack.ts";

Deno.test("a process that ends unasked is started again, and stopped for good when asked", async () => {
  const dir = await Deno.makeTempDir();
  const said: string[] = [];
  const supervisor = new Supervisor((text) => said.push(text));
  await supervisor.start(shell(dir, "echo $$ >> pids; echo ready; exec sleep 60"));
  const [first] = await pids(dir, 1);
  Deno.kill(first!, "SIGKILL");
  const [, second] = await pids(dir, 2);
  assert.match(said[0]!, /^probe ended \(SIGKILL\), starts again in 200 ms/);
  await supervisor.stop();
  assert.deepEqual(await running([{ pid: second! }]), []);
  await new Promise((resolve) => setTimeout(resolve, 600));
  assert.equal((await pids(dir, 2)).length, 2);
  await Deno.remove(dir, { recursive: true });
});

Deno.test("a process that ends before it serves fails the start with the end of its log", async () => {
  const dir = await Deno.makeTempDir();
  const supervisor = new Supervisor(() => {});
  await assert.rejects(
    supervisor.start(shell(dir, "echo no such database >&2; exit 7")),
    /probe ended while starting \(exit 7\)[^]*no such database/,
  );
  await supervisor.stop();
  await Deno.remove(dir, { recursive: true });
});

Deno.test("a process that ignores its stop signal is killed after its time", async () => {
  const dir = await Deno.makeTempDir();
  const supervisor = new Supervisor(() => {});
  await supervisor.start({
    ...shell(dir, "trap '' TERM; echo $$ >> pids; echo ready; while :; do sleep 0.05; done"),
    graceMs: 200,
  });
  const [pid] = await pids(dir, 1);
  await supervisor.stop();
  assert.deepEqual(await running([{ pid: pid! }]), []);
  await Deno.remove(dir, { recursive: true });
});

Deno.test("a process sees its own environment and not ours", async () => {
  const dir = await Deno.makeTempDir();
  Deno.env.set("GATEHOUSE_TEST_SECRET", "ours");
  const supervisor = new Supervisor(() => {});
  try {
    await supervisor.start({
      ...shell(dir, "env > seen; echo ready; exec sleep 60"),
      env: { OWN: "its own" },
    });
    const seen = await Deno.readTextFile(join(dir, "seen"));
    assert.match(seen, /^OWN=its own$/m);
    assert.doesNotMatch(seen, /GATEHOUSE_TEST_SECRET/);
  } finally {
    Deno.env.delete("GATEHOUSE_TEST_SECRET");
    await supervisor.stop();
    await Deno.remove(dir, { recursive: true });
  }
});

function shell(dir: string, script: string): Spec {
  return {
    name: "probe",
    command: ["sh", "-c", script],
    cwd: dir,
    logFile: join(dir, "probe.log"),
    ready: (printed) => printed("ready"),
  };
}

/** The numbers that the starts of the probe wrote, once there are so many. */
async function pids(dir: string, count: number): Promise<number[]> {
  for (let waited = 0; waited < 5000; waited += 20) {
    const text = await Deno.readTextFile(join(dir, "pids")).catch(() => "");
    const found = text.split("\n").filter(Boolean).map(Number);
    if (found.length >= count) return found;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`The probe did not start ${count} times`);
}
