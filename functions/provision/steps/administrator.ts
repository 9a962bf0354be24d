import { awaited } from "../../_shared/zitadel/ensure.ts";
import type { Provisioner } from "../../_shared/zitadel/types.ts";
import { derivedId } from "../ids.ts";
import type { Ledger } from "../ledger.ts";
import { organizationId, type TenantState } from "../state.ts";
import { defineStep, type Refusals, type StepResult } from "../step.ts";

export type AdministratorInput = {
  id: string;
  organizationId: string;
  userName: string;
  email: string;
  givenName: string;
  familyName: string;
};

export const administratorRefusals: Refusals = {
  invalid_argument: "administrator_refused",
  failed_precondition: "administrator_refused", // its password too, by the policy of the instance
  already_exists: "user_name_taken",
};

/**
 * The tenant's first administrator: a user in ZITADEL with no manager role there, and our role tenant_admin.
 *
 * Done once: who takes the role or the person away later meant it, and no reconcile gives it back. The id comes from the
 * address, so a changed address makes another person and never hands an account over.
 */
export const administrator = defineStep<TenantState, AdministratorInput>({
  name: "administrator",
  once: true,
  input(state) {
    const { id, admin } = state.tenant;
    if (admin === null) return null;
    return {
      id: derivedId("administrator", id, admin.email.toLowerCase()),
      organizationId: organizationId(state),
      userName: admin.email,
      email: admin.email,
      givenName: admin.givenName ?? admin.email,
      familyName: admin.familyName ?? admin.email,
    };
  },
  run: (input, { state, zitadel, ledger }) =>
    ensureAdministrator(input, { issuer: state.issuer, zitadel, ledger }),
  refusals: administratorRefusals,
});

export async function ensureAdministrator(
  input: AdministratorInput,
  context: { issuer: string; zitadel: Provisioner; ledger: Ledger; password?: string },
): Promise<StepResult> {
  const { issuer, zitadel, ledger, password } = context;
  const { id, organizationId, userName, email, givenName, familyName } = input;
  const { changed } = await zitadel.ensureHuman({
    id,
    orgId: organizationId,
    userName,
    email,
    // Who makes the tenant vouches for it: else ZITADEL would mail a code, and an air gap may have no mail server.
    emailVerified: true,
    givenName,
    familyName,
    ...(password !== undefined && { password }),
  });
  const user = await awaited(() => zitadel.getUser(id));
  const loginName = user?.preferredLoginName ?? userName;
  await ledger.settleAdministrator(issuer, id, { loginName, email, givenName, familyName });
  return { externalId: id, changed };
}
