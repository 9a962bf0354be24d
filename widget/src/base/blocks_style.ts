/** Lists, faults, codes, and what changes by medium. */
import { css } from "./sheet.ts";

export const blocks = css`
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
  .fresh {
    color: var(--_accent);
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
  :is(.error, .fault) {
    overflow-wrap: anywhere;
  }
  .error span {
    min-width: 0;
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
    grid-template-columns: repeat(auto-fit, minmax(min(9.75rem, 100%), 1fr));
    gap: 0.125rem 0.75rem;
    margin-top: 0.25rem;
    color: var(--_muted);
    font-size: 0.8125rem;
  }
  .rules li:first-child:nth-last-child(odd) {
    grid-column: 1 / -1;
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
    border-radius: var(--_radius);
    background: var(--_tint);
  }
  .secret code {
    flex: 1;
    min-width: 0;
    padding-block: 0.5rem;
    padding-inline-start: 0.875rem;
    overflow-wrap: anywhere;
    font-size: 0.9375rem;
  }
  .secret .secondary {
    width: auto;
    min-height: 2.5rem;
    padding-inline: 0.75rem;
    border-color: transparent;
    font-size: 0.9375rem;
  }
  .app {
    justify-self: start;
    font-size: 0.9375rem;
    color: var(--_accent);
  }
  .codes {
    display: grid;
    grid-template-columns: repeat(auto-fit, minmax(min(8.5rem, 100%), 1fr));
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
    flex: 1 1 auto;
    width: auto;
    gap: 0.5rem;
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
    margin-top: 1rem;
  }
  .view:has(> .mark) {
    text-align: center;
  }
`;

export const motion = css`
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
    .secret {
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
