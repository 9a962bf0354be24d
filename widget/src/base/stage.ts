/**
 * What screens are shown on: a frame with a heading, a place for refusals, a voice for screen readers, and one thing at a time
 * that is under way. It knows nothing of flows.
 */
import { append, type Child, el, setAttributes } from "../dom.ts";
import { picture } from "../icons.ts";
import type { Field } from "./fields.ts";
import { PasskeyFault } from "./passkeys.ts";

/** A screen, drawn. */
export interface View {
  heading: string;
  lead?: Child;
  /** Above the heading: the way back. */
  back?: () => void;
  body: Child[];
  /** Gets the focus; else the heading does. */
  focus?: HTMLElement;
  /** Checked before the form is sent, emptied and marked after a refusal. */
  fields?: Field[];
  /** Once it stands in the page. */
  begin?(): void;
}

export interface StageTexts {
  working: string;
  back: string;
}

export class Stage {
  readonly frame: HTMLElement;
  readonly #view = el("div", { class: "view", part: "view" });
  readonly #error = el("p", { class: "error", part: "error", role: "alert", id: "error" });
  /** Says what has no place of its own to be read: a new screen, work under way, something copied. */
  readonly #voice = el("p", { class: "voice", role: "status" });
  #fields: Field[] = [];
  #left = new AbortController();
  #busy = false;
  #patient = false;
  #running: Promise<boolean> | undefined;
  /** What the screen shown begins with, once the work that led to it is over. */
  #begin: (() => void) | undefined;

  constructor(
    private readonly options: {
      /** `h1` on a page of ours, `h2` within a page that has its own. */
      heading: "h1" | "h2";
      texts: () => StageTexts;
      problem: (error: unknown) => string;
    },
  ) {
    this.frame = el("div", { class: "stage" }, this.#view, this.#voice);
  }

  /** Aborts when the screen that is shown now is left. */
  get leaving(): AbortSignal {
    return this.#left.signal;
  }

  get busy(): boolean {
    return this.#busy;
  }

  show(view: View, { focus = true, keepError = false } = {}): void {
    this.#left.abort();
    this.#left = new AbortController();
    this.#fields = view.fields ?? [];
    if (!keepError) this.#error.replaceChildren();
    const heading = el(this.options.heading, { part: "heading", tabindex: "-1" }, view.heading);
    const lead = Boolean(view.lead) &&
      el("p", { class: "lead", part: "subheading", id: "lead" }, view.lead);
    this.#view.replaceChildren();
    append(this.#view, [
      view.back && el(
        "button",
        { class: "back", part: "back", type: "button", onclick: view.back },
        picture("back"),
        this.options.texts().back,
      ),
      heading,
      lead,
      this.#error,
      ...view.body,
    ]);
    if (focus) (view.focus ?? heading).focus({ preventScroll: true });
    // The field has the focus, so the heading is said beside it, and the line below it with the field.
    this.say(view.focus ? view.heading : "");
    if (lead && view.focus instanceof HTMLInputElement) {
      const described = view.focus.getAttribute("aria-describedby") ?? "";
      view.focus.setAttribute("aria-describedby", `lead ${described}`.trim());
    }
    this.#begin = view.begin;
    if (!this.#busy) this.#beginNow();
  }

  #beginNow(): void {
    const begin = this.#begin;
    this.#begin = undefined;
    try {
      begin?.();
    } catch (error) {
      this.refuse(this.options.problem(error));
    }
  }

  /**
   * Runs one thing; whoever presses meanwhile is not heard. `by` turns until it is over. A refusal is shown, what was secret is
   * emptied. Answers whether it went well.
   */
  async run(work: () => Promise<void>, by?: HTMLElement): Promise<boolean> {
    if (this.#busy) {
      if (!this.#patient) return false;
      this.#left.abort();
      this.#left = new AbortController();
      await this.#running;
    }
    const running = this.#work(work, by);
    this.#running = running;
    return await running;
  }

  /** For what waits for a finger, not for us: whatever else is pressed meanwhile ends it (`leaving` aborts). */
  async device<T>(work: () => Promise<T>): Promise<T> {
    this.#patient = true;
    try {
      return await work();
    } finally {
      this.#patient = false;
    }
  }

  async #work(work: () => Promise<void>, by?: HTMLElement): Promise<boolean> {
    const { signal } = this.#left;
    this.#busy = true;
    this.#error.replaceChildren();
    const text = by?.querySelector(".text");
    const before = text?.textContent ?? "";
    const { working } = this.options.texts();
    setAttributes(this.#view, { "aria-busy": "true" });
    if (by) setAttributes(by, { "aria-disabled": "true" });
    if (text) text.textContent = working;
    this.say(working);
    try {
      await work();
      return true;
    } catch (error) {
      if (text) text.textContent = before;
      if (!(error instanceof PasskeyFault && signal.aborted)) {
        this.refuse(this.options.problem(error));
      }
      return false;
    } finally {
      this.#busy = false;
      setAttributes(this.#view, { "aria-busy": false });
      if (by) setAttributes(by, { "aria-disabled": false });
      this.#beginNow();
    }
  }

  refuse(text: string): void {
    this.say("");
    this.#error.replaceChildren(picture("warn"), el("span", {}, text));
    const secrets = this.#fields.filter(({ secret }) => secret);
    for (const { input } of secrets) {
      input.value = "";
      input.dispatchEvent(new Event("input"));
    }
    const [first = this.#fields[0]] = secrets;
    if (!first) return;
    const described = first.input.getAttribute("aria-describedby");
    setAttributes(first.input, {
      "aria-invalid": "true",
      "aria-describedby": `error ${described}`,
    });
    first.input.addEventListener(
      "input",
      () => setAttributes(first.input, { "aria-invalid": false, "aria-describedby": described! }),
      { once: true },
    );
    first.input.focus();
  }

  say(text: string): void {
    this.#voice.textContent = text;
  }

  /** A form of `fields` with one button; `send` runs when every field is well. `method="post"`: without script no password gets into an address. */
  form(options: {
    fields: Field[];
    /** Where they do not simply stand below each other. */
    elements?: Child[];
    submit: string;
    send: () => Promise<void>;
    /** Between the fields and the button. */
    more?: Child[];
    check?: () => boolean;
  }): HTMLFormElement {
    const submit = button(options.submit, { class: "primary", type: "submit" });
    const form = el(
      "form",
      { part: "form", method: "post", novalidate: true },
      ...options.elements ?? options.fields.map(({ element }) => element),
      ...options.more ?? [],
      submit,
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (this.#busy) return;
      const faulty = options.fields.filter((field) => !field.check());
      if (faulty[0]) return faulty[0].input.focus();
      if (options.check && !options.check()) return;
      for (const field of options.fields) (field as { hide?: () => void }).hide?.();
      void this.run(options.send, submit);
    });
    return form;
  }
}

/** A button whose words may change while it works. */
export function button(
  text: string,
  { icon, ...attributes }: Parameters<typeof setAttributes>[1] & { icon?: string } = {},
): HTMLButtonElement {
  return el(
    "button",
    { type: "button", part: "button", class: "secondary", ...attributes },
    icon !== undefined && picture(icon),
    el("span", { class: "text" }, text),
  );
}
