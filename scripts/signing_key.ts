/**
 * Makes the private key of our own issuer, a JWK for ES256, readable by its owner only. Never overwrites.
 *
 *   deno run --allow-write=FILE scripts/signing_key.ts --out FILE
 *
 * Prints the key's id (kid). Exit 0 done · 1 failed · 2 wrong use.
 */
import { parseArgs } from "node:util";
import { generateSigningKey } from "../functions/session/signing_key.ts";

const usage = "usage: scripts/signing_key.ts --out FILE";

/** @throws {Deno.errors.AlreadyExists} */
export async function writeSigningKey(path: string): Promise<string> {
  const jwk = await generateSigningKey();
  const text = JSON.stringify(jwk) + "\n";
  await Deno.writeTextFile(path, text, { createNew: true, mode: 0o600 });
  return jwk.kid!;
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
    console.log(await writeSigningKey(out));
  } catch (error) {
    console.error(`Cannot write "${out}": ${(error as Error).message}`);
    Deno.exit(1);
  }
}
