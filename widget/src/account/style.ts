/** The account page around what it shares with the sign-in. */
import { css, sheetOf } from "../base/sheet.ts";

const account = css`
  :host {
    min-height: 100svh;
    background: var(--_backdrop);
  }
  .account {
    width: min(100%, 46rem);
    margin-inline: auto;
    padding: 2.5rem 1.25rem 4rem;
  }
  .account > .stage > .view {
    display: grid;
    gap: 1.25rem;
  }
  .account > .stage > .view > * {
    margin: 0;
  }
  .person {
    display: flex;
    align-items: center;
    gap: 0.875rem;
    margin-bottom: 0.5rem !important;
  }
  .person .initials {
    width: 3rem;
    height: 3rem;
    font-size: 1.0625rem;
  }
  section {
    padding: 1.25rem 1.5rem 0.75rem;
    background: var(--_ground);
    border: 1px solid var(--_line);
    border-radius: calc(var(--_radius) * 1.4);
  }
  section h2 {
    font-size: 1.125rem;
    letter-spacing: 0;
  }
  .facts {
    margin-top: 0.5rem;
  }
  .facts li {
    display: flex;
    align-items: center;
    gap: 0.875rem;
    min-height: 3.5rem;
    padding-block: 0.5rem;
  }
  .facts li + li {
    border-top: 1px solid var(--_line);
  }
  .facts li > .icon {
    color: var(--_muted);
  }
  .facts .two {
    flex: 1;
  }
  .compact {
    width: auto !important;
    min-height: 2.25rem !important;
    padding: 0.25rem 0.875rem !important;
    font-size: 0.9375rem;
    flex: none;
  }
  .foot {
    display: flex;
    flex-wrap: wrap;
    gap: 0.5rem;
    margin-block: 0.5rem;
  }
  dialog {
    width: min(27rem, calc(100vw - 2rem));
    max-height: calc(100svh - 2rem);
    padding: 1.75rem;
    overflow: auto;
    color: inherit;
    background: var(--_ground);
    border: 1px solid var(--_line);
    border-radius: calc(var(--_radius) * 1.6);
    box-shadow: 0 16px 60px -16px rgb(0 0 0 / 35%);
  }
  dialog::backdrop {
    background: rgb(0 0 0 / 45%);
  }
  dialog > .tool {
    position: absolute;
    inset-block-start: 1.25rem;
    inset-inline-end: 1.25rem;
    width: 2.25rem;
    height: 2.25rem;
    z-index: 1;
  }
  dialog :is(h1, h2) {
    padding-inline-end: 2.5rem;
    font-size: 1.375rem;
  }
  .soon {
    animation: appear 1ms 500ms both;
  }
  @keyframes appear {
    from {
      visibility: hidden;
    }
  }
  @media (max-width: 30rem) {
    section {
      padding: 1rem 1rem 0.5rem;
    }
    .account {
      padding: 1.5rem 0.75rem 3rem;
    }
    .facts li {
      flex-wrap: wrap;
    }
  }
  @media (max-width: 23rem) {
    /* words need the room */
    .facts li > .icon {
      display: none;
    }
  }
  @media (forced-colors: active) {
    section {
      border: 1px solid;
    }
  }
`;

export const accountSheet = () => sheetOf(account);
