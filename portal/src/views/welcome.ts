import { el, mark, messageOf } from "../dom.ts";

/** The page of somebody who is not signed in. */
export function welcome(options: { notice?: string; signIn?: () => Promise<void> }): HTMLElement {
  const notice = el(
    "p",
    { class: "notice", role: "alert", hidden: !options.notice },
    options.notice ?? "",
  );
  const button = el(
    "button",
    { class: "primary", type: "button", hidden: !options.signIn },
    "Sign in",
  );
  button.addEventListener("click", async () => {
    button.disabled = true;
    notice.hidden = true;
    try {
      await options.signIn?.();
    } catch (error) {
      button.disabled = false;
      notice.textContent = messageOf(error);
      notice.hidden = false;
    }
  });
  return el(
    "main",
    { class: "welcome" },
    mark(),
    el("h1", {}, "Gatehouse"),
    el("p", {}, "Organizations, applications and who may sign in to them."),
    notice,
    button,
  );
}
