import { el, setAttributes } from "../dom.ts";
import type { FieldTexts } from "./fields.ts";
import { button, type Stage } from "./stage.ts";

/** Sends a mail again, not before its time: until then it counts down and says so when it is pressed. */
export function resendButton(
  t: FieldTexts,
  stage: Stage,
  afterSeconds: number,
  resend: () => Promise<void>,
): HTMLElement {
  const again = button("", { class: "link" });
  const label = again.querySelector(".text")!;
  const readyAt = Date.now() + afterSeconds * 1000;
  const left = () => Math.max(0, Math.ceil((readyAt - Date.now()) / 1000));
  const draw = () => {
    const n = left();
    label.textContent = n > 0 ? t("resendIn", { n }) : t("resend");
    setAttributes(again, { "aria-disabled": n > 0 && "true" });
    if (n === 0) clearInterval(timer);
  };
  const timer = setInterval(draw, 1000);
  draw();
  again.addEventListener("click", async () => {
    if (left() > 0) return stage.say(label.textContent!);
    if (await stage.run(resend, again)) stage.say(t("resent"));
  });
  // A screen that is left takes its clock with it.
  queueMicrotask(() => stage.leaving.addEventListener("abort", () => clearInterval(timer)));
  return el("p", { class: "note" }, again);
}
