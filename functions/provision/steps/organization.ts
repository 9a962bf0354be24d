import { awaited } from "../../_shared/zitadel/ensure.ts";
import type { Provisioner } from "../../_shared/zitadel/types.ts";
import type { Ledger } from "../ledger.ts";
import { isClosed, organizationId, type Rows, type TenantState } from "../state.ts";
import { defineStep, type Refusals, type StepResult } from "../step.ts";

export type OrganizationInput = {
  id: string;
  name: string;
  state: "active" | "inactive";
  tenantId: string;
};

export const organizationRefusals: Refusals = {
  invalid_argument: "name_refused",
  already_exists: "name_taken", // unique in the whole instance, others' organizations included
};

/** The organization carries the tenant's id and name, and is closed while the tenant is suspended or archived. */
export const organization = defineStep<TenantState, OrganizationInput>({
  name: "organization",
  input(state) {
    const neverMade = isClosed(state) && state.tenant.organizationId === null;
    return neverMade ? null : organizationInput(state);
  },
  run: (input, { zitadel, ledger }) => ensureOrganization(input, zitadel, ledger),
  refusals: organizationRefusals,
});

export function organizationInput(state: Rows): OrganizationInput {
  return {
    id: organizationId(state),
    name: state.tenant.name,
    state: isClosed(state) ? "inactive" : "active",
    tenantId: state.tenant.id,
  };
}

export async function ensureOrganization(
  { id, name, state, tenantId }: OrganizationInput,
  zitadel: Provisioner,
  ledger: Ledger,
): Promise<StepResult> {
  const metadata = { gatehouse_tenant_id: tenantId };
  const made = await zitadel.ensureOrganization({ id, name, metadata });
  const opened = await zitadel.ensureOrganizationState(id, state);
  const found = await awaited(() => zitadel.getOrganization(id));
  if (found) await ledger.settleOrganization(found.primaryDomain);
  return { externalId: id, changed: made.changed || opened.changed };
}
