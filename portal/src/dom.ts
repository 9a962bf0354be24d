export { el, icon, setAttributes } from "../../widget/src/dom.ts";
import { el } from "../../widget/src/dom.ts";

export const mark = () => el("img", { class: "mark", src: "mark.svg", alt: "" });

/** A state as a coloured dot and a word: never by colour alone. */
export const badge = (state: string) => el("span", { class: "badge", "data-state": state }, state);

/** Day and time in the reader's own language; exact to the second in the tooltip. */
export function moment(iso: string): HTMLTimeElement {
  const date = new Date(iso);
  const text = date.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
  return el("time", { datetime: iso, title: date.toLocaleString() }, text);
}

export const messageOf = (error: unknown) => error instanceof Error ? error.message : String(error);
