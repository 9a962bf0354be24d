/** A tenant's published look: custom properties below those that the page itself sets. */
import type { Look } from "../../../functions/widget/contract.ts";

/**
 * A sheet of one rule for `:host`, which any rule of the page outside wins against. Values go in by the object model, one
 * property each, so that none of them can begin a rule of its own.
 */
export function themeSheet(tokens: Look["tokens"]): CSSStyleSheet {
  const sheet = new CSSStyleSheet();
  sheet.insertRule(":host {}");
  const { style } = sheet.cssRules[0] as CSSStyleRule;
  for (const [name, value] of Object.entries(tokens)) {
    style.setProperty(`--gatehouse-${name}`, value);
  }
  return sheet;
}
