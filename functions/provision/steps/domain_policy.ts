import { organizationId, type TenantState } from "../state.ts";
import { defineStep } from "../step.ts";

/** With `userLoginMustBeDomain` user names are unique per organization, not in the whole instance: two tenants may have the same person. */
export const domainPolicy = defineStep<TenantState, { organizationId: string }>({
  name: "domain_policy",
  input: (state) => ({ organizationId: organizationId(state) }),
  async run({ organizationId }, { zitadel }) {
    const { changed } = await zitadel.ensureDomainPolicy(organizationId, {
      userLoginMustBeDomain: true,
    });
    return { externalId: organizationId, changed };
  },
});
