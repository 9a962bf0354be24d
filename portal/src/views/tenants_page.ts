import { el, mark, messageOf } from "../dom.ts";
import type { SignedIn } from "../sign_in.ts";
import type { Tenant, TenantsApi } from "../tenants_api.ts";
import { createDialog } from "./create_dialog.ts";
import { tenantDetail } from "./tenant_detail.ts";
import { tenantList } from "./tenant_list.ts";

/** How often the list is read again, for what others change. */
const refreshListMs = 5000;

/** The one page of the portal so far: the tenants, one of them in full, and making a new one. */
export function tenantsPage(
  api: TenantsApi,
  signedIn: SignedIn,
  { mayCreateTenants }: { mayCreateTenants: boolean },
): HTMLElement {
  let tenants: Tenant[] = [];
  let selectedId: string | undefined;
  let stopDetail: (() => void) | undefined;

  const notice = el("p", { class: "notice", role: "alert", hidden: true });
  const list = tenantList((tenant) => select(tenant));
  const detail = el("div", { class: "card", hidden: true });
  const create = el(
    "button",
    { class: "primary", type: "button", hidden: !mayCreateTenants },
    "New tenant",
  );
  create.addEventListener("click", () => {
    const dialog = createDialog(async (input) => {
      const tenant = await api.createTenant(input);
      await refresh();
      select(tenant);
    });
    document.body.append(dialog);
    dialog.showModal();
  });

  function select(tenant: Tenant) {
    selectedId = tenant.id;
    list.show(tenants, selectedId);
    stopDetail?.();
    const view = tenantDetail(api, tenant, () => refresh());
    stopDetail = view.stop;
    detail.replaceChildren(...view.elements);
    detail.hidden = false;
  }

  async function refresh() {
    try {
      tenants = await api.listTenants();
      notice.hidden = true;
      list.show(tenants, selectedId);
    } catch (error) {
      notice.textContent = messageOf(error);
      notice.hidden = false;
    }
  }

  async function keepFresh() {
    await refresh();
    const first = tenants.find((tenant) => tenant.kind === "customer");
    if (first && !selectedId && matchMedia("(min-width: 52rem)").matches) select(first);
    setInterval(() => document.visibilityState === "visible" && refresh(), refreshListMs);
  }
  keepFresh();

  const signOut = el("button", { class: "quiet", type: "button" }, "Sign out");
  signOut.addEventListener("click", () => signedIn.signOut());
  return el(
    "div",
    {},
    el(
      "header",
      { class: "bar" },
      el("span", { class: "name" }, mark(), "Gatehouse"),
      el("span", { class: "who" }, signedIn.name),
      signOut,
    ),
    el(
      "main",
      { class: "tenants" },
      el("div", { class: "head" }, el("h1", {}, "Tenants"), create),
      notice,
      list.element,
      detail,
    ),
  );
}
