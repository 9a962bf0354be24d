/** Ends exports that have had their week, and removes every file in GATEHOUSE_AUDIT_DIR/exports that no export needs. Nightly. */
import { join } from "node:path";
import { config } from "../../_shared/config.ts";
import { exportsDirectory } from "../../_shared/exports/files.ts";
import { Nothing, task } from "../task.ts";

/** A file of an export that begins at this moment may not be known yet. */
const youngMs = 3_600_000;

export default task(Nothing, async (_payload, { sql, now }) => {
  const [{ kept }] = await sql<[{ kept: string[] }]>`select private.expire_exports() as kept`;
  if (!config().has("GATEHOUSE_AUDIT_DIR")) return;
  const directory = exportsDirectory(config().auditDir);
  const needed = new Set(kept);
  for (const name of await list(directory)) {
    const path = join(directory, name);
    const { mtime } = await Deno.stat(path);
    const young = mtime !== null && now().getTime() - mtime.getTime() < youngMs;
    const part = name.endsWith(".part");
    if (part ? !young : !needed.has(name.slice(0, 36))) await Deno.remove(path);
  }
});

async function list(directory: string): Promise<string[]> {
  try {
    return (await Array.fromAsync(Deno.readDir(directory))).map(({ name }) => name);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}
