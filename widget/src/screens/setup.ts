/** Setting up what will be asked at the next sign-in. */
import { codeField, field } from "../base/fields.ts";
import { createPasskey, passkeysSupported } from "../base/passkeys.ts";
import { recoveryCodesBody, totpBody } from "../base/setup.ts";
import { button } from "../base/stage.ts";
import { el } from "../dom.ts";
import { picture } from "../icons.ts";
import type { TextKey } from "../texts/en.ts";
import { codeOf } from "./factors.ts";
import { type Draw, goBack, linkButton } from "./play.ts";

const hints: Record<string, TextKey> = {
  totp: "totpHint",
  passkey: "passkeyLead",
  security_key: "keyHint",
};

export const setupFactor: Draw<"setup_factor"> = (state, play) => {
  const { t, press } = play;
  const possible = state.methods.filter((method) =>
    /totp|email/.test(method) || passkeysSupported()
  );
  const rows = possible.map((method) => {
    const made = el(
      "button",
      {
        type: "button",
        class: "row",
        part: "row",
        onclick: () => press({ action: "set_up", method }, made),
      },
      el("span", { class: "initials" }, picture(method)),
      el(
        "span",
        { class: "two" },
        el("span", { class: "text" }, t(method)),
        hints[method] && el("span", { class: "small" }, t(hints[method])),
      ),
      picture("next"),
    );
    return el("li", {}, made);
  });
  return {
    heading: t("setupTitle"),
    lead: t("setupLead"),
    body: [
      el("ul", { class: "rows" }, ...rows),
      state.skippable &&
      el("p", { class: "note" }, linkButton(t("skip"), () => press({ action: "skip" }))),
    ],
  };
};

export const setupTotp: Draw<"setup_totp"> = (state, play) => {
  const { t, stage } = play;
  const code = codeField(t);
  return {
    ...goBack(play),
    heading: t("totpSetupTitle"),
    lead: t("totpSetupLead"),
    fields: [code],
    body: [
      totpBody(t, stage, state),
      stage.form({
        fields: [code],
        submit: t("confirm"),
        send: () => play.act(codeOf(code.input)),
      }),
    ],
  };
};

export const setupPasskey: Draw<"setup_passkey"> = (state, play) => {
  const { t, stage } = play;
  const key = state.kind === "security_key";
  // A passkey is known by the device that keeps it; one of several keys by what it is called.
  const name = field(t, { name: "key-name", label: t("keyName"), autocomplete: "off" });
  const send = async () => {
    const credential = await stage.device(() => createPasskey(state.options, stage.leaving));
    await play.act({
      action: "credential",
      credential: credential as never,
      ...key ? { name: name.input.value.trim() } : {},
    });
  };
  const make = button(t("passkeySetupTitle"), {
    class: "primary",
    icon: "passkey",
    onclick: () => void stage.run(send, make),
  });
  return {
    ...goBack(play),
    heading: t(key ? "keySetupTitle" : "passkeySetupTitle"),
    lead: t(key ? "keyLead" : "passkeySetupLead"),
    fields: key ? [name] : [],
    focus: key ? name.input : make,
    body: [key ? stage.form({ fields: [name], submit: t("next"), send }) : make],
  };
};

export const recoveryCodes: Draw<"recovery_codes"> = (state, play) => {
  const { t, stage } = play;
  const next = button(t("codesSaved"), {
    class: "primary",
    onclick: () => play.press({ action: "continue" }, next),
  });
  return {
    heading: t("codesTitle"),
    lead: t("codesLead"),
    body: [recoveryCodesBody(t, stage, state.codes, play.about), next],
  };
};
