import { ensureOrganization, organizationInput, organizationRefusals } from "../organization.ts";
import type { OrganizationInput } from "../organization.ts";
import type { InstanceState } from "../../state.ts";
import { defineStep } from "../../step.ts";

/** Platform staff have an organization of their own, never ZITADEL's default one: the login client touches nobody in it. */
export const platformOrganization = defineStep<InstanceState, OrganizationInput>({
  name: "organization",
  input: organizationInput,
  async run(input, { zitadel, ledger }) {
    const result = await ensureOrganization(input, zitadel, ledger);
    await ledger.putSetting("zitadel.platform_organization_id", input.id);
    return result;
  },
  refusals: organizationRefusals,
});
