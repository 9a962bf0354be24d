import { organizationId, projectId, type TenantState } from "../state.ts";
import { defineStep } from "../step.ts";

/** The project of the tenant's applications: a person of another organization gets no code for any of them. */
export const project = defineStep<
  TenantState,
  { id: string; organizationId: string; name: string }
>({
  name: "project",
  input: (state) => ({
    id: projectId(state),
    organizationId: organizationId(state),
    name: state.tenant.name,
  }),
  async run({ id, organizationId, name }, { zitadel }) {
    const { changed } = await zitadel.ensureProject({
      id,
      orgId: organizationId,
      name,
      projectAccessRequired: true,
      projectRoleAssertion: true,
      authorizationRequired: false,
    });
    return { externalId: id, changed };
  },
  refusals: { invalid_argument: "name_refused", already_exists: "name_taken" },
});
