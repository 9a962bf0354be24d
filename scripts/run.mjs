// The two commands of a fresh clone, for plain Node 20: node scripts/run.mjs start|test [options]
// Installs what is missing, then hands over to Deno. Next: start.ts, test.ts.
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { join } from "node:path";
import { Failure, installPackages, installSystem } from "./install.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const [command, ...options] = process.argv.slice(2);

if (command !== "start" && command !== "test") {
  console.error("Usage: node scripts/run.mjs start|test [options]");
  process.exit(2);
}

try {
  const deno = installPackages();
  if (command === "test") installSystem();
  handOver(deno, [
    "run",
    "-A",
    "--cached-only",
    "--no-prompt",
    join(root, `scripts/${command}.ts`),
  ]);
} catch (error) {
  if (!(error instanceof Failure)) throw error;
  console.error(error.message);
  process.exit(1);
}

function handOver(deno, args) {
  const child = spawn(deno, [...args, ...options], {
    stdio: "inherit",
    env: {
      DENO_DIR: join(root, "node_modules/.cache/deno"),
      ...process.env,
      DENO_NO_UPDATE_CHECK: "1",
    },
  });
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"];
  for (const signal of signals) process.on(signal, () => child.kill(signal));
  child.on("error", (error) => {
    console.error(`Cannot start ${deno}: ${error.message}`);
    process.exit(1);
  });
  child.on("exit", (code, signal) => process.exit(code ?? 128 + (signal === "SIGKILL" ? 9 : 15)));

  // Under npm, a killed npm or shell means that nobody waits for us any more.
  if (process.env.npm_lifecycle_event) {
    const parent = process.ppid;
    setInterval(() => process.ppid === parent || child.kill("SIGTERM"), 500).unref();
  }
}
