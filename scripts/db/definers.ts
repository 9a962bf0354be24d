import { join } from "node:path";
import { root } from "./paths.ts";

/** The functions that policies/definers.md argues for, as `schema.name(type,type)`; public ones without their schema. */
export function definersLedger(path = join(root, "policies/definers.md")): Set<string> {
  const lines = Deno.readTextFileSync(path).matchAll(/^\| `([^`]+)` \| .*\S.* \|$/gm);
  return new Set([...lines].map((line) => line[1]!));
}
