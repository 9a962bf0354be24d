/**
 * Builds what browsers load: widget/dist and portal/dist.
 *
 *   deno task build
 *
 * Prints one line a bundle: name, bytes, bytes after brotli. Exit 0 built · 1 failed, or a bundle is over its budget.
 */
import { fileURLToPath } from "node:url";
import { buildBundles } from "./build/bundle.ts";

const built = await buildBundles(fileURLToPath(new URL("..", import.meta.url)));
for (const bundle of built) {
  console.log(
    `${bundle.name}\t${bundle.output}\t${bundle.bytes} B\t${bundle.brotliBytes} B brotli`,
  );
}
const over = built.filter((bundle) => bundle.overBudget);
for (const bundle of over) {
  console.error(`Bundle "${bundle.name}" is over its budget: ${bundle.brotliBytes} B after brotli`);
}
if (over.length > 0) Deno.exit(1);
