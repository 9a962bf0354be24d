import type { Complexity } from "../../../functions/widget/contract.ts";
import { el, setAttributes } from "../dom.ts";
import type { TextKey } from "../texts/en.ts";
import { type Field, type FieldTexts, passwordField } from "./fields.ts";

interface Rule {
  text: TextKey;
  meets(password: string): boolean;
}

/** The rules as ZITADEL counts them: ASCII letters and digits, and a symbol is whatever else. */
export function rulesOf(complexity: Complexity): Rule[] {
  const all: (Rule | false)[] = [
    { text: "ruleLength", meets: (password) => [...password].length >= complexity.minLength },
    complexity.uppercase && { text: "ruleUpper", meets: (password) => /[A-Z]/.test(password) },
    complexity.lowercase && { text: "ruleLower", meets: (password) => /[a-z]/.test(password) },
    complexity.number && { text: "ruleNumber", meets: (password) => /[0-9]/.test(password) },
    complexity.symbol &&
    { text: "ruleSymbol", meets: (password) => /[^A-Za-z0-9]/.test(password) },
  ];
  return all.filter((rule) => rule !== false);
}

/** Whose password it is, for managers: where a name was typed on an earlier screen it stands here again, out of sight. */
export const nameForManagers = (loginName: string | undefined) =>
  loginName !== undefined && el("input", {
    type: "text",
    name: "username",
    autocomplete: "username",
    value: loginName,
    readonly: true,
    hidden: true,
  });

/** A new password; its rules stand below it and are ticked off while it is typed. */
export function newPasswordField(
  t: FieldTexts,
  complexity: Complexity,
  label = t("newPassword"),
): Field & { hide(): void } {
  const made = passwordField(t, { name: "new-password", label, autocomplete: "new-password" });
  const rules = rulesOf(complexity).map((rule) => ({
    ...rule,
    words: t(rule.text, { n: complexity.minLength }),
    item: el("li"),
  }));
  const list = el("ul", { class: "rules", id: "rules", part: "rules" });
  list.append(...rules.map(({ item }) => item));
  const judge = () => {
    let missing = 0;
    for (const { item, words, meets } of rules) {
      const met = meets(made.input.value);
      if (!met) missing++;
      item.classList.toggle("met", met);
      item.textContent = met ? `✓ ${words}` : words; // a mark that is read out too
    }
    return missing === 0;
  };
  judge();
  made.input.addEventListener("input", judge);
  made.input.setAttribute("aria-describedby", "new-password-fault rules");
  // Read by managers that make passwords (the draft attribute of Apple's, kept by others).
  setAttributes(made.input, { passwordrules: passwordRules(complexity) });
  made.element.append(list);
  return {
    ...made,
    check() {
      if (!made.check()) return false;
      const well = judge();
      if (!well) made.setFault(t("weak"));
      return well;
    },
  };
}

export function passwordRules(complexity: Complexity): string {
  const required = [
    complexity.uppercase && "upper",
    complexity.lowercase && "lower",
    complexity.number && "digit",
    complexity.symbol && "special",
  ].filter((name) => name !== false);
  return [`minlength: ${complexity.minLength}`, ...required.map((name) => `required: ${name}`)]
    .join("; ");
}
