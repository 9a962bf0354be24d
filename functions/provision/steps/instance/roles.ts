import { type InstanceState, projectId } from "../../state.ts";
import { defineStep } from "../../step.ts";

/** Our built-in roles under the names that our assignments use. */
const builtInRoles = [
  { key: "platform_admin", displayName: "Platform administrator" },
  { key: "platform_auditor", displayName: "Platform auditor" },
  { key: "tenant_admin", displayName: "Tenant administrator" },
  { key: "tenant_member", displayName: "Tenant member" },
  { key: "auditor", displayName: "Auditor" },
];

export const gatehouseRoles = defineStep<
  InstanceState,
  { projectId: string; roles: { key: string; displayName: string }[] }
>({
  name: "roles",
  input: (state) => ({ projectId: projectId(state), roles: builtInRoles }),
  async run({ projectId, roles }, { zitadel }) {
    const { changed } = await zitadel.ensureRoles(projectId, roles, { exact: true });
    return { externalId: projectId, changed };
  },
});
