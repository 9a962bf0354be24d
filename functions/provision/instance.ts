/**
 * Prepares ZITADEL itself, as steps of the platform tenant: what `instance__reconcile` does at every start and after every change.
 * Next: steps/instance/ (one file a step), saga.ts (the machinery).
 */
import { type Outcome, type ReconcileOptions, runSaga } from "./saga.ts";
import type { InstanceFacts, InstanceState } from "./state.ts";
import type { Step } from "./step.ts";
import { bootstrapAdministrator } from "./steps/instance/administrator.ts";
import { eventHint } from "./steps/instance/event_hint.ts";
import { features } from "./steps/instance/features.ts";
import { machineUsers } from "./steps/instance/machine_users.ts";
import { oidcSettings } from "./steps/instance/oidc_settings.ts";
import { platformOrganization } from "./steps/instance/organization.ts";
import { portalApp } from "./steps/instance/portal_app.ts";
import { gatehouseProject } from "./steps/instance/project.ts";
import { gatehouseRoles } from "./steps/instance/roles.ts";
import { provider } from "./steps/provider.ts";
import { securityPolicy } from "./steps/instance/security_policy.ts";

/** The one reserved tenant; private.platform_tenant() in SQL. */
export const platformTenantId = "00000000-0000-7000-8000-000000000000";

/** In order; the names stand in private.tg_tenants__provision too. */
export const instanceSteps: Step<InstanceState>[] = [
  platformOrganization,
  features,
  securityPolicy,
  oidcSettings,
  gatehouseProject,
  gatehouseRoles,
  portalApp,
  machineUsers,
  bootstrapAdministrator,
  provider,
  eventHint,
];

export type InstanceOptions = Omit<ReconcileOptions, "tenantId" | "issuer"> & {
  facts: InstanceFacts;
};

/** Makes ZITADEL as Gatehouse needs it, or mends it: also after our own address changed. @throws {StepFailed} */
export function reconcileInstance({ facts, ...options }: InstanceOptions): Promise<Outcome> {
  return runSaga<InstanceState>(
    { ...options, issuer: facts.issuer, tenantId: platformTenantId },
    (rows) => ({ steps: instanceSteps, state: { ...rows, ...facts } }),
  );
}
