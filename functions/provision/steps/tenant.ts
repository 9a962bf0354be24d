/** The tenant's steps, in order; the names stand in private.tg_tenants__provision too. */
import { isClosed, type TenantState } from "../state.ts";
import type { Step } from "../step.ts";
import { administrator } from "./administrator.ts";
import { app } from "./app.ts";
import { domainPolicy } from "./domain_policy.ts";
import { organization } from "./organization.ts";
import { project } from "./project.ts";
import { provider } from "./provider.ts";
import { roles } from "./roles.ts";

export function tenantSteps(state: TenantState): Step<TenantState>[] {
  if (state.tenant.kind === "platform") {
    throw new TypeError("The platform tenant is reconcileInstance's, not reconcileTenant's");
  }
  // A closed organization signs nobody in; what is inside it waits until it is opened again.
  if (isClosed(state)) return [organization];
  return [organization, domainPolicy, project, roles, app, administrator, provider];
}
