import { emailField, field } from "../base/fields.ts";
import { newPasswordField } from "../base/new_password.ts";
import { passkeysSupported } from "../base/passkeys.ts";
import { el, setAttributes } from "../dom.ts";
import { picture } from "../icons.ts";
import { type Draw, goBack, linkButton, type Play } from "./play.ts";
import { whereTo } from "./start.ts";

export const register: Draw<"register"> = (state, play) => {
  const { t, stage } = play;
  const person = personFields(play, {});
  const password = newPasswordField(t, state.complexity, t("password"));
  const terms = state.termsUrl !== undefined || state.privacyUrl !== undefined
    ? termsBox(state, play)
    : undefined;
  const send = async (withPassword: boolean) =>
    await play.act({
      action: "register",
      ...person.values(),
      ...withPassword ? { password: password.input.value } : {},
      acceptTerms: terms !== undefined, // it is sent with the box ticked only
    });
  const byPasskey = state.passkey && passkeysSupported() && linkButton(t("withPasskey"), () => {
    const faulty = person.fields.find((field) => !field.check());
    if (faulty) return faulty.input.focus();
    if (terms && !terms.check()) return;
    void stage.run(() => send(false), byPasskey as HTMLElement);
  });
  const fields = [...person.fields, password];
  return {
    ...goBack(play),
    heading: t("register"),
    lead: whereTo(play),
    fields,
    focus: person.fields[0]!.input,
    body: [
      stage.form({
        fields,
        elements: [...person.elements, password.element],
        more: [terms?.element],
        check: terms?.check,
        submit: t("register"),
        send: () => send(true),
      }),
      byPasskey && el("p", { class: "note" }, byPasskey),
    ],
  };
};

export const completeAccount: Draw<"complete_account"> = (state, play) => {
  const { t, stage } = play;
  const person = personFields(play, state);
  return {
    ...goBack(play),
    heading: t("completeTitle"),
    lead: t("completeLead", { name: state.provider.name }),
    fields: person.fields,
    focus: person.fields.find(({ input }) => input.value === "")?.input,
    body: [
      stage.form({
        fields: person.fields,
        elements: person.elements,
        submit: t("register"),
        send: () => play.act({ action: "register", ...person.values() }),
      }),
    ],
  };
};

function personFields(
  { t, typed }: Play,
  known: { givenName?: string; familyName?: string; email?: string },
) {
  const givenName = field(t, {
    name: "given-name",
    label: t("givenName"),
    autocomplete: "given-name",
    value: known.givenName,
  });
  const familyName = field(t, {
    name: "family-name",
    label: t("familyName"),
    autocomplete: "family-name",
    value: known.familyName,
  });
  const email = emailField(
    t,
    known.email ?? (typed.loginName?.includes("@") ? typed.loginName : ""),
  );
  return {
    fields: [givenName, familyName, email],
    elements: [
      el("div", { class: "pair" }, givenName.element, familyName.element),
      email.element,
    ],
    values: () => ({
      givenName: givenName.input.value.trim(),
      familyName: familyName.input.value.trim(),
      email: email.input.value.trim(),
    }),
  };
}

function termsBox(
  { termsUrl, privacyUrl }: { termsUrl?: string; privacyUrl?: string },
  { t }: Play,
) {
  const box = el("input", {
    type: "checkbox",
    id: "terms",
    name: "terms",
    "aria-describedby": "terms-fault",
  });
  const fault = el(
    "p",
    { class: "fault", part: "fault", id: "terms-fault", hidden: true },
    picture("warn"),
    t("missing"),
  );
  const link = (href: string | undefined, text: string) =>
    href !== undefined && el("a", { href, target: "_blank", rel: "noopener" }, text);
  const check = () => {
    fault.hidden = box.checked;
    setAttributes(box, { "aria-invalid": !box.checked && "true" });
    if (!box.checked) box.focus();
    return box.checked;
  };
  box.addEventListener("change", () => {
    if (box.checked) check();
  });
  const element = el(
    "div",
    { class: "field" },
    el("label", { class: "tick", for: "terms" }, box, t("acceptTerms")),
    el("p", { class: "links" }, link(termsUrl, t("terms")), link(privacyUrl, t("privacy"))),
    fault,
  );
  return { element, check };
}
