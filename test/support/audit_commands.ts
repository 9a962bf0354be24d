// The offline commands as somebody runs them who has nothing but files.
import type { KeyObject } from "node:crypto";
import { join } from "node:path";
import { verifierKey } from "../../functions/_shared/audit/note.ts";
import { root } from "./paths.ts";

export interface Ran {
  code: number;
  out: string;
  err: string;
}

/** Files in a directory of their own; the public keys are there as `0.pub`, `1.pub` and so on, in the order of use. */
export async function auditFiles(keys: KeyObject[], files: Record<string, string>) {
  const dir = await Deno.makeTempDir({ prefix: "gatehouse-audit-" });
  const at = (name: string) => join(dir, name);
  const write = (name: string, text: string) => Deno.writeTextFile(at(name), text);
  for (const [n, key] of keys.entries()) await write(`${n}.pub`, verifierKey("any", key));
  for (const [name, text] of Object.entries(files)) await write(name, text);
  const given = keys.flatMap((_, n) => ["--key", at(`${n}.pub`)]);

  /** What follows `--checkpoint` is the name of a file here. */
  async function run(script: string, file: string, args: string[]): Promise<Ran> {
    const named = args.map((arg, n) => args[n - 1] === "--checkpoint" ? at(arg) : arg);
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", "--cached-only", script, at(file), ...named],
      cwd: root,
      env: { DENO_NO_UPDATE_CHECK: "1", NO_COLOR: "1" },
    }).output();
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    return { code, out: text(stdout), err: text(stderr) };
  }

  return {
    write,
    /** With all of the keys. */
    verify: (file: string, ...args: string[]) =>
      run("scripts/audit_verify.ts", file, [...given, ...args]),
    prove: (file: string, ...args: string[]) => run("scripts/audit_prove.ts", file, args),
    /** Checks a proof, with all of the keys. */
    check: (file: string, ...args: string[]) =>
      run("scripts/audit_prove.ts", file, ["--check", ...given, ...args]),
    [Symbol.asyncDispose]: () => Deno.remove(dir, { recursive: true }),
  };
}
