import { loginNameField, passwordField } from "../base/fields.ts";
import { passkeysSupported } from "../base/passkeys.ts";
import { button } from "../base/stage.ts";
import { type Child, el } from "../dom.ts";
import { type Draw, linkButton, type Play } from "./play.ts";
import type { Action } from "../../../functions/widget/contract.ts";

/**
 * Name and password in one form, as password managers look for them. Where a name's domain may lead to a provider, the name is
 * asked first; the password field stands there all the same, out of sight, so that managers fill in both.
 */
export const start: Draw<"start"> = (state, play) => {
  const { t, stage, typed } = play;
  const { ways } = state;
  const hint = typed.loginName ?? state.loginHint;
  const loginName = loginNameField(t, hint);
  const name = () => loginName.input.value.trim();
  loginName.input.addEventListener("input", () => typed.loginName = name());
  const undecided = () => ways.discovery && name().includes("@") && name() !== typed.discovered;
  const nameFirst = ways.discovery && typed.discovered === undefined;

  const password = ways.password && passwordField(t, {
    name: "password",
    label: t("password"),
    autocomplete: "current-password",
    aside: ways.reset &&
      linkButton(
        t("forgot"),
        () => play.press({ action: "show_reset", loginName: name() || undefined }),
      ),
  });
  if (password && nameFirst) hide(password.element);

  const passkey = ways.passkey && passkeysSupported() && !state.redirectInstead;
  /** What the form's own button does when no password is asked. */
  const other: Action["action"] | undefined = passkey
    ? "passkey"
    : ways.emailCode
    ? "email_code"
    : undefined;
  const named = nameFirst || ways.password || other !== undefined;
  const fields = [loginName, ...password && !nameFirst ? [password] : []];

  const send = async () => {
    const loginName = name();
    if (nameFirst || undecided()) {
      typed.discovered = loginName;
      await play.act({ action: "discover", loginName });
    } else if (password) {
      typed.password = password.input.value;
      await play.act({ action: "password", loginName, password: typed.password });
    } else await play.act({ action: other as "passkey", loginName });
  };
  const form = named && stage.form({
    fields,
    more: [password && nameFirst && password.element],
    submit: nameFirst
      ? t("next")
      : ways.password
      ? t("signIn")
      : t(passkey ? "usePasskey" : "useEmailCode"),
    send,
  });

  const instead = (action: "passkey" | "email_code", text: string, icon: string) => {
    const made = button(text, {
      icon,
      onclick: () => {
        if (!loginName.check()) return loginName.input.focus();
        play.press({ action, loginName: name() }, made);
      },
    });
    return made;
  };
  const asked = !nameFirst && ways.password;
  const others: Child[] = [
    asked && passkey && instead("passkey", t("usePasskey"), "passkey"),
    !nameFirst && ways.emailCode && (ways.password || passkey) &&
    instead("email_code", t("useEmailCode"), "email_code"),
  ].filter(Boolean);
  const providers = state.providers.map((provider) =>
    providerButton(provider, play, state.providers.length > 2)
  );

  return {
    heading: t("title"),
    lead: whereTo(play),
    fields,
    focus: named ? (hint && password && !nameFirst ? password : loginName).input : undefined,
    body: [
      form,
      others.length + providers.length > 0 && named &&
      el("p", { class: "or" }, el("span", {}, t("or"))),
      others.length > 0 && el("div", { class: "ways", part: "ways" }, ...others),
      providers.length > 0 &&
      el("div", { class: providers.length > 2 ? "ways many" : "ways", part: "ways" }, ...providers),
      state.redirectInstead && play.redirect &&
      el(
        "p",
        { class: "note" },
        linkButton(t("openPage"), play.redirect),
      ),
      ways.register && el(
        "p",
        { class: "note" },
        t("newHere"),
        " ",
        linkButton(t("register"), () => play.press({ action: "show_register" })),
      ),
    ],
  };
};

/** The heading's second line; where it would say nothing, there is none. */
export function whereTo({ t, about: { appName: app, tenantName: tenant } }: Play): string {
  if (app === "") return tenant;
  return tenant === "" || tenant === app
    ? t("signInTo", { app })
    : t("signInToOf", { app, tenant });
}

/** Of many, each shows its name alone; it is called the same by whoever listens. */
export function providerButton(
  { id, kind, name }: { id: string; kind: string; name: string },
  { t, press }: Play,
  short = false,
): HTMLButtonElement {
  const text = t("useProvider", { name });
  const made = button(short ? name : text, {
    icon: kind,
    "aria-label": short && text,
    "data-provider": kind,
    onclick: () => press({ action: "provider", providerId: id }, made),
  });
  return made;
}

/** In the page and fillable, but neither seen, read out nor reached by the keyboard. */
function hide(element: HTMLElement): void {
  element.classList.add("later");
  element.setAttribute("aria-hidden", "true");
  for (const inner of element.querySelectorAll("input, button")) {
    inner.setAttribute("tabindex", "-1");
  }
}
