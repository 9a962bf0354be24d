/** Where a password is chosen: a forced change, a reset, an invitation. */
import { codeField, loginNameField, passwordField } from "../base/fields.ts";
import { nameForManagers, newPasswordField } from "../base/new_password.ts";
import { passkeysSupported } from "../base/passkeys.ts";
import { resendButton } from "../base/resend.ts";
import { button } from "../base/stage.ts";
import { type Draw, goBack } from "./play.ts";
import { el } from "../dom.ts";

export const changePassword: Draw<"change_password"> = (state, play) => {
  const { t, stage, typed } = play;
  // Shown earlier, or before the page was loaded anew.
  const present = typed.password === undefined && passwordField(t, {
    name: "password",
    label: t("password"),
    autocomplete: "current-password",
  });
  const password = newPasswordField(t, state.complexity);
  const fields = present ? [present, password] : [password];
  return {
    heading: t("newPasswordTitle"),
    lead: t(state.reason === "expired" ? "expiredLead" : "requiredLead"),
    fields,
    focus: fields[0]!.input,
    body: [
      stage.form({
        fields,
        more: [nameForManagers(typed.loginName)],
        submit: t("savePassword"),
        send: () =>
          play.act({
            action: "new_password",
            newPassword: password.input.value,
            currentPassword: present ? present.input.value : typed.password,
          }),
      }),
    ],
  };
};

export const reset: Draw<"reset"> = (state, play) => {
  const { t, stage, typed } = play;
  const loginName = loginNameField(t, typed.loginName ?? state.loginHint);
  return {
    ...goBack(play),
    heading: t("resetTitle"),
    lead: t("resetLead"),
    fields: [loginName],
    focus: loginName.input,
    body: [
      stage.form({
        fields: [loginName],
        submit: t("sendCode"),
        send: () => {
          typed.loginName = loginName.input.value.trim();
          return play.act({ action: "reset", loginName: typed.loginName });
        },
      }),
    ],
  };
};

export const resetCode: Draw<"reset_code"> = (state, play) => {
  const { t, stage } = play;
  const code = codeField(t);
  code.secret = false; // refused for the password's sake, the code is still good
  const password = newPasswordField(t, state.complexity);
  const { codeNeeded } = state; // a link has brought it
  const fields = codeNeeded ? [code, password] : [password];
  return {
    ...codeNeeded ? goBack(play) : {},
    heading: t(codeNeeded ? "emailTitle" : "newPasswordTitle"),
    lead: codeNeeded && t("resetCodeLead"),
    fields,
    focus: fields[0]!.input,
    body: [
      stage.form({
        fields,
        more: [nameForManagers(play.typed.loginName)],
        submit: t("savePassword"),
        send: () =>
          play.act({
            action: "new_password",
            newPassword: password.input.value,
            ...codeNeeded ? { code: code.input.value.replace(/\s/g, "") } : {},
          }),
      }),
      codeNeeded &&
      resendButton(t, stage, state.resendAfterSeconds, () => play.act({ action: "resend" })),
    ],
  };
};

export const invitation: Draw<"invitation"> = (state, play) => {
  const { t, stage } = play;
  const password = newPasswordField(t, state.complexity, t("password"));
  const instead = button(t("withPasskey"), {
    icon: "passkey",
    onclick: () => play.press({ action: "set_up", method: "passkey" }, instead),
  });
  return {
    heading: t("welcome", { name: state.displayName }),
    lead: t("invited", { tenant: state.tenantName }),
    fields: [password],
    focus: password.input,
    body: [
      stage.form({
        fields: [password],
        more: [nameForManagers(play.typed.loginName)],
        submit: t("next"),
        send: () => play.act({ action: "new_password", newPassword: password.input.value }),
      }),
      state.passkey && passkeysSupported() &&
      el("p", { class: "or" }, el("span", {}, t("or"))),
      state.passkey && passkeysSupported() && el("div", { class: "ways" }, instead),
    ],
  };
};

export const ldap: Draw<"ldap"> = (state, play) => {
  const { t, stage } = play;
  const username = loginNameField(t, play.typed.loginName);
  const password = passwordField(t, {
    name: "password",
    label: t("password"),
    autocomplete: "current-password",
  });
  const fields = [username, password];
  return {
    ...goBack(play),
    heading: state.provider.name,
    lead: t("ldapLead", { name: state.provider.name }),
    fields,
    focus: username.input,
    body: [
      stage.form({
        fields,
        submit: t("signIn"),
        send: () =>
          play.act({
            action: "ldap",
            username: username.input.value.trim(),
            password: password.input.value,
          }),
      }),
    ],
  };
};
