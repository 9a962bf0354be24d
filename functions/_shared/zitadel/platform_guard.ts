/**
 * The login client could set anybody's credentials in the whole instance; whoever takes it over must not become platform staff.
 * So whatever it changes about a user is refused here for users of the platform organization, before ZITADEL is asked.
 * A method that nobody thought of is refused too: only those below pass.
 */
import type { Wire } from "./call.ts";
import { ZitadelError } from "./errors.ts";
import { findUser, userService } from "./users.ts";

export type LoginWire = Pick<Wire, "connect">;

/** Nobody signs in by what these set. */
const harmless = new Set([
  "HumanMFAInitSkipped",
  "StartIdentityProviderIntent",
  "RetrieveIdentityProviderIntent",
]);

export function guardPlatformUsers(
  wire: LoginWire,
  platformOrganizationId: () => Promise<string | null>,
): LoginWire {
  async function refusePlatformUser(method: string, body: Target): Promise<void> {
    const creates = method === "CreateUser";
    const [platform, owner] = await Promise.all([
      platformOrganizationId(),
      creates ? body.organizationId : ownerOf(wire, body.userId ?? ""),
    ]);
    if (platform !== null && owner !== undefined && owner !== platform) return;
    throw new ZitadelError({
      code: owner === undefined ? "not_found" : "platform_user_refused",
      message: owner === undefined
        ? `There is no user "${body.userId}"`
        : `The sign-in page sets no credential of user "${body.userId ?? "(new)"}"`,
    });
  }

  return {
    async connect(service, method, body, options) {
      const changesUser = service === userService && !/^(Get|List)/.test(method) &&
        !harmless.has(method);
      if (changesUser) await refusePlatformUser(method, body);
      return await wire.connect(service, method, body, options);
    },
  };
}

interface Target {
  userId?: string;
  organizationId?: string;
}

/** The organization of a user, who may have been made a moment ago. */
async function ownerOf(wire: LoginWire, userId: string): Promise<string | undefined> {
  return (await findUser(wire, userId, { settle: true }))?.details?.resourceOwner;
}
