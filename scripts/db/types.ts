/**
 * Writes supabase/types.ts, the types of what PostgREST exposes, for `createClient<Database>()`.
 *
 * Usage: `deno task db:types`, after each change of sql/; a test says when it was forgotten.
 */
import { join } from "node:path";
import { Failure } from "../stack/failure.ts";
import { root } from "./paths.ts";
import { supabase } from "./supabase_cli.ts";
import { declaredDatabase } from "./throwaway.ts";

export const typesFile = join(root, "supabase/types.ts");

/** The text of supabase/types.ts for a database, laid out by `deno fmt`. */
export async function generateTypes(url: string): Promise<string> {
  const text = await supabase([
    "gen",
    "types",
    "--lang",
    "typescript",
    "--schema",
    "public",
    "--remote",
    url,
  ]);
  const formatter = new Deno.Command(Deno.execPath(), {
    args: ["fmt", "--no-config", "--ext", "ts", "--line-width", "100", "-"],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = formatter.stdin.getWriter();
  await writer.write(new TextEncoder().encode(text));
  await writer.close();
  const { code, stdout, stderr } = await formatter.output();
  if (code !== 0) throw new Failure(new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}

if (import.meta.main) {
  await using database = await declaredDatabase();
  Deno.writeTextFileSync(typesFile, await generateTypes(database.ownerUrl));
  console.log(typesFile);
}
