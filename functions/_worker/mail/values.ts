// What is filled into texts. Names come from whoever registered: they must neither break a line nor say anything of their own.
import { Markup, markup } from "./markup.ts";

export type Values = Record<string, string>;

/** Control characters and those that turn the direction of what follows become nothing, white space a space. */
export function clean(text: string, longest = 100): string {
  const plain = text.replace(/\s+/gu, " ")
    .replace(/[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/gu, "").trim();
  const characters = [...plain];
  return characters.length > longest ? `${characters.slice(0, longest - 1).join("")}…` : plain;
}

/**
 * A person's name as it may be repeated to whatever address they gave, else undefined. No advertisement, no address that mail programs
 * make a link of: else a registration would send anybody's words to anybody.
 */
export function greetable(name: string | undefined): string | undefined {
  const plain = clean(name ?? "");
  const isName = /^[\p{L}\p{M}\p{N}'’.,\- ]{1,60}$/u.test(plain) &&
    !/[\p{L}\p{N}]{2,}\.[\p{L}]{2,}/u.test(plain) && (plain.match(/\p{N}/gu)?.length ?? 0) <= 4;
  return isName ? plain : undefined;
}

const placeholder = /\{(\w+)\}/g;

/** `{tenant}` and the like replaced, once: a value is never looked into. */
export function fillText(text: string, values: Values): string {
  return text.replace(placeholder, (_, name) => values[name]!);
}

/** The same as markup: each value escaped, and apart from the direction of the sentence. An address stays on one line. */
export function fillHtml(text: string, values: Values): Markup {
  const parts = text.split(placeholder).map((part, index) => {
    if (index % 2 === 0) return markup`${part}`;
    if (part !== "address") return markup`<bdi>${values[part]!}</bdi>`;
    return markup`<bdi dir="ltr" style="white-space:nowrap">${values.address!}</bdi>`;
  });
  return markup`${parts}`;
}

/** "10 minutes" in that language; hours from two on, days from two on. Rounded. */
export function duration(ms: number, language: string): string {
  const minutes = Math.max(1, Math.round(ms / 60_000));
  const [count, unit] = minutes < 120
    ? [minutes, "minute"]
    : minutes < 2 * 24 * 60
    ? [Math.round(minutes / 60), "hour"]
    : [Math.round(minutes / (24 * 60)), "day"];
  // Latin digits throughout, as in the codes.
  return new Intl.NumberFormat(`${language}-u-nu-latn`, {
    style: "unit",
    unit,
    unitDisplay: "long",
  }).format(count);
}
