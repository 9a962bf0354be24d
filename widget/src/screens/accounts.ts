import { el } from "../dom.ts";
import { picture } from "../icons.ts";
import { whereTo } from "./start.ts";
import type { Draw } from "./play.ts";

export const accounts: Draw<"accounts"> = (state, play) => {
  const { t, press } = play;
  const rows = state.accounts.map(({ id, displayName, loginName, fresh }) => {
    const choose = el(
      "button",
      {
        type: "button",
        class: "row",
        part: "row",
        onclick: () => press({ action: "choose_account", id }, choose),
      },
      el("span", { class: "initials", "aria-hidden": "true" }, initials(displayName || loginName)),
      el(
        "span",
        { class: "two" },
        el("span", { class: "text" }, displayName || loginName),
        el("span", { class: "small" }, loginName),
        fresh && el("span", { class: "small fresh" }, t("fresh")),
      ),
    );
    return el(
      "li",
      {},
      choose,
      el(
        "button",
        {
          type: "button",
          class: "tool",
          "aria-label": t("forget", { name: loginName }),
          title: t("forget", { name: loginName }),
          onclick: () => press({ action: "forget_account", id }),
        },
        picture("close"),
      ),
    );
  });
  const other = el(
    "button",
    {
      type: "button",
      class: "row",
      part: "row",
      onclick: () => press({ action: "other_account" }, other),
    },
    el("span", { class: "initials", "aria-hidden": "true" }, picture("person")),
    el("span", { class: "two" }, el("span", { class: "text" }, t("otherAccount"))),
  );
  return {
    heading: t("chooseAccount"),
    lead: whereTo(play),
    body: [el("ul", { class: "rows" }, ...rows, el("li", {}, other))],
    focus: rows[0]?.querySelector("button") ?? other,
  };
};

/** Two letters at most: the first of the first and of the last word. */
export function initials(name: string): string {
  const words = name.split(/[\s@._-]+/).filter(Boolean);
  const letters = [words[0], words.length > 1 ? words.at(-1) : ""].map((word) =>
    [...word ?? ""][0] ?? ""
  );
  return letters.join("").toLocaleUpperCase();
}
