/** English is built in; every other language is one small file, fetched when it is asked for (scripts/build/texts.ts writes them). */

/** `de`, `account.de` …: the hash of each file's content. Filled in by the build. */
declare const TEXT_FILES: Record<string, string>;
/** What the lines stand for: a file of another version is not read. */
declare const TEXT_SHAPES: Record<string, string>;

/** Every language there is; each in its own name is written by the browser (`Intl.DisplayNames`). */
export const languages = ["en", "ru", "de", "fr", "es", "da", "ar"] as const;

export type Values = Record<string, string | number>;

/** The text of a key, its `{…}` filled in. */
export type Translate<K extends string> = (key: K, values?: Values) => string;

/** The nearest of what there is: `de-AT` is `de`; who asks for none of them gets the first that is offered. */
export function nearestLanguage(asked: string | undefined, offered: readonly string[]): string {
  const known = (offered.length > 0 ? offered : languages).filter((tag) =>
    (languages as readonly string[]).includes(tag)
  );
  const wanted = (asked ?? "").toLowerCase().split("-")[0];
  return known.find((tag) => tag === wanted) ?? known[0] ?? "en";
}

export const direction = (language: string) => language === "ar" ? "rtl" : "ltr";

/**
 * The texts of one language over English ones. `prefix` is the name before the language's, for the account page's.
 * A file that does not come, or is of another version, leaves English: no sign-in fails for want of words.
 */
export async function loadTexts<T extends Record<string, string>>(
  english: T,
  folder: string,
  language: string,
  prefix = "",
): Promise<T> {
  const name = prefix + language;
  const hash = typeof TEXT_FILES === "undefined" ? undefined : TEXT_FILES[name];
  if (hash === undefined) return english;
  try {
    const response = await fetch(new URL(`texts/${name}.txt?h=${hash}`, folder));
    return response.ok
      ? readTexts(english, await response.text(), TEXT_SHAPES[prefix]!) ?? english
      : english;
  } catch {
    return english;
  }
}

/** A line a text, in the order of the English ones; above them what they were written for. Undefined if that is not `shape`. */
export function readTexts<T extends Record<string, string>>(
  english: T,
  file: string,
  shape: string,
): T | undefined {
  const [first, ...lines] = file.split("\n");
  if (first !== shape) return undefined;
  return Object.fromEntries(Object.keys(english).map((key, n) => [key, lines[n]])) as T;
}

/** In Arabic sentences names keep their own direction (U+2068, U+2069). */
export function translator<K extends string>(
  texts: Record<K, string>,
  language = "en",
): Translate<K> {
  const [before, after] = direction(language) === "rtl" ? ["\u2068", "\u2069"] : ["", ""];
  return (key, values = {}) =>
    texts[key].replace(
      /\{(\w+)\}/g,
      (all, name) => name in values ? before + values[name] + after : all,
    );
}

/** Slugs that mean the same to the person at the screen. */
const same: Record<string, string> = {
  password_too_weak: "weak",
  password_not_allowed: "x_way_not_allowed",
  factor_required: "x_way_not_allowed",
  email_not_verified: "x_way_not_allowed",
  platform_user_refused: "x_way_not_allowed",
  intent_refused: "x_external_account_unknown",
  logout_refused: "x_flow_not_found",
  origin_refused: "x_inline_refused",
};

/** The text of a problem, by its slug; a slug without a text of its own gets the general one. */
export function problemText(texts: Record<string, string>, slug: string): string {
  return texts[same[slug] ?? `x_${slug}`] ?? texts.x_other!;
}
