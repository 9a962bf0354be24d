/** Marks a style sheet's text, so that the build finds it and takes the spaces out (scripts/build/minify_css.ts). */
export const css = (text: TemplateStringsArray) => text[0]!;

const made = new Map<string, CSSStyleSheet>();

/** Shared by all elements on a page. */
export function sheetOf(text: string): CSSStyleSheet {
  let sheet = made.get(text);
  if (sheet === undefined) {
    sheet = new CSSStyleSheet();
    sheet.replaceSync(text);
    made.set(text, sheet);
  }
  return sheet;
}
