/** What the sign-in and the account page both show while something is set up. */
import { el, svg } from "../dom.ts";
import type { FieldTexts } from "./fields.ts";
import { button, type Stage } from "./stage.ts";

/** The QR code as it comes from the function: one path of unit squares, with the quiet zone of four that readers want. */
export function totpBody(
  t: FieldTexts,
  stage: Stage,
  { secret, uri, qr }: { secret: string; uri: string; qr: { size: number; path: string } },
): HTMLElement {
  const drawing = svg(
    { viewBox: `-4 -4 ${qr.size + 8} ${qr.size + 8}`, class: "qr", part: "qr" },
    qr.path,
  );
  drawing.removeAttribute("aria-hidden");
  drawing.setAttribute("role", "img");
  drawing.setAttribute("aria-label", t("qr"));
  return el(
    "div",
    { class: "totp" },
    drawing,
    el(
      "div",
      { class: "field" },
      el("span", { class: "label", id: "secret-label" }, t("secret")),
      el(
        "div",
        { class: "secret" },
        el(
          "code",
          { "aria-labelledby": "secret-label", dir: "ltr" },
          secret.replace(/(.{4})(?=.)/g, "$1 "),
        ),
        copyButton(t, stage, () => secret),
      ),
      // On the telephone itself nothing can be scanned. The address is of the function's making; only this scheme is linked.
      /^otpauth:/.test(uri) && el("a", { href: uri, class: "app" }, t("openApp")),
    ),
  );
}

export function recoveryCodesBody(
  t: FieldTexts,
  stage: Stage,
  codes: string[],
  { appName, tenantName }: { appName: string; tenantName: string },
): HTMLElement {
  const file = () =>
    [`${tenantName || appName} · ${t("recovery_code")}`, "", ...codes, ""].join("\n");
  return el(
    "div",
    { class: "codes-block" },
    el(
      "ul",
      { class: "codes", dir: "ltr", part: "codes" },
      ...codes.map((code) => el("li", {}, code)),
    ),
    el(
      "div",
      { class: "tools" },
      copyButton(t, stage, () => codes.join("\n"), t("copy")),
      button(t("download"), {
        icon: "download",
        onclick: () => download("recovery-codes.txt", file()),
      }),
      button(t("print"), { icon: "print", onclick: () => print() }),
    ),
  );
}

/** Where the page may not write to the clipboard (no TLS), the text stays selectable. */
function copyButton(t: FieldTexts, stage: Stage, text: () => string, label?: string): HTMLElement {
  const made = button(label ?? t("copy"), { icon: "copy" });
  made.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text());
      made.querySelector(".text")!.textContent = t("copied");
      stage.say(t("copied"));
    } catch {
      const selection = getSelection();
      const source = made.parentElement?.previousElementSibling ?? made.previousElementSibling;
      if (source) selection?.selectAllChildren(made.previousElementSibling ?? source);
    }
  });
  return made;
}

function download(name: string, text: string): void {
  const href = URL.createObjectURL(new Blob([text], { type: "text/plain" }));
  el("a", { href, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(href), 10_000); // the browser reads it after the click
}
