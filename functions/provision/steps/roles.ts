import { projectId, type TenantState } from "../state.ts";
import { defineStep } from "../step.ts";

/** Roles that the tenant's own services find in tokens. Roles made by others stay. Gatehouse itself asks its assignments, never these. */
const tenantRoles = [
  { key: "tenant_admin", displayName: "Administrator" },
  { key: "tenant_member", displayName: "Member" },
  { key: "auditor", displayName: "Auditor" },
];

export const roles = defineStep<
  TenantState,
  { projectId: string; roles: { key: string; displayName: string }[] }
>({
  name: "roles",
  input: (state) => ({ projectId: projectId(state), roles: tenantRoles }),
  async run({ projectId, roles }, { zitadel }) {
    const { changed } = await zitadel.ensureRoles(projectId, roles);
    return { externalId: projectId, changed };
  },
});
