// What the product promises of the scripts' size and form, measured on what is built.
import assert from "node:assert/strict";
import { brotliCompressSync } from "node:zlib";
import { minifyCssText } from "../../scripts/build/minify_css.ts";
import { textBudget } from "../../scripts/build/texts.ts";
import { bundles } from "../../scripts/build/bundles.ts";
import { assetNames } from "../../functions/widget/assets.ts";

const dist = new URL("../../widget/dist/", import.meta.url);
const sizeOf = async (name: string) =>
  brotliCompressSync(await Deno.readFile(new URL(name, dist))).byteLength;

Deno.test("bundles: sign-in and account page weigh at most 20,000 bytes each after brotli (q11)", async () => {
  for (const name of ["gatehouse.js", "account.js"]) {
    const budget = bundles.find(({ output }) => output.endsWith(`/${name}`))!.brotliBudget;
    assert.equal(budget, 20_000, name);
    assert.ok(await sizeOf(name) <= budget, `${name}: ${await sizeOf(name)} bytes`);
  }
});

Deno.test("bundles: each language weighs at most 1,500 bytes, and is served", async () => {
  assert.equal(textBudget, 1500);
  const files = (await Array.fromAsync(Deno.readDir(new URL("texts/", dist)))).map(({ name }) =>
    name
  );
  assert.equal(files.length, 12);
  for (const file of files) {
    assert.ok(
      await sizeOf(`texts/${file}`) <= textBudget,
      `${file}: ${await sizeOf(`texts/${file}`)}`,
    );
    assert.ok(assetNames.includes(`texts/${file}`), file);
  }
});

Deno.test("bundles: nothing in them that a strict policy refuses, no address, nothing of the schemas", async () => {
  for (const name of ["gatehouse.js", "account.js"]) {
    const script = await Deno.readTextFile(new URL(name, dist));
    assert.doesNotMatch(
      script,
      /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function/,
    );
    const addresses = script.match(/https?:\/\/[^"'`\s]+/g) ?? [];
    assert.deepEqual(addresses.filter((url) => url !== "http://www.w3.org/2000/svg"), []);
    assert.doesNotMatch(script, /invalid_union|ZodError/);
  }
});

Deno.test("build: style sheets lose their spaces and nothing else", async () => {
  const text =
    "export const a = css`\n  p { margin: 0; color: light-dark(#fff, #000); }\n`;\nconst b = `p { x }`;";
  assert.equal(
    await minifyCssText(text),
    "export const a = css`p{margin:0;color:light-dark(#fff,#000)}`;\nconst b = `p { x }`;",
  );
});
