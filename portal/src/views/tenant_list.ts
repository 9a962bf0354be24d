import { badge, el } from "../dom.ts";
import type { Tenant } from "../tenants_api.ts";

export interface TenantList {
  element: HTMLElement;
  show(tenants: Tenant[], selectedId: string | undefined): void;
}

export function tenantList(onSelect: (tenant: Tenant) => void): TenantList {
  const element = el("nav", { class: "card", "aria-label": "Tenants" });
  let shown = "";
  return {
    element,
    show(tenants, selectedId) {
      const next = JSON.stringify([tenants, selectedId]);
      if (next === shown) return; // nothing to redraw: the focus stays where it is
      shown = next;
      const focused = document.activeElement?.getAttribute("data-id");
      element.replaceChildren(
        tenants.length === 0
          ? el("p", { class: "empty" }, "No tenant yet, or none that you look after.")
          : el(
            "ul",
            { class: "list" },
            ...tenants.map((tenant) => item(tenant, selectedId, onSelect)),
          ),
      );
      if (focused) {
        element.querySelector<HTMLElement>(`[data-id="${CSS.escape(focused)}"]`)?.focus();
      }
    },
  };
}

function item(tenant: Tenant, selectedId: string | undefined, onSelect: (tenant: Tenant) => void) {
  const button = el(
    "button",
    { type: "button", "data-id": tenant.id, "aria-current": tenant.id === selectedId && "true" },
    el("strong", {}, tenant.name),
    el("code", {}, tenant.slug),
    badge(tenant.status),
  );
  button.addEventListener("click", () => onSelect(tenant));
  return el("li", {}, button);
}
