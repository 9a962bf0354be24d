/** Buttons, and what leads on. */
import { css } from "./sheet.ts";

export const buttons = css`
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
    font-weight: 500;
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
  .many {
    grid-template-columns: repeat(auto-fit, minmax(min(8rem, 100%), 1fr));
  }
  .many > * {
    gap: 0.5rem;
    padding-inline: 0.625rem;
    font-size: 0.9375rem;
    text-align: start;
  }
  .many > :last-child:nth-child(odd) {
    grid-column: 1 / -1;
  }
  .view > .ways + .ways {
    margin-top: 0.625rem;
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
`;
