import { ar } from "./ar.ts";
import { da } from "./da.ts";
import { de } from "./de.ts";
import { en, type Texts } from "./en.ts";
import { es } from "./es.ts";
import { fr } from "./fr.ts";
import { ru } from "./ru.ts";

export type { Texts } from "./en.ts";

export const languages: Record<string, Texts> = { en, ru, de, fr, es, da, ar };

export interface Language {
  tag: string;
  texts: Texts;
  direction: "ltr" | "rtl";
}

/** By the first part of the tag (`de-AT` is `de`); English where we have none. */
export function languageOf(tag: string | null): Language {
  const base = tag?.toLowerCase().split("-")[0] ?? "";
  const found = Object.hasOwn(languages, base) ? base : "en";
  return {
    tag: found,
    texts: languages[found]!,
    direction: found === "ar" ? "rtl" : "ltr",
  };
}
