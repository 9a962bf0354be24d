/** The account page's sections: what stands there, and the button that changes it. */
import { button } from "../base/stage.ts";
import { type Child, el } from "../dom.ts";
import { picture } from "../icons.ts";
import { initials } from "../screens/accounts.ts";
import type { Desk } from "./desk.ts";
import { deviceName, isTelephone } from "./device.ts";
import { changeEmail, changeName, changePassword, linkDirectory } from "./forms.ts";
import { ago, day } from "./time.ts";

export const sections = (desk: Desk): HTMLElement[] => [
  profile(desk),
  ...desk.account.password ? [security(desk, desk.account.password)] : [],
  keys(desk),
  factors(desk),
  ...desk.account.providers.length > 0 ? [providers(desk)] : [],
  sessions(desk),
];

export function headOf({ account: { profile, tenantName } }: Desk): HTMLElement {
  return el(
    "div",
    { class: "person" },
    el("span", { class: "initials", "aria-hidden": "true" }, initials(profile.displayName)),
    el(
      "span",
      { class: "two" },
      el("span", { class: "text" }, profile.displayName),
      el("span", { class: "small" }, `${profile.loginName} · ${tenantName}`),
    ),
  );
}

function section(title: string, rows: Child[], more: { lead?: string; foot?: Child[] } = {}) {
  const foot = more.foot?.filter(Boolean) ?? [];
  return el(
    "section",
    { part: "section" },
    el("h2", {}, title),
    more.lead !== undefined && el("p", { class: "small" }, more.lead),
    el("ul", { class: "facts" }, ...rows),
    foot.length > 0 && el("div", { class: "foot" }, ...foot),
  );
}

interface Row {
  icon?: string;
  title: string;
  detail?: Child;
  mark?: string;
  action?: Child;
}

const row = ({ icon, title, detail, mark, action }: Row) =>
  el(
    "li",
    { part: "fact" },
    icon !== undefined && picture(icon),
    el(
      "span",
      { class: "two" },
      el(
        "span",
        { class: "text" },
        title,
        mark !== undefined && " ",
        mark !== undefined && el("span", { class: "badge" }, mark),
      ),
      detail !== undefined && el("span", { class: "small" }, detail),
    ),
    action,
  );

/** Many buttons say the same word: who listens hears what it is for. */
function small(text: string, about: string, onclick: (by: HTMLElement) => void): HTMLButtonElement {
  const made = button(text, {
    class: "secondary compact",
    "aria-label": `${text}: ${about}`,
    onclick: () => onclick(made),
  });
  return made;
}

function profile(desk: Desk): HTMLElement {
  const { t, account: { profile, languages } } = desk;
  return section(t("profile"), [
    row({
      title: t("name"),
      detail: `${profile.givenName} ${profile.familyName}`,
      action: small(t("change"), t("name"), () => changeName(desk)),
    }),
    row({
      title: t("email"),
      detail: profile.email,
      mark: profile.emailVerified ? undefined : t("unverified"),
      action: small(t("change"), t("email"), () => changeEmail(desk)),
    }),
    languages.length > 1 &&
    row({ title: t("language"), detail: t("languageHint"), action: languageChoice(desk) }),
  ]);
}

function languageChoice({ t, account: { languages }, language, changeLanguage }: Desk) {
  const select = el("select", { "aria-label": t("language"), name: "language", class: "compact" });
  for (const tag of languages) {
    const name = new Intl.DisplayNames([tag], { type: "language" }).of(tag) ?? tag;
    const option = el(
      "option",
      { value: tag, lang: tag },
      name[0]!.toLocaleUpperCase(tag) + name.slice(1),
    );
    option.selected = tag === language;
    select.append(option);
  }
  select.addEventListener("change", () => changeLanguage(select.value));
  return select;
}

function security(
  desk: Desk,
  password: NonNullable<Desk["account"]["password"]>,
): HTMLElement {
  const { t, language } = desk;
  const { set, changedAt } = password;
  return section(t("security"), [
    row({
      icon: "password",
      title: t("password"),
      detail: set ? changedAt && t("changedAt", { date: day(changedAt, language) }) : t("none"),
      action: small(
        t(set ? "change" : "setUp"),
        t("password"),
        () => changePassword(desk, password),
      ),
    }),
  ]);
}

function keys(desk: Desk): HTMLElement {
  const { t, account, language, confirm, press } = desk;
  const add = (kind: "passkey" | "security_key", text: string) => {
    const made = button(text, {
      icon: kind,
      class: "secondary compact",
      onclick: () => press({ action: "add_key", kind }, made),
    });
    return made;
  };
  const rows = account.keys.map(({ id, kind, name, createdAt }) =>
    row({
      icon: kind,
      title: name || t(kind),
      detail: createdAt && t("addedAt", { date: day(createdAt, language) }),
      action: small(
        t("remove"),
        name,
        () => confirm(t("removeAsk", { name: name || t(kind) }), { action: "remove_key", id }),
      ),
    })
  );
  return section(t("keys"), rows.length > 0 ? rows : [row({ title: t("none") })], {
    foot: [
      account.passkeys && add("passkey", t("addPasskey")),
      account.secondFactors.allowed.includes("security_key") &&
      add("security_key", t("keySetupTitle")),
    ],
  });
}

function factors(desk: Desk): HTMLElement {
  const { t, account: { secondFactors }, confirm, press } = desk;
  const factor = (method: "totp" | "email_code", on: boolean) =>
    (on || secondFactors.allowed.includes(method)) && row({
      icon: method,
      title: t(method),
      mark: on ? t("on") : undefined,
      detail: method === "totp" ? t("totpHint") : undefined,
      action: on
        ? small(
          t("remove"),
          t(method),
          () => confirm(t("removeAsk", { name: t(method) }), { action: "remove", method }),
        )
        : small(t("setUp"), t(method), (by) => press({ action: "set_up", method }, by)),
    });
  const { recoveryCodes } = secondFactors;
  return section(t("factors"), [
    factor("totp", secondFactors.totp),
    factor("email_code", secondFactors.emailCode),
    recoveryCodes !== null && row({
      icon: "recovery_code",
      title: t("recovery_code"),
      action: small(
        t("newCodes"),
        t("recovery_code"),
        () =>
          confirm(t("newCodes"), { action: "new_recovery_codes" }, {
            hint: t("newCodesAsk"),
            verb: t("next"),
          }),
      ),
    }),
  ], { lead: secondFactors.required ? t("factorsRequired") : undefined });
}

function providers(desk: Desk): HTMLElement {
  const { t, account, confirm, press } = desk;
  return section(
    t("providers"),
    account.providers.map(({ id, kind, name, linked, offered }) =>
      row({
        icon: kind,
        title: name,
        detail: linked?.userName,
        action: linked
          ? small(t("unlink"), name, () =>
            confirm(t("removeAsk", { name: `${name}, ${linked.userName}` }), {
              action: "unlink",
              providerId: id,
              externalId: linked.externalId,
            }, { verb: t("unlink") }))
          : offered && small(t("link"), name, (by) =>
            kind === "ldap"
              ? linkDirectory(desk, { id, name })
              : press({ action: "link", providerId: id }, by)),
      })
    ),
  );
}

function sessions(desk: Desk): HTMLElement {
  const { t, account, language, press } = desk;
  const own = [...account.sessions].sort((a, b) =>
    Number(b.current) - Number(a.current) || b.lastActiveAt.localeCompare(a.lastActiveAt)
  );
  const rows = own.map(({ id, current, userAgent, address, lastActiveAt }) => {
    const name = deviceName(userAgent) || t("unknownDevice");
    const when = t("activeAt", { when: ago(lastActiveAt, language) });
    return row({
      icon: isTelephone(userAgent) ? "totp" : "screen",
      title: name,
      mark: current ? t("current") : undefined,
      detail: address === undefined ? when : `${when} · ${address}`,
      action: small(
        t("signOut"),
        name,
        (by) => press(current ? { action: "sign_out" } : { action: "end_session", id }, by),
      ),
    });
  });
  const others = button(t("endOthers"), {
    class: "secondary compact",
    onclick: () => press({ action: "end_other_sessions" }, others),
  });
  return section(t("sessions"), rows, { foot: own.length > 1 ? [others] : [] });
}
