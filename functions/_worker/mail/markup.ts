/** Markup that may stand in a page as it is: made by `markup` only. */
export class Markup {
  constructor(readonly text: string) {}
}

type Part = Markup | string | number | undefined | Part[];

/** What is filled in is escaped, unless `markup` made it; undefined is nothing. Attributes stand in double quotes. */
export function markup(strings: TemplateStringsArray, ...parts: Part[]): Markup {
  return new Markup(String.raw({ raw: strings }, ...parts.map(written)));
}

function written(part: Part): string {
  if (part === undefined) return "";
  if (part instanceof Markup) return part.text;
  if (Array.isArray(part)) return part.map(written).join("");
  return String(part).replace(/[&<>"']/g, (char) => entities[char]!);
}

const entities: Record<string, string> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};
