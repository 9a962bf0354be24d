// The counter that proves "no packet leaves" must itself see a packet: a counter that counts nothing would pass everything.
import assert from "node:assert/strict";
import { root } from "../support/paths.ts";

Deno.test("one packet sent on purpose is counted and fails the command", async () => {
  const { code, stderr } = await inside("echo x > /dev/udp/198.51.100.7/9");
  assert.match(stderr, /packets that tried to leave: 1$/m);
  assert.equal(code, 3);
});

Deno.test("a packet over IPv6 is counted too", async () => {
  const { code, stderr } = await inside("echo x > /dev/udp/2001:db8:1::7/9");
  assert.match(stderr, /packets that tried to leave: 1$/m);
  assert.equal(code, 3);
});

Deno.test("asking for a name is counted", async () => {
  const { code, stderr } = await inside("timeout 1 getent hosts gatehouse.example");
  assert.match(stderr, /packets that tried to leave: [1-9]/);
  assert.notEqual(code, 0);
});

Deno.test("loopback works and is not counted, and the command's exit code is kept", async () => {
  const quiet = await inside("echo x > /dev/udp/127.0.0.1/9; exit 7");
  assert.match(quiet.stderr, /packets that tried to leave: 0$/m);
  assert.equal(quiet.code, 7);
});

Deno.test("what the command left running ends with it", async () => {
  const { stdout } = await inside("sleep 4242 > /dev/null & echo started");
  assert.equal(stdout.trim(), "started");
  const everything = await new Deno.Command("sh", { args: ["-c", "cat /proc/[0-9]*/cmdline"] })
    .output();
  assert.ok(!new TextDecoder().decode(everything.stdout).includes("sleep\x004242"));
});

async function inside(script: string) {
  const { code, stdout, stderr } = await new Deno.Command("test/e2e/egress.sh", {
    args: ["bash", "-c", script],
    cwd: root,
  }).output();
  const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: decode(stdout), stderr: decode(stderr) };
}
