/** The dialogues in which something is typed anew. */
import type { Account } from "../../../functions/widget/account_contract.ts";
import { emailField, field, loginNameField, passwordField } from "../base/fields.ts";
import { nameForManagers, newPasswordField } from "../base/new_password.ts";
import type { Desk } from "./desk.ts";

export function changeName({ t, account: { profile }, stage, act, ask }: Desk): void {
  const givenName = field(t, {
    name: "given-name",
    label: t("givenName"),
    autocomplete: "given-name",
    value: profile.givenName,
  });
  const familyName = field(t, {
    name: "family-name",
    label: t("familyName"),
    autocomplete: "family-name",
    value: profile.familyName,
  });
  const fields = [givenName, familyName];
  ask({
    heading: t("name"),
    fields,
    focus: givenName.input,
    body: [
      stage.form({
        fields,
        submit: t("save"),
        send: () =>
          act({
            action: "set_profile",
            givenName: givenName.input.value.trim(),
            familyName: familyName.input.value.trim(),
          }),
      }),
    ],
  });
}

export function changeEmail({ t, stage, act, ask }: Desk): void {
  const email = emailField(t);
  ask({
    heading: t("newEmail"),
    fields: [email],
    focus: email.input,
    body: [
      stage.form({
        fields: [email],
        submit: t("sendCode"),
        send: () => act({ action: "change_email", email: email.input.value.trim() }),
      }),
    ],
  });
}

export function changePassword(
  { t, account, stage, act, ask }: Desk,
  { set, complexity }: NonNullable<Account["password"]>,
): void {
  const current = passwordField(t, {
    name: "password",
    label: t("currentPassword"),
    autocomplete: "current-password",
  });
  const next = newPasswordField(t, complexity);
  next.secret = false; // refused for the old one's sake, the new one may stay
  const fields = set ? [current, next] : [next];
  ask({
    heading: t("newPasswordTitle"),
    lead: t("passwordHint"),
    fields,
    focus: fields[0]!.input,
    body: [
      stage.form({
        fields,
        more: [nameForManagers(account.profile.loginName)],
        submit: t("savePassword"),
        send: () =>
          act({
            action: "change_password",
            newPassword: next.input.value,
            ...set ? { currentPassword: current.input.value } : {},
          }),
      }),
    ],
  });
}

export function linkDirectory(
  { t, stage, act, ask }: Desk,
  { id, name }: { id: string; name: string },
): void {
  const username = loginNameField(t);
  const password = passwordField(t, {
    name: "password",
    label: t("password"),
    autocomplete: "current-password",
  });
  const fields = [username, password];
  ask({
    heading: name,
    lead: t("ldapLead", { name }),
    fields,
    focus: username.input,
    body: [
      stage.form({
        fields,
        submit: t("link"),
        send: () =>
          act({
            action: "link",
            providerId: id,
            directory: { username: username.input.value.trim(), password: password.input.value },
          }),
      }),
    ],
  });
}
