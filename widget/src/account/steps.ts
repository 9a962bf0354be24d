/** What the function asks next, by the name of the step. Contract: functions/widget/account_contract.ts. */
import type { Pending } from "../../../functions/widget/account_contract.ts";
import { codeField, field, passwordField } from "../base/fields.ts";
import { createPasskey, usePasskey } from "../base/passkeys.ts";
import { resendButton } from "../base/resend.ts";
import { recoveryCodesBody, totpBody } from "../base/setup.ts";
import { button, type View } from "../base/stage.ts";
import { el } from "../dom.ts";
import { leaveFor } from "../login/leave.ts";
import type { Desk } from "./desk.ts";
import type { TextKey } from "../texts/en.ts";

type Step = Pending["step"];
type StateOf<S extends Step> = Extract<Pending, { step: S }>;

export const steps: { [S in Step]: (state: StateOf<S>, desk: Desk) => View } = {
  proof(state, desk) {
    const { t, stage, act } = desk;
    const others = state.others.filter((method) => method !== state.method).map((method) => {
      const made = button(t(method), {
        icon: method,
        onclick: () => void stage.run(() => act({ action: "begin_proof", method }), made),
      });
      return made;
    });
    const asked = proofs[state.method](state, desk);
    return {
      ...asked,
      heading: t("factorTitle"),
      lead: t("proofLead"),
      body: [
        ...asked.body,
        others.length > 0 && el("p", { class: "or" }, el("span", {}, t("or"))),
        others.length > 0 && el("div", { class: "ways" }, ...others),
      ],
    };
  },

  verify_email(state, { t, stage, act }) {
    const code = codeField(t);
    return {
      heading: t("verifyTitle"),
      lead: t("emailLead", { to: state.email }),
      fields: [code],
      focus: code.input,
      body: [
        stage.form({
          fields: [code],
          submit: t("confirm"),
          send: () => act({ action: "verify_email", code: digits(code.input) }),
        }),
        resendButton(t, stage, state.resendAfterSeconds, () => act({ action: "resend" })),
      ],
    };
  },

  setup_totp(state, { t, stage, act }) {
    const code = codeField(t);
    return {
      heading: t("totpSetupTitle"),
      lead: t("totpSetupLead"),
      fields: [code],
      body: [
        totpBody(t, stage, state),
        stage.form({
          fields: [code],
          submit: t("confirm"),
          send: () => act({ action: "confirm_totp", code: digits(code.input) }),
        }),
      ],
    };
  },

  setup_key(state, { t, stage, act }) {
    const key = state.kind === "security_key";
    const name = field(t, { name: "key-name", label: t("keyName"), autocomplete: "off" });
    return {
      heading: t(key ? "keySetupTitle" : "passkeySetupTitle"),
      lead: t(key ? "keyLead" : "passkeySetupLead"),
      fields: [name],
      focus: name.input,
      body: [
        stage.form({
          fields: [name],
          submit: t("next"),
          send: async () => {
            const credential = await stage.device(() =>
              createPasskey(state.options, stage.leaving)
            );
            await act({
              action: "credential",
              credential: credential as never,
              name: name.input.value.trim(),
            });
          },
        }),
      ],
    };
  },

  recovery_codes: ({ codes }, { t, stage, account, cancel }) => ({
    heading: t("codesTitle"),
    lead: t("codesLead"),
    body: [
      recoveryCodesBody(t, stage, codes, { appName: "", tenantName: account.tenantName }),
      button(t("codesSaved"), { class: "primary", onclick: cancel }),
    ],
  }),

  external: ({ url, fields }, { t }) => ({
    heading: t("working"),
    body: [el("div", { class: "turning" })],
    begin: () => leaveFor(url, fields),
  }),
};

type Proof = (state: StateOf<"proof">, desk: Desk) => Pick<View, "fields" | "focus" | "body">;

const proofs: Record<StateOf<"proof">["method"], Proof> = {
  password(_, { t, account, stage, act }) {
    const password = passwordField(t, {
      name: "password",
      label: t("password"),
      autocomplete: "current-password",
    });
    return {
      fields: [password],
      focus: password.input,
      body: [
        stage.form({
          fields: [password],
          more: [
            el("input", {
              name: "username",
              autocomplete: "username",
              value: account.profile.loginName,
              readonly: true,
              hidden: true,
            }),
          ],
          submit: t("confirm"),
          send: () =>
            act({ action: "prove", proof: { method: "password", password: password.input.value } }),
        }),
      ],
    };
  },

  totp(_, { t, stage, act }) {
    const code = codeField(t);
    return {
      fields: [code],
      focus: code.input,
      body: [
        el("p", { class: "small" }, t("totpLead" satisfies TextKey)),
        stage.form({
          fields: [code],
          submit: t("confirm"),
          send: () => act({ action: "prove", proof: { method: "totp", code: digits(code.input) } }),
        }),
      ],
    };
  },

  passkey({ options = {} }, { t, stage, act }) {
    const use = button(t("passkey"), {
      class: "primary",
      icon: "passkey",
      onclick: () =>
        void stage.run(async () => {
          const credential = await stage.device(() => usePasskey(options, stage.leaving));
          await act({
            action: "prove",
            proof: { method: "passkey", credential: credential as never },
          });
        }, use),
    });
    return { focus: use, body: [use] };
  },
};

const digits = (input: HTMLInputElement) => input.value.replace(/\s/g, "");
