import type { InstanceState } from "../../state.ts";
import { defineStep } from "../../step.ts";

type MachineUser = { userName: string; name: string; role: string };

/**
 * The credentials of our processes beside the provisioner, each with the one role it needs. They stand in ZITADEL's default
 * organization, where ZITADEL's first start makes the login client; their tokens are made by who installs.
 */
const machineUserList: MachineUser[] = [
  { userName: "login-client", name: "Gatehouse login client", role: "IAM_LOGIN_CLIENT" },
  { userName: "event-reader", name: "Gatehouse event reader", role: "IAM_OWNER_VIEWER" },
];

export const machineUsers = defineStep<InstanceState, MachineUser[]>({
  name: "machine_users",
  input: () => machineUserList,
  async run(users, { zitadel }) {
    const { id: orgId } = await zitadel.getDefaultOrganization();
    let changed = false;
    for (const { userName, name, role } of users) {
      const user = await zitadel.ensureMachine({ orgId, userName, name });
      const right = await zitadel.ensureAdministrator({
        userId: user.id,
        resource: { instance: true },
        roles: [role],
      });
      changed = changed || user.changed || right.changed;
    }
    return { externalId: orgId, changed };
  },
});
