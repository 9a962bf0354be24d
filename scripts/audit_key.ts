/**
 * Makes the key that signs the sealed log: Ed25519, a JWK readable by its owner only, and FILE.pub for who verifies.
 * Never overwrites.
 *
 *   deno run --allow-read=FILE --allow-write=FILE,FILE.pub scripts/audit_key.ts --out FILE
 *
 * Keep a copy away from the machine: records signed by a lost key are verified by FILE.pub, and the log goes on only
 * under the key it began with. Exit 0 done · 1 failed · 2 wrong use.
 */
import { generateKeyPairSync } from "node:crypto";
import { parseArgs } from "node:util";

const usage = "usage: scripts/audit_key.ts --out FILE";

/** @throws {Deno.errors.AlreadyExists} */
export async function writeAuditKey(path: string): Promise<void> {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const write = (file: string, key: typeof privateKey, mode: number) =>
    Deno.writeTextFile(file, JSON.stringify(key.export({ format: "jwk" })) + "\n", {
      createNew: true,
      mode,
    });
  await write(path, privateKey, 0o600);
  await write(`${path}.pub`, publicKey, 0o644);
}

if (import.meta.main) {
  let out: string | undefined;
  try {
    out = parseArgs({ args: Deno.args, options: { out: { type: "string" } } }).values.out;
  } catch (error) {
    console.error((error as Error).message);
  }
  if (!out) {
    console.error(usage);
    Deno.exit(2);
  }
  try {
    await writeAuditKey(out);
    console.log(`${out}.pub`);
  } catch (error) {
    console.error(`Cannot make ${out}: ${(error as Error).message}`);
    Deno.exit(1);
  }
}
