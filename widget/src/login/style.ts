/**
 * One constructed style sheet for all elements on a page: no `style` element, so no `unsafe-inline`. The build takes the spaces out.
 *
 * Colours follow the page's `color-scheme`; the element does not set one unless `theme` asks for it. These are the values that
 * the database knows too (private.widget_colours): every pair of text and ground is at least 4.5 : 1, edges and focus 3 : 1.
 * Widths answer to the element, not to the window: it may stand in a narrow column of a customer's page.
 */
import { css, sheetOf } from "../base/sheet.ts";

const base = css`
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

  h1,
  h2 {
    margin: 0;
    outline: none;
    font-size: 1.625rem;
    line-height: 1.2;
    font-weight: 650;
    letter-spacing: -0.015em;
    text-wrap: balance;
    overflow-wrap: anywhere;
  }
  p,
  ul {
    margin: 0;
  }
  ul {
    padding: 0;
    list-style: none;
  }
  .lead {
    margin-top: 0.5rem;
    color: var(--_muted);
    text-wrap: pretty;
    overflow-wrap: anywhere;
  }
  .view > :is(form, .primary, .ways, .rows, .codes-block, .totp, .turning, .mark, .or, .quiet) {
    margin-top: 1.5rem;
  }
  .view > .or + .ways {
    margin-top: 1.125rem;
  }
  .view > form + .or {
    margin-top: 1.25rem;
  }
  form {
    display: grid;
    gap: 1.125rem;
  }
  .field {
    display: grid;
    gap: 0.375rem;
    min-width: 0;
  }
  .line {
    display: flex;
    flex-wrap: wrap;
    align-items: baseline;
    justify-content: space-between;
    gap: 0 1rem;
  }
  label,
  .label {
    font-size: 0.9375rem;
    font-weight: 550;
  }
  .control {
    position: relative;
    display: grid;
  }
  input:not([type="checkbox"]),
  select {
    width: 100%;
    min-height: 2.875rem;
    margin: 0;
    padding: 0.5rem 0.875rem;
    color: inherit;
    background: var(--_field);
    font: inherit;
    border: 1px solid var(--_border);
    border-radius: var(--_radius);
    transition: border-color 120ms;
  }
  input[type="password"]:not(:placeholder-shown) {
    font-family: inherit;
  }
  .control:has(.toggle) input {
    padding-inline-end: 3rem;
  }
  input:hover {
    border-color: var(--_text);
  }
  input.code {
    font-size: 1.25rem;
    letter-spacing: 0.18em;
    font-variant-numeric: tabular-nums;
  }
  [dir="rtl"] input.code {
    direction: ltr;
    text-align: end;
  }
  :focus-visible {
    outline: 2px solid var(--_accent);
    outline-offset: 2px;
  }
  input[aria-invalid="true"] {
    border-color: var(--_danger);
  }
  input:-webkit-autofill {
    -webkit-text-fill-color: var(--_text);
    box-shadow: inset 0 0 0 4rem color-mix(in srgb, var(--_accent) 9%, var(--_field));
  }
  .tick {
    display: flex;
    gap: 0.625rem;
    align-items: center;
    min-height: 1.5rem;
    font-weight: 400;
  }
  .tick input {
    width: 1.25rem;
    height: 1.25rem;
    margin: 0;
    accent-color: var(--_accent);
    flex: none;
  }
  .links {
    display: flex;
    flex-wrap: wrap;
    gap: 0.25rem 1.25rem;
    padding-inline-start: 1.875rem;
    font-size: 0.9375rem;
  }
  a {
    color: inherit;
    text-underline-offset: 0.2em;
  }

  button {
    font: inherit;
    color: inherit;
    cursor: pointer;
    border-radius: var(--_radius);
  }
  .primary,
  .secondary {
    display: flex;
    align-items: center;
    justify-content: center;
    gap: 0.625rem;
    width: 100%;
    min-height: 2.875rem;
    padding: 0.5rem 1.125rem;
    border: 1px solid var(--_line);
    background: none;
    font-weight: 550;
    transition: background-color 120ms, filter 120ms;
    overflow-wrap: anywhere;
  }
  .secondary:hover {
    background: var(--_tint);
    border-color: var(--_border);
  }
  .secondary .icon {
    color: var(--_muted);
  }
  .primary {
    color: var(--_on-accent);
    background: var(--_accent);
    border-color: transparent;
    font-weight: 600;
  }
  .primary:hover {
    filter: brightness(1.08);
  }
  .danger {
    color: var(--_danger);
  }
  [aria-disabled="true"] {
    cursor: progress;
  }
  :is(.primary, .secondary)[aria-disabled="true"] > .icon {
    display: none;
  }
  :is(.primary, .secondary)[aria-disabled="true"]::before,
  .turning::before {
    content: "";
    width: 1.0625rem;
    height: 1.0625rem;
    border-radius: 50%;
    flex: none;
    border: 2px solid currentColor;
    border-inline-end-color: transparent;
    animation: turn 800ms linear infinite;
  }
  .turning {
    display: grid;
    place-items: center;
    min-height: 6rem;
    color: var(--_accent);
  }
  .turning::before {
    width: 2rem;
    height: 2rem;
    border-width: 3px;
  }
  .link {
    display: inline-flex;
    align-items: center;
    min-height: 1.5rem;
    padding: 0;
    border: 0;
    background: none;
    color: var(--_accent);
    font-weight: 550;
    font-size: 0.9375rem;
    text-decoration: underline;
    text-decoration-color: transparent;
    text-underline-offset: 0.2em;
    text-align: start;
  }
  .link:hover,
  .link:focus-visible {
    text-decoration-color: currentColor;
  }
  .link[aria-disabled="true"] {
    color: var(--_muted);
    font-weight: 400;
    cursor: default;
    text-decoration: none;
    font-variant-numeric: tabular-nums;
  }
  .back {
    display: inline-flex;
    align-items: center;
    gap: 0.25rem;
    min-height: 1.75rem;
    margin-block-end: 0.75rem;
    margin-inline-start: -0.375rem;
    padding: 0 0.5rem 0 0.125rem;
    border: 0;
    background: none;
    color: var(--_muted);
    font-size: 0.9375rem;
  }
  [dir="rtl"] .back {
    padding: 0 0.125rem 0 0.5rem;
  }
  .back:hover {
    color: var(--_text);
  }
  .icon {
    width: 1.25rem;
    height: 1.25rem;
    flex: none;
    fill: none;
    stroke: currentColor;
    stroke-width: 1.75;
    stroke-linecap: round;
    stroke-linejoin: round;
  }
  .back .icon {
    width: 1.125rem;
    height: 1.125rem;
  }
  [dir="rtl"] :is(.back .icon, .row > .icon) {
    transform: scaleX(-1);
  }
  .toggle,
  .tool {
    display: grid;
    place-items: center;
    padding: 0;
    color: var(--_muted);
    background: none;
    border: 0;
  }
  .toggle {
    position: absolute;
    inset-block: 0;
    inset-inline-end: 0;
    width: 2.875rem;
  }
  .toggle:hover,
  .tool:hover {
    color: var(--_text);
  }
  .toggle:focus-visible {
    outline-offset: -4px;
  }
  .toggle path:last-child {
    display: none;
  }
  .toggle[aria-pressed="true"] path:last-child {
    display: inline;
  }
  .ways {
    display: grid;
    gap: 0.625rem;
  }
  .or {
    display: flex;
    align-items: center;
    gap: 0.875rem;
    color: var(--_muted);
    font-size: 0.875rem;
  }
  .or::before,
  .or::after {
    content: "";
    flex: 1;
    height: 1px;
    background: var(--_line);
  }
  .note {
    margin-top: 1.25rem;
    color: var(--_muted);
    font-size: 0.9375rem;
  }
  .quiet,
  .small {
    color: var(--_muted);
  }
  .small {
    font-size: 0.875rem;
    overflow-wrap: anywhere;
  }
  .later {
    position: absolute;
    inset-inline-start: 0;
    width: 1px;
    height: 1px;
    overflow: hidden;
    clip-path: inset(50%);
  }
  .view {
    position: relative;
  }

  .rows {
    display: grid;
    gap: 0.5rem;
  }
  .rows li {
    position: relative;
    display: flex;
    align-items: center;
  }
  .row {
    flex: 1;
    min-width: 0;
    display: flex;
    align-items: center;
    gap: 0.875rem;
    padding: 0.625rem 0.75rem;
    min-height: 3.75rem;
    border: 1px solid var(--_line);
    background: none;
    text-align: start;
  }
  .row:has(+ .tool) {
    padding-inline-end: 3rem;
  }
  .row:hover {
    background: var(--_tint);
    border-color: var(--_border);
  }
  .row > .icon {
    margin-inline-start: auto;
    color: var(--_muted);
  }
  .rows .tool {
    position: absolute;
    inset-inline-end: 0.375rem;
    width: 2.25rem;
    height: 2.25rem;
  }
  .initials {
    display: grid;
    place-items: center;
    width: 2.375rem;
    height: 2.375rem;
    flex: none;
    border-radius: 50%;
    background: var(--_tint);
    color: var(--_accent);
    font-size: 0.875rem;
    font-weight: 600;
  }
  .two {
    display: grid;
    min-width: 0;
    line-height: 1.35;
  }
  .two .text {
    font-weight: 550;
    overflow-wrap: anywhere;
  }
  .badge {
    margin-inline-start: auto;
    padding: 0.0625rem 0.5rem;
    border-radius: 1rem;
    background: var(--_tint);
    color: var(--_accent);
    font-size: 0.8125rem;
    font-weight: 550;
    white-space: nowrap;
  }

  .fault {
    display: flex;
    gap: 0.375rem;
    color: var(--_danger);
    font-size: 0.875rem;
    line-height: 1.4;
  }
  .fault .icon {
    width: 1rem;
    height: 1rem;
    margin-top: 0.125rem;
  }
  .error:empty {
    position: absolute;
  } /* still there, so that what it says next is announced */
  .error:not(:empty) {
    display: flex;
    gap: 0.625rem;
    margin-top: 1.25rem;
    padding: 0.75rem 0.875rem;
    font-size: 0.9375rem;
    line-height: 1.45;
    color: var(--_danger);
    background: var(--_danger-ground);
    border-radius: var(--_radius);
  }
  .error .icon {
    margin-top: 0.0625rem;
  }
  .voice {
    position: absolute;
    width: 1px;
    height: 1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }
  .rules {
    display: grid;
    grid-template-columns: repeat(auto-fit, minmax(min(11rem, 100%), 1fr));
    gap: 0.125rem 1rem;
    margin-top: 0.25rem;
    color: var(--_muted);
    font-size: 0.875rem;
  }
  .rules li {
    padding-inline-start: 1.25rem;
    text-indent: -1.25rem;
  }
  .rules li::before {
    content: "○";
    display: inline-block;
    width: 1.25rem;
    text-indent: 0;
  }
  .rules .met {
    color: var(--_accent);
  }
  .rules .met::before {
    content: none;
  }
  .rules .met::first-letter {
    letter-spacing: 0.25em;
  }

  .totp {
    display: grid;
    gap: 1.25rem;
    justify-items: center;
  }
  .totp .field {
    width: 100%;
  }
  .totp + form {
    margin-top: 1.25rem;
  }
  .qr {
    width: min(12.5rem, 100%);
    border-radius: var(--_radius);
    background: #fff;
    fill: #000;
    shape-rendering: crispEdges;
    outline: 1px solid var(--_line);
  }
  .secret {
    display: flex;
    align-items: center;
    gap: 0.5rem;
  }
  .secret code {
    flex: 1;
    min-width: 0;
    padding: 0.5rem 0.75rem;
    border-radius: var(--_radius);
    background: var(--_tint);
    overflow-wrap: anywhere;
    font-size: 0.9375rem;
  }
  .secret .secondary {
    width: auto;
    min-height: 2.5rem;
    padding-inline: 0.75rem;
  }
  .app {
    justify-self: start;
    font-size: 0.9375rem;
    color: var(--_accent);
  }
  .codes {
    display: grid;
    grid-template-columns: repeat(auto-fit, minmax(8.5rem, 1fr));
    gap: 0.375rem 1rem;
    padding: 1rem;
    border-radius: var(--_radius);
    background: var(--_tint);
    font-family: ui-monospace, "Cascadia Code", Consolas, "DejaVu Sans Mono", monospace;
    text-align: center;
  }
  .tools {
    display: flex;
    flex-wrap: wrap;
    gap: 0.5rem;
    margin-top: 0.75rem;
  }
  .tools > * {
    flex: 1 1 7rem;
    min-height: 2.5rem;
    padding-inline: 0.75rem;
    font-size: 0.9375rem;
  }
  .others {
    margin-top: 1.25rem;
  }
  .others summary {
    width: fit-content;
    min-height: 1.5rem;
    cursor: pointer;
    color: var(--_accent);
    font-weight: 550;
    font-size: 0.9375rem;
    border-radius: 4px;
  }
  .others .ways {
    margin-top: 0.75rem;
  }
  .mark {
    display: grid;
    place-items: center;
    width: 4rem;
    height: 4rem;
    margin-inline: auto;
    border-radius: 50%;
    background: var(--_tint);
    color: var(--_accent);
  }
  .mark .icon {
    width: 2rem;
    height: 2rem;
    stroke-width: 2.25;
  }
  .mark + .quiet {
    text-align: center;
    margin-top: 1rem;
  }

  @keyframes turn {
    to {
      transform: rotate(1turn);
    }
  }
  @media (prefers-reduced-motion: reduce) {
    *,
    *::before,
    *::after {
      transition: none !important;
    }
    [aria-disabled="true"]::before,
    .turning::before {
      animation-duration: 4s !important;
    }
  }
  @media (forced-colors: active) {
    .primary,
    .secondary,
    .row,
    .error:not(:empty),
    .codes,
    .secret code {
      border: 1px solid;
    }
    .qr {
      forced-color-adjust: none;
    }
  }
  @media print {
    .primary,
    .tools,
    .back,
    footer,
    .error {
      display: none !important;
    }
  }
`;

/** Around the screens: the card, and on our own page everything else of it. */
const frame = css`
  .frame {
    display: grid;
    container-type: inline-size;
  }
  .logo {
    display: block;
    max-width: 12rem;
    max-height: 3rem;
    margin-bottom: 1.5rem;
  }
  .logo[src=""] {
    display: none;
  }
  .card[data-layout="card"] {
    padding: 2rem;
    background: var(--_ground);
    border: 1px solid var(--_line);
    border-radius: calc(var(--_radius) * 1.6);
  }
  @container (max-width: 24rem) {
    .card[data-layout="card"] {
      padding: 1.25rem;
    }
  }
  .page {
    display: grid;
    min-height: 100svh;
    grid-template-rows: 1fr auto auto 1.35fr;
    justify-items: center;
    align-items: start;
    padding: 1.5rem;
    background: var(--_backdrop);
  }
  .page .card {
    grid-row: 2;
    width: min(100%, 27rem);
    padding: 2.25rem;
    background: var(--_ground);
    border: 1px solid var(--_line);
    border-radius: calc(var(--_radius) * 1.8);
    box-shadow: 0 1px 2px rgb(0 0 0 / 4%), 0 12px 40px -12px rgb(0 0 0 / 12%);
  }
  .page .stage {
    min-height: 16rem;
  }
  footer {
    grid-row: 3;
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    justify-content: center;
    gap: 0.25rem 1rem;
    width: min(100%, 27rem);
    padding-top: 1.25rem;
    color: var(--_muted);
    font-size: 0.875rem;
  }
  footer select {
    width: auto;
    min-height: 1.75rem;
    padding: 0 0.25rem;
    border-color: transparent;
    background: none;
    color: inherit;
    font-size: inherit;
    text-align: start;
  }
  footer select:hover {
    border-color: var(--_border);
  }
  footer option {
    color: var(--_text);
    background: var(--_ground);
  }
  .page[data-layout="plain"] {
    background: var(--_ground);
  }
  .page[data-layout="plain"] .card {
    border: 0;
    box-shadow: none;
  }
  .brand {
    display: none;
  }
  @container (min-width: 56rem) {
    .page[data-layout="split"] {
      grid-template-columns: 5fr 6fr;
      column-gap: 0;
      padding: 0;
      background: var(--_ground);
    }
    .page[data-layout="split"] .brand {
      grid-column: 1;
      grid-row: 1 / -1;
      align-self: stretch;
      justify-self: stretch;
      display: flex;
      flex-direction: column;
      justify-content: flex-end;
      gap: 0.5rem;
      padding: 3rem;
      color: var(--_on-accent);
      background: radial-gradient(120% 90% at 0 0, color-mix(in srgb, var(--_on-accent) 14%,
        transparent), transparent), var(--_accent);
    }
    .page[data-layout="split"] :is(.card, footer) {
      grid-column: 2;
      border: 0;
      box-shadow: none;
    }
  }
  .brand b {
    font-size: 2rem;
    line-height: 1.15;
    font-weight: 650;
    letter-spacing: -0.02em;
    text-wrap: balance;
    overflow-wrap: anywhere;
  }
  @media (max-width: 30rem) {
    .page {
      grid-template-rows: auto auto 1fr;
      padding: 0;
      background: var(--_ground);
      justify-items: stretch;
    }
    .page .card {
      grid-row: 1;
      width: auto;
      padding: 1.75rem 1.25rem;
      border: 0;
      border-radius: 0;
      box-shadow: none;
      background: none;
    }
    footer {
      grid-row: 2;
      width: auto;
      justify-content: flex-start;
      padding: 0.5rem 1.25rem 1.5rem;
    }
    .page .stage {
      min-height: 0;
    }
  }
  .open {
    display: inline-flex;
    width: auto;
    padding-inline: 1.375rem;
  }
  :host(:is([mode="redirect"], [mode="popup"], :not([mode], [flow]))) {
    display: inline-block;
  }
  .soon {
    animation: appear 1ms 500ms both;
  } /* an answer within half a second shows no wheel */
  @keyframes appear {
    from {
      visibility: hidden;
    }
  }
`;

export const baseSheet = () => sheetOf(base);
export const frameSheet = () => sheetOf(frame);
