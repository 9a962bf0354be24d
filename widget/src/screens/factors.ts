/** What is asked of somebody who has named themselves: a passkey, a key, a code. */
import type { Action } from "../../../functions/widget/contract.ts";
import { codeField } from "../base/fields.ts";
import { usePasskey } from "../base/passkeys.ts";
import { resendButton } from "../base/resend.ts";
import { button } from "../base/stage.ts";
import { el } from "../dom.ts";
import { type Draw, goBack, type Play } from "./play.ts";

export const passkey: Draw<"passkey"> = (state, play) => {
  const { t, stage } = play;
  const whole = state.purpose === "sign_in";
  const again = button(t(whole ? "usePasskey" : "confirm"), {
    class: "primary",
    icon: whole ? "passkey" : "security_key",
    onclick: () => void stage.run(ask, again),
  });
  const ask = async () => {
    const credential = await stage.device(() => usePasskey(state.options, stage.leaving));
    await play.act({ action: "credential", credential: credential as never });
  };
  return {
    ...goBack(play),
    heading: t(whole ? "passkeyTitle" : "keyTitle"),
    lead: t(whole ? "passkeyLead" : "keyLead"),
    body: [again, otherWays(state.others, play)],
    focus: again,
    begin: () => again.click(),
  };
};

export const factor: Draw<"factor"> = (state, play) => {
  const { t, stage } = play;
  const totp = state.method === "totp";
  const code = codeField(t, totp ? "digits" : "recovery");
  return {
    ...goBack(play),
    heading: t("factorTitle"),
    lead: t(totp ? "totpLead" : "recoveryLead"),
    fields: [code],
    focus: code.input,
    body: [
      stage.form({
        fields: [code],
        submit: t("confirm"),
        send: () => play.act(codeOf(code.input)),
      }),
      otherWays(state.others.filter((method) => method !== state.method), play),
    ],
  };
};

export const emailCode: Draw<"email_code"> = (state, play) => ({
  ...goBack(play),
  ...emailView(state, play),
  heading: play.t("emailTitle"),
});

/** Behind a link, which carried the code, one press is asked all the same: mail scanners open links, too. */
export const verifyEmail: Draw<"verify_email"> = (state, play) => {
  const heading = play.t("verifyTitle");
  if (state.codeNeeded) {
    return { ...goBack(play), ...emailView({ ...state, others: [] }, play), heading };
  }
  const go = button(play.t("confirm"), {
    class: "primary",
    onclick: () => play.press({ action: "continue" }, go),
  });
  return { heading, lead: state.to, body: [go], focus: go };
};

function emailView(
  { to, resendAfterSeconds, others }: { to: string; resendAfterSeconds: number; others: Method[] },
  play: Play,
) {
  const { t, stage } = play;
  const code = codeField(t);
  return {
    lead: t("emailLead", { to: to.replace("…", "…\u2060") }), // no line ends within the address
    fields: [code],
    focus: code.input,
    body: [
      stage.form({
        fields: [code],
        submit: t("confirm"),
        send: () => play.act(codeOf(code.input)),
      }),
      resendButton(t, stage, resendAfterSeconds, () => play.act({ action: "resend" })),
      otherWays(others, play),
    ],
  };
}

/** Written in groups by mails and apps; sent without the gaps. */
export const codeOf = (input: HTMLInputElement): Action & { action: "code" } => ({
  action: "code",
  code: input.value.replace(/\s/g, ""),
});

type Method = (Action & { action: "choose_factor" })["method"];

function otherWays(methods: Method[], { t, press }: Play) {
  return methods.length > 0 && el(
    "details",
    { class: "others" },
    el("summary", {}, t("otherWays")),
    el(
      "div",
      { class: "ways" },
      ...methods.map((method) => {
        const made = button(t(method), {
          icon: method,
          onclick: () => press({ action: "choose_factor", method }, made),
        });
        return made;
      }),
    ),
  );
}
