import { el, messageOf, setAttributes } from "../dom.ts";
import type { NewTenant } from "../tenants_api.ts";

/** A dialog that makes one tenant; it stays open, with the reason, when that is refused. */
export function createDialog(onCreate: (input: NewTenant) => Promise<void>): HTMLDialogElement {
  const notice = el("p", { class: "notice", role: "alert", hidden: true });
  const submit = el("button", { class: "primary", type: "submit" }, "Create tenant");
  const cancel = el("button", { type: "button" }, "Cancel");
  const name = input("name", { required: true, maxlength: "200" });
  const slug = input("slug", {
    required: true,
    pattern: "[a-z]([a-z0-9\\-]{0,61}[a-z0-9])",
    autocapitalize: "none",
    spellcheck: "false",
    title: "Small letters, digits and hyphens, beginning with a letter",
  });
  const form = el(
    "form",
    { method: "dialog" },
    el("h2", { id: "create-title" }, "New tenant"),
    notice,
    el(
      "fieldset",
      {},
      field("Name", name),
      field("Slug", slug, "Stands in addresses; cannot be changed."),
    ),
    el(
      "fieldset",
      {},
      el("legend", {}, "First administrator"),
      field("Given name", input("given_name", { required: true })),
      field("Family name", input("family_name", { required: true })),
      field("E-mail", input("email", { required: true, type: "email" }), undefined, true),
    ),
    el(
      "fieldset",
      {},
      el("legend", {}, "First application"),
      field("Name", input("app_name", { required: true, value: "Storefront" })),
      field("Kind", kinds()),
      field(
        "Redirect address",
        input("redirect_uri", {
          required: true,
          type: "url",
          placeholder: "https://shop.example/",
        }),
        "Where people come back to after signing in, exactly as the application asks for it.",
        true,
      ),
    ),
    el("div", { class: "actions" }, cancel, submit),
  );
  const dialog = el("dialog", { "aria-labelledby": "create-title" }, form);

  let slugTouched = false;
  slug.addEventListener("input", () => slugTouched = slug.value !== "");
  name.addEventListener("input", () => {
    if (!slugTouched) slug.value = slugFrom(name.value);
  });
  cancel.addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => dialog.remove());
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    notice.hidden = true;
    submit.disabled = true;
    setAttributes(form, { "aria-busy": "true" });
    try {
      await onCreate(read(new FormData(form)));
      dialog.close();
    } catch (error) {
      notice.textContent = messageOf(error);
      notice.hidden = false;
      dialog.scrollTo({ top: 0 });
    } finally {
      submit.disabled = false;
      setAttributes(form, { "aria-busy": false });
    }
  });
  return dialog;
}

function read(data: FormData): NewTenant {
  const text = (name: string) => String(data.get(name) ?? "").trim();
  const redirectUri = text("redirect_uri");
  return {
    slug: text("slug"),
    name: text("name"),
    admin: {
      email: text("email"),
      given_name: text("given_name"),
      family_name: text("family_name"),
    },
    app: {
      name: text("app_name"),
      kind: text("kind"),
      redirect_uris: [redirectUri],
      post_logout_uris: [redirectUri],
    },
  };
}

/** A first guess: "Acme Söhne & Co" → "acme-sohne-co". */
function slugFrom(name: string): string {
  return name.normalize("NFKD").replaceAll(/\p{M}/gu, "").toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-").replaceAll(/^[-0-9]+|-+$/g, "").slice(0, 63);
}

function input(name: string, attributes: Record<string, string | boolean>): HTMLInputElement {
  return el("input", { id: `create-${name}`, name, autocomplete: "off", ...attributes });
}

function kinds(): HTMLSelectElement {
  return el(
    "select",
    { id: "create-kind", name: "kind" },
    el("option", { value: "spa" }, "Browser or public client"),
    el("option", { value: "web" }, "Web server with a secret"),
    el("option", { value: "native" }, "Desktop or mobile"),
  );
}

function field(label: string, control: HTMLElement, hint?: string, wide = false): HTMLElement {
  const hintId = `${control.id}-hint`;
  if (hint) control.setAttribute("aria-describedby", hintId);
  return el(
    "div",
    { class: wide ? "field wide" : "field" },
    el("label", { for: control.id }, label),
    control,
    ...hint ? [el("span", { class: "hint", id: hintId }, hint)] : [],
  );
}
