import { en, type Texts } from "./en.ts";

export type { Texts };

const languages: Record<string, Texts> = { en };

/** The texts of the nearest language: `de-AT` falls back to `de`, then to English. */
export function textsFor(language: string | undefined): Texts {
  const tag = (language ?? "").toLowerCase();
  return languages[tag] ?? languages[tag.split("-")[0] ?? ""] ?? en;
}

/** The text of a problem, by its slug; a slug without a text of its own gets the general one. */
export function problemText(texts: Texts, slug: string): string {
  return (texts.problems as Record<string, string>)[slug] ?? texts.problems.other;
}
