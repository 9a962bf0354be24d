/** Words, forms and fields. */
import { css } from "./sheet.ts";

export const fields = css`
  h1,
  h2 {
    margin: 0;
    font-size: 1.625rem;
    line-height: 1.2;
    font-weight: 650;
    letter-spacing: -0.015em;
    text-wrap: balance;
    overflow-wrap: anywhere;
  }
  [dir="rtl"] :is(h1, h2) {
    letter-spacing: 0; /* Arabic letters join */
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
  .pair {
    display: grid;
    grid-template-columns: repeat(auto-fit, minmax(min(9rem, 100%), 1fr));
    gap: 1.125rem 0.75rem;
  }
  .field:has(> .link) {
    grid-template-columns: 1fr auto;
    column-gap: 1rem;
    align-items: baseline;
  }
  .field:has(> .link) > * {
    grid-column: 1 / -1;
  }
  .field:has(> .link) > label {
    grid-column: 1;
  }
  .field > .link {
    grid-area: 1 / 2;
    font-weight: 500;
  }
  label,
  .label {
    font-size: 0.9375rem;
    font-weight: 500; /* where a font has no medium weight: regular, so that headings and the one button stand out */
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
  :is(h1, h2):focus {
    outline: none; /* focused by script only, to be read out */
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
`;
