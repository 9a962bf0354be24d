/**
 * Fields as password managers, autofill and screen readers look for them: a real `input` with `id`, `name`, `autocomplete` and a
 * `label` that points at it; its fault is tied to it by `aria-describedby`.
 */
import { type Child, el, setAttributes } from "../dom.ts";
import { picture } from "../icons.ts";
import type { TextKey } from "../texts/en.ts";
import type { Translate } from "../texts/texts.ts";

export interface Field {
  element: HTMLElement;
  input: HTMLInputElement;
  /** Emptied when what was sent is refused. */
  secret: boolean;
  /** Says what is wrong, if anything; true when all is well. */
  check(): boolean;
  setFault(text: string): void;
}

export type FieldTexts = Translate<TextKey>;

interface Options {
  label: string;
  name: string;
  type?: string;
  autocomplete: string;
  value?: string;
  secret?: boolean;
  inputmode?: string;
  /** Shown at the end of the label's line, reached after the field: the keyboard goes from name to password without a stop. */
  aside?: Child;
  class?: string;
  maxlength?: number;
  /** What is wrong with a value that is there; empty when nothing is. */
  judge?(value: string): string;
}

export function field(t: FieldTexts, options: Options): Field {
  const { label, name, aside, judge, value = "", secret = false, class: kind = "" } = options;
  const faultId = `${name}-fault`;
  const input = el("input", {
    id: name,
    name,
    part: "input",
    class: kind,
    type: options.type ?? "text",
    autocomplete: options.autocomplete,
    inputmode: options.inputmode,
    maxlength: options.maxlength,
    required: true,
    "aria-describedby": faultId,
    autocapitalize: options.autocomplete.endsWith("name") && options.autocomplete !== "username"
      ? "words"
      : "none",
    spellcheck: "false",
  });
  input.value = value;
  const fault = el("p", { class: "fault", part: "fault", id: faultId, hidden: true });
  const element = el(
    "div",
    { class: "field", part: "field" },
    el("label", { for: name, part: "label" }, label),
    el("div", { class: "control" }, input),
    aside,
    fault,
  );
  const setFault = (text: string) => {
    fault.replaceChildren(...text === "" ? [] : [picture("warn"), text]);
    fault.hidden = text === "";
    setAttributes(input, { "aria-invalid": text !== "" && "true" });
  };
  input.addEventListener("input", () => setFault(""));
  const check = () => {
    const text = input.value.trim() === "" ? t("missing") : judge?.(input.value) ?? "";
    setFault(text);
    return text === "";
  };
  return { element, input, secret, check, setFault };
}

/** The name of an account, first of the two that a password manager fills in. */
export const loginNameField = (t: FieldTexts, value?: string): Field =>
  field(t, {
    name: "username",
    label: t("loginName"),
    autocomplete: "username",
    inputmode: "email",
    value,
  });

export const emailField = (t: FieldTexts, value?: string): Field =>
  field(t, {
    name: "email",
    label: t("email"),
    type: "email",
    autocomplete: "email",
    value,
    judge: (text) => /^\S+@\S+\.\S+$/.test(text.trim()) ? "" : t("emailBad"),
  });

/**
 * Six digits: from the keyboard, from a manager or a mail's suggestion, or pasted with spaces. A recovery code is named so that no
 * manager takes it for one of those (they look for `code` and `otp` in names).
 */
export function codeField(t: FieldTexts, kind: "digits" | "recovery" = "digits"): Field {
  const digits = kind === "digits";
  return field(t, {
    name: digits ? "code" : "recovery",
    label: t(digits ? "code" : "recovery_code"),
    autocomplete: digits ? "one-time-code" : "off",
    inputmode: digits ? "numeric" : undefined,
    secret: true,
    class: "code",
    maxlength: 40,
  });
}

/** With a button that shows what is typed; `hide` before sending, since managers keep what was typed into a password field. */
export function passwordField(
  t: FieldTexts,
  options: { name: string; label: string; autocomplete: string; aside?: Child },
): Field & { hide(): void } {
  const made = field(t, { ...options, type: "password", secret: true });
  const { input } = made;
  // The label stays: `aria-pressed` tells the state.
  const button = el(
    "button",
    {
      class: "toggle",
      part: "toggle",
      type: "button",
      "aria-label": t("showPassword"),
      title: t("showPassword"),
    },
    picture("eye"),
  );
  const show = (shown: boolean) => {
    input.type = shown ? "text" : "password";
    button.setAttribute("aria-pressed", String(shown));
  };
  show(false);
  button.addEventListener("click", () => {
    show(input.type === "password");
    input.focus();
  });
  input.after(button);
  return { ...made, hide: () => show(false) };
}
