import { badge, el, messageOf, moment } from "../dom.ts";
import type { App, Step, Tenant, TenantsApi } from "../tenants_api.ts";
import { stepList } from "./step_list.ts";

/** While work is under way, and once it has settled. */
const pollMs = { working: 500, settled: 5000 };

/** One tenant in full, kept fresh until `stop`. `onSettled` is told when its status changed. */
export function tenantDetail(api: TenantsApi, first: Tenant, onStatus: () => void) {
  const body = el("div", { class: "detail", "aria-busy": "true" });
  const status = el("p", { class: "muted", role: "status" }, "Loading…");
  body.append(status);
  let stopped = false;
  let shown = "";
  let lastStatus = first.status;

  async function poll() {
    while (!stopped) {
      let working = true;
      try {
        const found = await api.getTenant(first.id);
        if (stopped) return;
        if (found === null) return body.replaceChildren(el("p", {}, "This tenant is gone."));
        working = found.tenant.status === "provisioning" ||
          found.steps.some((step) => step.state === "pending");
        const next = JSON.stringify(found);
        if (next !== shown) render(found);
        shown = next;
        if (found.tenant.status !== lastStatus) onStatus();
        lastStatus = found.tenant.status;
      } catch (error) {
        shown = "";
        body.replaceChildren(el("p", { class: "notice", role: "alert" }, messageOf(error)));
      }
      await new Promise((resolve) =>
        setTimeout(resolve, working ? pollMs.working : pollMs.settled)
      );
    }
  }

  function render({ tenant, steps, apps }: { tenant: Tenant; steps: Step[]; apps: App[] }) {
    body.setAttribute("aria-busy", String(tenant.status === "provisioning"));
    body.replaceChildren(
      el("div", { class: "title" }, el("h2", {}, tenant.name), badge(tenant.status)),
      facts(tenant),
      el(
        "section",
        { class: "section" },
        el("div", { class: "head" }, el("h3", {}, "Provisioning"), reconcileButton(api, tenant)),
        stepList(steps),
      ),
      ...apps.length > 0 ? [appSection(apps)] : [],
    );
  }

  poll();
  return { elements: [body], stop: () => stopped = true };
}

function facts(tenant: Tenant): HTMLElement {
  const rows: [string, Node | string][] = [
    ["Slug", el("code", {}, tenant.slug)],
    ["Created", moment(tenant.created_at)],
    ["Active since", tenant.activated_at ? moment(tenant.activated_at) : "not yet"],
    [
      "Login names end in",
      tenant.login_domain ? el("code", {}, `@${tenant.login_domain}`) : "not known yet",
    ],
  ];
  return el(
    "dl",
    { class: "facts" },
    ...rows.map(([term, value]) => el("div", {}, el("dt", {}, term), el("dd", {}, value))),
  );
}

function reconcileButton(api: TenantsApi, tenant: Tenant): HTMLElement {
  const button = el("button", { type: "button", class: "quiet" }, "Check again");
  button.addEventListener("click", async () => {
    button.disabled = true;
    await api.reconcileTenant(tenant.id).catch((error) => button.textContent = messageOf(error));
    setTimeout(() => button.disabled = false, 1000);
  });
  return button;
}

function appSection(apps: App[]): HTMLElement {
  return el(
    "section",
    { class: "section" },
    el("h3", {}, "Applications"),
    el(
      "ul",
      { class: "apps" },
      ...apps.map((app) =>
        el(
          "li",
          {},
          el("strong", {}, app.name),
          badge(app.state),
          el("code", {}, app.client_id ? `client id ${app.client_id}` : "no client id yet"),
          ...app.redirect_uris.map((uri) => el("code", {}, uri)),
        )
      ),
    ),
  );
}
