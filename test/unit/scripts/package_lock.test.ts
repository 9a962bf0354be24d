// `npm ci` refuses a lock file that lacks a package, also one for another platform; and a lock file names no registry.
import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { root } from "../../support/paths.ts";

interface Package {
  dependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
  resolved?: string;
}

const lock = JSON.parse(Deno.readTextFileSync(join(root, "package-lock.json")));
const packages = new Map(Object.entries<Package>(lock.packages));

Deno.test("package-lock.json holds every package that another one depends on", () => {
  const missing = [...packages].flatMap(([path, { dependencies, optionalDependencies }]) =>
    Object.keys({ ...dependencies, ...optionalDependencies })
      .filter((name) => !isLocked(path, name))
      .map((name) => `${name}, for ${path || "Gatehouse"}`)
  );
  assert.deepEqual(missing, []);
});

Deno.test("package-lock.json names no registry", () => {
  const resolved = [...packages].filter(([, entry]) => entry.resolved !== undefined);
  assert.deepEqual(resolved.map(([path]) => path), []);
});

/** As Node looks a package up: beside its dependent, then further out. */
function isLocked(from: string, name: string): boolean {
  if (packages.has(`${from ? `${from}/` : ""}node_modules/${name}`)) return true;
  if (from === "") return false;
  const out = dirname(from.slice(0, from.lastIndexOf("node_modules/") + "node_modules".length));
  return isLocked(out === "." ? "" : out, name);
}
