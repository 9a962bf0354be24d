/**
 * One constructed style sheet for all elements on a page: no `style` element, so no `unsafe-inline`. The build takes the spaces out.
 *
 * Colours follow the page's `color-scheme`; the element does not set one unless `theme` asks for it. These are the values that
 * the database knows too (private.widget_colours): every pair of text and ground is at least 4.5 : 1, edges and focus 3 : 1.
 * Widths answer to the element, not to the window: it may stand in a narrow column of a customer's page.
 */
import { css, sheetOf } from "../base/sheet.ts";
import { blocks, motion } from "../base/blocks_style.ts";
import { buttons } from "../base/buttons_style.ts";
import { fields } from "../base/fields_style.ts";
import { frame } from "./frame_style.ts";

const tokens = css`
  :host {
    --_accent: var(--gatehouse-accent, light-dark(#17594a, #7cd9bf));
    --_on-accent: var(--gatehouse-on-accent, light-dark(#ffffff, #06231c));
    --_text: var(--gatehouse-text, light-dark(#17201d, #eef3f0));
    --_muted: var(--gatehouse-muted, light-dark(#56635e, #a9b8b1));
    --_field: var(--gatehouse-field, light-dark(#ffffff, #0f1513));
    --_border: var(--gatehouse-border, light-dark(#84918c, #6b7a74));
    --_danger: var(--gatehouse-danger, light-dark(#a3211b, #ffb4ab));
    --_danger-ground: var(--gatehouse-danger-ground, light-dark(#fdf0ef, #3a1715));
    --_ground: var(--gatehouse-ground, light-dark(#ffffff, #161d1a));
    --_backdrop: var(--gatehouse-backdrop, light-dark(#f3f4f0, #0c110f));
    --_line: color-mix(in srgb, var(--_text) 13%, transparent);
    --_tint: color-mix(in srgb, var(--_accent) 9%, transparent);
    --_radius: var(--gatehouse-radius, 10px);
    --_font: var(--gatehouse-font, system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Noto Sans Arabic", sans-serif);
    display: block;
    color: var(--_text);
    font: 400 1rem/1.5 var(--_font);
    text-align: start;
    -webkit-text-size-adjust: 100%;
  }
  :host([hidden]),
  [hidden] {
    display: none !important;
  }
  :host([theme="light"]) {
    color-scheme: light;
  }
  :host([theme="dark"]) {
    color-scheme: dark;
  }
  *,
  *::before,
  *::after {
    box-sizing: border-box;
  }
`;

/** What every element wears. */
export const baseSheet = () => sheetOf(tokens + fields + buttons + blocks + motion);
/** What stands around the screens of a sign-in. */
export const frameSheet = () => sheetOf(frame);
