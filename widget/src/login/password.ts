import { el, icon, setAttributes } from "../dom.ts";
import type { Texts } from "../texts/texts.ts";

export interface PasswordForm {
  element: HTMLFormElement;
  /** Shows a refusal; the password is emptied and gets the focus. */
  refuse(text: string): void;
  setBusy(busy: boolean): void;
  setLoginName(loginName: string): void;
  focus(): void;
}

/**
 * User name and password in one form. One form, real labels, `name` and `autocomplete` as password managers look for
 * them; `method="post"` so that a submit without script never puts a password into an address.
 */
export function passwordForm(
  texts: Texts,
  onSubmit: (loginName: string, password: string) => void,
): PasswordForm {
  const loginName = field("username", texts.loginName, {
    type: "text",
    autocomplete: "username",
    autocapitalize: "none",
    autocorrect: "off",
    spellcheck: "false",
    inputmode: "email",
  });
  const password = field("password", texts.password, {
    type: "password",
    autocomplete: "current-password",
  });
  password.control.classList.add("with-toggle");
  const toggle = showToggle(texts, password.input);
  password.control.append(toggle.button);

  const error = el("p", { class: "error", part: "error", role: "alert" });
  const submit = el("button", { class: "submit", part: "button", type: "submit" }, texts.signIn);
  const status = el("span", { class: "status", role: "status" });
  const form = el(
    "form",
    { part: "form", method: "post", novalidate: true },
    error,
    loginName.element,
    password.element,
    submit,
    status,
  );

  let busy = false;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (busy) return;
    error.textContent = "";
    const name = loginName.input.value.trim();
    loginName.setFault(name === "" ? texts.loginNameMissing : "");
    password.setFault(password.input.value === "" ? texts.passwordMissing : "");
    if (name === "") return loginName.input.focus();
    if (password.input.value === "") return password.input.focus();
    toggle.show(false); // password managers keep what was typed into a password field
    onSubmit(name, password.input.value);
  });

  return {
    element: form,
    refuse(text) {
      error.textContent = text;
      password.input.value = "";
      password.input.focus();
    },
    setBusy(next) {
      busy = next;
      setAttributes(submit, { "aria-disabled": next && "true" });
      submit.textContent = next ? texts.signingIn : texts.signIn;
      status.textContent = next ? texts.signingIn : "";
    },
    setLoginName(value) {
      if (loginName.input.value === "") loginName.input.value = value;
    },
    focus() {
      (loginName.input.value === "" ? loginName : password).input.focus();
    },
  };
}

function field(name: string, text: string, attributes: Record<string, string>) {
  const faultId = `${name}-fault`;
  const input = el("input", {
    id: name,
    name,
    part: "input",
    required: true,
    "aria-describedby": faultId,
    ...attributes,
  });
  const control = el("div", { class: "control" }, input);
  const fault = el("p", { class: "fault", part: "fault", id: faultId, hidden: true });
  const element = el(
    "div",
    { class: "field", part: "field" },
    el("label", { for: name, part: "label" }, text),
    control,
    fault,
  );
  const setFault = (faultText: string) => {
    fault.textContent = faultText;
    fault.hidden = faultText === "";
    setAttributes(input, { "aria-invalid": faultText !== "" && "true" });
  };
  input.addEventListener("input", () => setFault(""));
  return { element, control, input, setFault };
}

function showToggle(texts: Texts, input: HTMLInputElement) {
  const button = el(
    "button",
    { class: "toggle", part: "toggle", type: "button", "aria-label": texts.showPassword },
    icon(
      "M2 12s3.6-6.5 10-6.5S22 12 22 12s-3.6 6.5-10 6.5S2 12 2 12Z",
      "M12 9a3 3 0 1 0 0 6 3 3 0 0 0 0-6Z",
      "M4 4l16 16",
    ),
  );
  const show = (shown: boolean) => {
    input.type = shown ? "text" : "password";
    // The label stays: `aria-pressed` tells the state. The tooltip tells the next step.
    button.setAttribute("aria-pressed", String(shown));
    button.title = shown ? texts.hidePassword : texts.showPassword;
  };
  show(false);
  button.addEventListener("click", () => {
    show(input.type === "password");
    input.focus();
  });
  return { button, show };
}
