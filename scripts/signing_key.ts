/**
 * Makes the private key of our own issuer, a JWK for ES256, readable by its owner only. Never overwrites.
 *
 *   deno run --allow-write=FILE scripts/signing_key.ts --out FILE
 *
 * Prints the key's id (kid). Exit 0 done · 1 failed · 2 wrong use.
 */
import { generateSigningKey } from "../functions/session/signing_key.ts";
import { command, WrongUse } from "./command.ts";

/** @throws {Deno.errors.AlreadyExists} */
export async function writeSigningKey(path: string): Promise<string> {
  const jwk = await generateSigningKey();
  const text = JSON.stringify(jwk) + "\n";
  await Deno.writeTextFile(path, text, { createNew: true, mode: 0o600 });
  return jwk.kid!;
}

if (import.meta.main) {
  await command({
    usage: "usage: scripts/signing_key.ts --out FILE",
    options: { out: { type: "string" } },
    what: "make the key",
  }, async ({ out }) => {
    if (!out) throw new WrongUse();
    return await writeSigningKey(out);
  });
}
