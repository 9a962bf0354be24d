import { type InstanceState, organizationId } from "../../state.ts";
import { defineStep } from "../../step.ts";
import {
  type AdministratorInput,
  administratorRefusals,
  ensureAdministrator,
} from "../administrator.ts";

/**
 * The administrator of the first start, under the id that the bootstrap file chose; platform_admin goes to that id.
 * Done once for a file; a changed file makes another one, which is also the way back in when everybody is locked out.
 */
export const bootstrapAdministrator = defineStep<InstanceState, AdministratorInput>({
  name: "administrator",
  once: true,
  input(state) {
    const { id, userName, email, givenName, familyName } = state.administrator;
    return { id, organizationId: organizationId(state), userName, email, givenName, familyName };
  },
  run(input, { state, zitadel, ledger }) {
    const { issuer, administrator: { password } } = state;
    return ensureAdministrator(input, { issuer, zitadel, ledger, password });
  },
  refusals: administratorRefusals,
});
