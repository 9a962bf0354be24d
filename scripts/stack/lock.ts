import { join } from "node:path";
import { Failure } from "./failure.ts";

/** Takes a stack's directory for this process; the system gives it back when the process ends, however it ends. */
export async function lockDirectory(dir: string): Promise<void> {
  await Deno.mkdir(dir, { recursive: true, mode: 0o700 });
  const file = await Deno.open(join(dir, "lock"), { read: true, write: true, create: true });
  if (!await file.tryLock(true)) {
    const owner = (await Deno.readTextFile(join(dir, "lock"))).trim();
    file.close();
    throw new Failure(
      `A stack runs in ${dir} already${
        owner && ` (process ${owner})`
      }: use it, stop it, or start another with --dir .stack-2 --port 0`,
    );
  }
  await file.truncate();
  await file.write(new TextEncoder().encode(`${Deno.pid}\n`));
}
