import { type Plugin, transform } from "esbuild";

/** Takes the spaces out of what is marked css`…` in files named `…style.ts`; light-dark() and nesting stay as they are. */
export const minifyCss: Plugin = {
  name: "minify css",
  setup(build) {
    build.onLoad({ filter: /style\.ts$/ }, async ({ path }) => ({
      contents: await minifyCssText(await Deno.readTextFile(path)),
      loader: "ts",
    }));
  },
};

export async function minifyCssText(source: string): Promise<string> {
  const pieces = source.split(/\bcss`([^`]*)`/);
  for (let n = 1; n < pieces.length; n += 2) {
    const { code } = await transform(pieces[n]!, { loader: "css", minify: true, charset: "utf8" });
    pieces[n] = `css\`${code.trim().replaceAll("\\", "\\\\")}\``;
  }
  return pieces.join("");
}
