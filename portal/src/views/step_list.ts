import { badge, el, icon } from "../dom.ts";
import type { Step } from "../tenants_api.ts";

/** What each step does, in the words of somebody who waits for it. */
const titles: Record<string, string> = {
  organization: "Organization",
  domain_policy: "Login names of its own",
  project: "Project, for its own people only",
  roles: "Roles",
  app: "Applications",
  administrator: "First administrator",
  provider: "Sign-in providers",
  features: "Sign-in page",
  security_policy: "Security policy",
  oidc_settings: "Token lifetimes",
  portal_app: "Portal",
  machine_users: "Service credentials",
};

const drawings: Record<Step["state"], string[]> = {
  ok: ["M5 12.5l4.5 4.5L19 7.5"],
  error: ["M12 6v7", "M12 17.5v.01"],
  skipped: ["M7 12h10"],
  pending: [],
};

export function stepList(steps: Step[]): HTMLElement {
  return el("ol", { class: "steps" }, ...steps.map(item));
}

function item(step: Step): HTMLElement {
  return el(
    "li",
    { "data-state": step.state, "data-step": step.name },
    el(
      "span",
      { class: "dot" },
      ...drawings[step.state].length > 0 ? [icon(...drawings[step.state])] : [],
    ),
    el(
      "div",
      {},
      el("strong", {}, titles[step.name] ?? step.name),
      el("div", { class: "fine" }, fine(step)),
    ),
    badge(step.state),
    ...step.last_error
      ? [el("p", { class: "fault" }, `${step.last_error.detail} (${step.last_error.slug})`)]
      : [],
  );
}

function fine(step: Step): string {
  if (step.attempts === 0) return "not started";
  const tries = step.attempts === 1 ? "1 attempt" : `${step.attempts} attempts`;
  if (!step.started_at || !step.settled_at) return tries;
  const ms = Date.parse(step.settled_at) - Date.parse(step.started_at);
  return ms >= 0 ? `${tries}, ${ms < 1000 ? `${ms} ms` : `${(ms / 1000).toFixed(1)} s`}` : tries;
}
