import { ApiProblem } from "../base/api.ts";
import { el } from "../dom.ts";

/**
 * Goes there; with `fields` as a POST (SAML's binding, whose address the page's policy must allow under `form-action`).
 * The address is a registered one, but one that runs script never is.
 */
export function leaveFor(url: string, fields?: Record<string, string>): void {
  const { protocol } = new URL(url, document.baseURI);
  if (/^(javascript|data|vbscript|blob):/.test(protocol)) throw new ApiProblem("other");
  if (!fields) return location.assign(url);
  const form = el(
    "form",
    { method: "post", action: url, hidden: true },
    ...Object.entries(fields).map(([name, value]) => el("input", { type: "hidden", name, value })),
  );
  document.body.append(form);
  form.submit();
}
