// Brings in what the two commands need. Plain Node 20: this runs before anything is installed.
// Next: run.mjs (who calls it).
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { join } from "node:path";

const root = fileURLToPath(new URL("..", import.meta.url));
const modules = join(root, "node_modules");
const deno = join(modules, "@deno/linux-x64-glibc/deno");

export class Failure extends Error {}

/** Runs `npm ci` when node_modules is missing or is not what package-lock.json says. Returns the path of Deno. */
export function installPackages() {
  if (process.platform !== "linux" || process.arch !== "x64") {
    throw new Failure(
      `The stack's parts are pinned for linux x64 and this is ${process.platform} ${process.arch}: use a Linux machine or virtual machine`,
    );
  }
  const locked = packagesIn(join(root, "package-lock.json"));
  if (!locked) throw new Failure("package-lock.json is missing: is this a whole checkout?");
  const why = staleness(packagesIn(join(modules, ".package-lock.json")), locked);
  if (why) {
    console.error(`Install packages (${why}) …`);
    const npm = process.env.npm_execpath ? [process.execPath, process.env.npm_execpath] : ["npm"];
    // The flags outrule a user's own npm settings: Postgres and Deno come with install scripts.
    const flags = ["--no-audit", "--no-fund", "--loglevel=error", "--ignore-scripts=false"];
    const { status, error } = spawnSync(
      npm[0],
      [...npm.slice(1), "ci", ...flags, "--include=dev", "--include=optional"],
      { cwd: root, stdio: ["ignore", 2, 2] },
    );
    if (status !== 0) throw new Failure(`npm ci failed${error ? `: ${error.message}` : ""}`);
  }
  if (!existsSync(deno)) {
    throw new Failure(`Deno is missing: ${deno}; delete node_modules and run the command again`);
  }
  return deno;
}

/** What browser and proxy tests need from the system: installed by apt where we may, else named. */
export function installSystem() {
  const needed = {
    chromium: "chromium",
    tcpdump: "tcpdump",
    iproute2: "ip",
    "squid-openssl": "squid", // Debian's squid opens no TLS
    slapd: "slapd", // a directory of the tests' own; the system's service is not configured, hence not started
    nftables: "nft",
  };
  const missing = Object.keys(needed).filter((name) => !onPath(needed[name]));
  if (missing.length === 0) return;
  const command = `apt-get install -y --no-install-recommends ${missing.join(" ")}`;
  if (process.getuid?.() !== 0 || !onPath("apt-get")) {
    throw new Failure(
      `The tests need ${missing.join(", ")}; on Debian, as root: ${command}`,
    );
  }
  console.error(`Install ${missing.join(", ")} …`);
  const options = {
    stdio: ["ignore", 2, 2],
    env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
  };
  spawnSync("debconf-set-selections", {
    ...options,
    stdio: ["pipe", 2, 2],
    input: "slapd slapd/no_configuration boolean true\n",
  });
  const [program, ...args] = command.split(" ");
  if (spawnSync(program, args, options).status === 0) return;
  spawnSync(program, ["update"], options); // a fresh machine has no package lists
  if (spawnSync(program, args, options).status !== 0) throw new Failure(`${command} failed`);
}

/**
 * Why node_modules is not what package-lock.json says; undefined when it is. `installed` is npm's own list, which it writes last:
 * an interrupted install has none.
 */
export function staleness(installed, locked) {
  if (!installed) return "node_modules is missing";
  const changed = Object.keys(locked).find((path) => {
    if (path === "") return false;
    if (!installed[path]) return !locked[path].optional; // a part for another platform
    return installed[path].integrity !== locked[path].integrity;
  });
  return changed && `${changed} is not as locked`;
}

function packagesIn(path) {
  if (!existsSync(path)) return undefined;
  return JSON.parse(readFileSync(path, "utf8")).packages;
}

function onPath(program) {
  const folders = `${process.env.PATH ?? ""}:/usr/sbin:/sbin`.split(":");
  return folders.some((folder) => folder !== "" && existsSync(join(folder, program)));
}
