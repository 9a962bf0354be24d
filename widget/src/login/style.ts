/**
 * One constructed style sheet for all elements on a page: no `style` element, so no `unsafe-inline`.
 *
 * Colours follow the page's `color-scheme`; the element does not set one unless `theme` asks for it.
 * Every pair of text and ground below is at least 4.5 : 1, edges of fields and focus at least 3 : 1.
 */
const css = `
:host {
  --_accent: var(--gatehouse-accent, light-dark(#17594a, #7cd9bf));
  --_on-accent: var(--gatehouse-on-accent, light-dark(#ffffff, #06231c));
  --_text: var(--gatehouse-text, light-dark(#17201d, #eef3f0));
  --_muted: var(--gatehouse-muted, light-dark(#56635e, #a9b8b1));
  --_field: var(--gatehouse-field, light-dark(#ffffff, #0f1513));
  --_border: var(--gatehouse-border, light-dark(#84918c, #6b7a74));
  --_danger: var(--gatehouse-danger, light-dark(#a3211b, #ffb4ab));
  --_danger-ground: var(--gatehouse-danger-ground, light-dark(#fdf0ef, #3a1715));
  --_radius: var(--gatehouse-radius, 10px);
  --_font: var(--gatehouse-font, system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif);
  display: block;
  color: var(--_text);
  font: 400 1rem/1.5 var(--_font);
  text-align: start;
}
:host([hidden]), [hidden] { display: none !important; }
:host([theme="light"]) { color-scheme: light; }
:host([theme="dark"]) { color-scheme: dark; }
:host(:not([flow])) { display: inline-block; }
*, *::before, *::after { box-sizing: border-box; }

h1 { margin: 0; outline: none; font-size: 1.625rem; line-height: 1.2; font-weight: 650; letter-spacing: -0.015em; text-wrap: balance; }
.subheading { margin: 0.375rem 0 0; min-height: 1.5em; color: var(--_muted); text-wrap: balance; overflow-wrap: anywhere; }
form { display: grid; gap: 1.125rem; margin-top: 1.75rem; }
.field { display: grid; gap: 0.375rem; }
label { font-size: 0.9375rem; font-weight: 550; }
.control { position: relative; display: grid; }
input {
  width: 100%; min-height: 2.875rem; margin: 0; padding: 0.5rem 0.875rem;
  color: inherit; background: var(--_field); font: inherit;
  border: 1px solid var(--_border); border-radius: var(--_radius);
  transition: border-color 120ms, box-shadow 120ms;
}
.control.with-toggle input { padding-inline-end: 3rem; }
input:hover { border-color: var(--_text); }
input:focus-visible, button:focus-visible { outline: 2px solid var(--_accent); outline-offset: 2px; }
input[aria-invalid="true"] { border-color: var(--_danger); }
input:-webkit-autofill { -webkit-text-fill-color: var(--_text); box-shadow: inset 0 0 0 4rem color-mix(in srgb, var(--_accent) 9%, var(--_field)); }

button { font: inherit; cursor: pointer; }
.submit {
  display: inline-flex; align-items: center; justify-content: center; gap: 0.625rem;
  min-height: 2.875rem; padding: 0.5rem 1.375rem; color: var(--_on-accent); background: var(--_accent);
  border: 0; border-radius: var(--_radius); font-weight: 600; transition: filter 120ms, transform 80ms;
}
form .submit { margin-top: 0.375rem; width: 100%; }
.submit:hover { filter: brightness(1.1); }
.submit:active { transform: translateY(1px); }
.submit[aria-disabled="true"] { cursor: progress; filter: saturate(0.7); }
.submit[aria-disabled="true"]::before {
  content: ""; width: 1.0625rem; height: 1.0625rem; border-radius: 50%;
  border: 2px solid currentColor; border-inline-end-color: transparent; animation: turn 800ms linear infinite;
}
.toggle {
  position: absolute; inset-block: 0; inset-inline-end: 0; width: 2.875rem; padding: 0;
  display: grid; place-items: center; color: var(--_muted); background: none; border: 0; border-radius: var(--_radius);
}
.toggle:hover { color: var(--_text); }
.toggle:focus-visible { outline-offset: -3px; }
svg { width: 1.25rem; height: 1.25rem; fill: none; stroke: currentColor; stroke-width: 1.75; stroke-linecap: round; stroke-linejoin: round; }
.toggle svg path:last-child { display: none; }
.toggle[aria-pressed="true"] svg path:last-child { display: inline; }

.fault { margin: 0; color: var(--_danger); font-size: 0.875rem; line-height: 1.4; }
.error:empty { position: absolute; } /* still there, so that what it says next is announced */
.error { margin: 0; }
.error:not(:empty) {
  padding: 0.75rem 0.875rem; font-size: 0.9375rem; line-height: 1.45; color: var(--_danger);
  background: var(--_danger-ground); border-radius: var(--_radius);
}
.status { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.stopped { margin-top: 1.5rem; display: grid; gap: 0.75rem; }
.stopped p { margin: 0; }
.stopped p + p { color: var(--_muted); }

@keyframes turn { to { transform: rotate(1turn); } }
@media (prefers-reduced-motion: reduce) {
  *, *::before, *::after { transition: none !important; }
  .submit[aria-disabled="true"]::before { animation-duration: 3s; }
}
@media (forced-colors: active) {
  .submit { border: 1px solid; }
}
`;

let sheet: CSSStyleSheet | undefined;

export function styleSheet(): CSSStyleSheet {
  if (sheet === undefined) {
    sheet = new CSSStyleSheet();
    sheet.replaceSync(css);
  }
  return sheet;
}
