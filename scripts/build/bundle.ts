import { build, stop } from "esbuild";
import { basename, dirname, join } from "node:path";
import { brotliCompressSync } from "node:zlib";
import { type Bundle, bundles } from "./bundles.ts";
import { minifyCss } from "./minify_css.ts";
import { buildTexts, textBudget, textConstants } from "./texts.ts";

export interface BuiltBundle {
  name: string;
  output: string;
  bytes: number;
  brotliBytes: number;
  overBudget: boolean;
}

/** Builds everything that a browser loads into the `dist` folders under `root`. */
export async function buildBundles(root: string): Promise<BuiltBundle[]> {
  try {
    const texts = await buildTexts(join(root, "widget/dist"));
    const constants = textConstants(texts);
    const scripts = bundles.map((bundle) => buildBundle(root, bundle, constants));
    return [
      ...await Promise.all(scripts),
      ...texts.map(({ name, bytes, brotliBytes }) => ({
        name: `texts ${name}`,
        output: `widget/dist/texts/${name}.txt`,
        bytes,
        brotliBytes,
        overBudget: brotliBytes > textBudget,
      })),
    ];
  } finally {
    await stop(); // esbuild's own process would keep this one alive
  }
}

async function buildBundle(
  root: string,
  bundle: Bundle,
  constants: Record<string, string>,
): Promise<BuiltBundle> {
  const output = join(root, bundle.output);
  await build({
    absWorkingDir: root,
    entryPoints: [bundle.entry],
    outfile: output,
    bundle: true,
    minify: true,
    ...bundle.format ? { format: bundle.format, target: ["es2022"] } : {}, // light-dark() stays as it is
    charset: "utf8",
    legalComments: "none",
    logLevel: "warning",
    ...bundle.texts ? { define: constants, plugins: [minifyCss] } : {},
  });
  for (const file of bundle.files) {
    await Deno.copyFile(join(root, file), join(dirname(output), basename(file)));
  }
  const script = await Deno.readFile(output);
  const brotliBytes = brotliCompressSync(script).byteLength;
  return {
    name: bundle.name,
    output: bundle.output,
    bytes: script.byteLength,
    brotliBytes,
    overBudget: brotliBytes > (bundle.brotliBudget ?? Infinity),
  };
}
