/**
 * The widget's languages as files to be fetched: a line a text, in the order of the English ones, above them what they were
 * written for (widget/src/texts/texts.ts reads them). Keys would weigh as much as the words.
 */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { brotliCompressSync } from "node:zlib";
import { en } from "../../widget/src/texts/en.ts";
import { accountEn } from "../../widget/src/texts/account_en.ts";
import { translations } from "../../widget/src/texts/all.ts";

/** Most bytes after brotli: a promise of the product. */
export const textBudget = 1500;

export interface BuiltText {
  /** `de`, `account.de` … */
  name: string;
  bytes: number;
  brotliBytes: number;
  hash: string;
}

/** Prefix of the file's name, and the English texts that give its order. */
export const textSets = { "": en, "account.": accountEn } as const;

const digest = (text: string, length: number) =>
  createHash("sha256").update(text).digest("base64url").slice(0, length);

/** Of the keys: a file for other keys is not read. */
export const shapeOf = (english: Record<string, string>) => digest(Object.keys(english).join(), 6);

export function textFile(english: Record<string, string>, texts: Record<string, string>): string {
  return [shapeOf(english), ...Object.keys(english).map((key) => texts[key])].join("\n");
}

/** Writes `texts/<name>.txt` into `folder`. */
export async function buildTexts(folder: string): Promise<BuiltText[]> {
  await Deno.mkdir(join(folder, "texts"), { recursive: true });
  const built: BuiltText[] = [];
  for (const [language, sets] of Object.entries(translations)) {
    for (const [prefix, english] of Object.entries(textSets)) {
      const file = textFile(english, sets[prefix as keyof typeof textSets]);
      const name = prefix + language;
      await Deno.writeTextFile(join(folder, "texts", `${name}.txt`), file);
      built.push({
        name,
        bytes: new TextEncoder().encode(file).byteLength,
        brotliBytes: brotliCompressSync(file).byteLength,
        hash: digest(file, 16),
      });
    }
  }
  return built;
}

/** What the scripts must know of them. */
export function textConstants(built: BuiltText[]): Record<string, string> {
  return {
    TEXT_FILES: JSON.stringify(Object.fromEntries(built.map(({ name, hash }) => [name, hash]))),
    TEXT_SHAPES: JSON.stringify(
      Object.fromEntries(
        Object.entries(textSets).map(([prefix, english]) => [prefix, shapeOf(english)]),
      ),
    ),
  };
}
