/** The card, and on our own page everything else of it. */
import { css } from "../base/sheet.ts";

export const frame = css`
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
  @container (max-width: 14rem) {
    /* large text on a telephone */
    .initials,
    .row > .icon {
      display: none;
    }
    .field:has(> .link) {
      grid-template-columns: minmax(0, 1fr);
    }
    .field > .link {
      grid-area: auto;
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
    min-height: 13rem;
  }
  footer {
    grid-row: 3;
    display: flex;
    flex-wrap: wrap;
    align-items: baseline;
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
    footer select {
      margin-inline-start: -0.5625rem; /* its words stand where the card's do */
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
