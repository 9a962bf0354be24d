/**
 * Prints an anonymous key: the token that supabase-js and other clients send before anybody signs in. It names nobody and may be public.
 *
 *   deno run --allow-read=FILE scripts/anon_key.ts --signing-key FILE --issuer URL --audience ID
 *
 * Exit 0 done · 1 failed · 2 wrong use.
 */
import { parseArgs } from "node:util";
import { readSecretFile } from "../functions/_shared/config.ts";
import { parseSigningKey, signAnonymousKey } from "../functions/session/signing_key.ts";

const usage = "usage: scripts/anon_key.ts --signing-key FILE --issuer URL --audience ID";

if (import.meta.main) {
  const values = (() => {
    try {
      return parseArgs({
        args: Deno.args,
        options: {
          "signing-key": { type: "string" },
          issuer: { type: "string" },
          audience: { type: "string" },
        },
      }).values;
    } catch (error) {
      console.error((error as Error).message);
      return {};
    }
  })();
  const { "signing-key": file, issuer, audience } = values;
  if (!file || !issuer || !audience) {
    console.error(usage);
    Deno.exit(2);
  }
  try {
    const key = await parseSigningKey(await readSecretFile("--signing-key", file), "--signing-key");
    console.log(await signAnonymousKey(key, { issuer, audience }));
  } catch (error) {
    console.error((error as Error).message);
    Deno.exit(1);
  }
}
