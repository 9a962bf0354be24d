import type { CallOptions, Wire } from "./call.ts";
import { anyChanged, awaited, orNull, updated, written } from "./ensure.ts";
import { ZitadelError } from "./errors.ts";
import type { Provisioner, User } from "./types.ts";

export const userService = "zitadel.user.v2.UserService";

export interface WireUser {
  userId: string;
  details?: { resourceOwner?: string };
  state?: string;
  username?: string;
  loginNames?: string[];
  preferredLoginName?: string;
  human?: {
    profile?: {
      givenName?: string;
      familyName?: string;
      displayName?: string;
      preferredLanguage?: string;
    };
    email?: { email?: string; isVerified?: boolean };
    passwordChangeRequired?: boolean;
    passwordChanged?: string;
    mfaInitSkipped?: string;
  };
  machine?: { name?: string };
}

/** ZITADEL's user in our words. */
export function readUser(user: WireUser): User {
  const { profile = {}, email = {}, passwordChangeRequired = false, ...human } = user.human ?? {};
  return {
    id: user.userId,
    orgId: user.details?.resourceOwner ?? "",
    kind: user.machine ? "machine" : "human",
    state: (user.state ?? "USER_STATE_UNSPECIFIED").slice(11).toLowerCase() as User["state"],
    userName: user.username ?? "",
    loginNames: user.loginNames ?? [],
    preferredLoginName: user.preferredLoginName ?? "",
    ...(user.human
      ? {
        profile: {
          givenName: profile.givenName ?? "",
          familyName: profile.familyName ?? "",
          displayName: profile.displayName ?? "",
          ...(profile.preferredLanguage ? { preferredLanguage: profile.preferredLanguage } : {}),
          email: email.email ?? "",
          emailVerified: email.isVerified ?? false,
          passwordChangeRequired,
          ...(human.passwordChanged ? { passwordChangedAt: human.passwordChanged } : {}),
          ...(human.mfaInitSkipped ? { mfaInitSkippedAt: human.mfaInitSkipped } : {}),
        },
      }
      : {}),
  };
}

export async function findUser(
  wire: Pick<Wire, "connect">,
  userId: string,
  options: CallOptions = {},
): Promise<WireUser | null> {
  const read = wire.connect<{ user: WireUser }>(userService, "GetUserByID", { userId }, options);
  return (await orNull(read))?.user ?? null;
}

export function users(wire: Wire) {
  const get = (id: string) => findUser(wire, id);

  async function byUserName(orgId: string, userName: string): Promise<WireUser | null> {
    const { result } = await wire.connect<{ result?: WireUser[] }>(userService, "ListUsers", {
      query: { limit: 1 },
      queries: [
        { organizationIdQuery: { organizationId: orgId } },
        { userNameQuery: { userName, method: "TEXT_QUERY_METHOD_EQUALS_IGNORE_CASE" } },
      ],
    });
    return result?.[0] ?? null;
  }

  function inOrganization(user: WireUser | null, orgId: string, id: string): WireUser {
    if (user?.details?.resourceOwner === orgId) return user;
    throw new ZitadelError({
      code: "already_exists",
      message: `User "${id}" is taken outside organization "${orgId}"`,
    });
  }

  return {
    async getUser(id) {
      const user = await get(id);
      return user === null ? null : readUser(user);
    },

    async ensureHuman(input) {
      let found = await get(input.id);
      if (found === null) {
        const made = await written(
          wire.connect(userService, "CreateUser", {
            organizationId: input.orgId,
            userId: input.id,
            username: input.userName,
            human: {
              profile: { givenName: input.givenName, familyName: input.familyName },
              // With neither given ZITADEL would send a mail of its own.
              email: {
                email: input.email,
                ...(input.emailVerified ? { isVerified: true } : { returnCode: {} }),
              },
              ...(input.password === undefined ? {} : { password: { password: input.password } }),
            },
          }),
          "failed_precondition",
          "COMMAND-7yiox1isql",
        );
        if (made) return { id: input.id, changed: true };
        found = await awaited(() => get(input.id));
      }
      inOrganization(found, input.orgId, input.id);
      return { id: input.id, changed: false };
    },

    async ensureMachine({ orgId, id, userName, name }) {
      const read = () => id === undefined ? byUserName(orgId, userName) : get(id);
      let found = await read();
      if (found === null) {
        const create = wire.connect<{ id: string }>(userService, "CreateUser", {
          organizationId: orgId,
          ...(id === undefined ? {} : { userId: id }),
          username: userName,
          machine: { name, accessTokenType: "ACCESS_TOKEN_TYPE_JWT" },
        });
        const made = id === undefined
          ? await written(create, "already_exists", "V3-DKcYh")
          : await written(create, "failed_precondition", "COMMAND-k2una");
        if (made) return { id: (await create).id, changed: true };
        found = await awaited(read);
      }
      const user = inOrganization(found, orgId, id ?? userName);
      const rename = user.username === userName ? {} : { username: userName };
      const renameMachine = user.machine?.name === name ? {} : { machine: { name } };
      const body = { ...rename, ...renameMachine };
      if (Object.keys(body).length === 0) return { id: user.userId, changed: false };
      await wire.connect(userService, "UpdateUser", { userId: user.userId, ...body });
      return { id: user.userId, changed: true };
    },

    async ensureUserState(userId, state) {
      const asAsked = async () => {
        const user = await get(userId);
        return user !== null &&
          (user.state === "USER_STATE_INACTIVE" ? "inactive" : "active") === state;
      };
      if (await asAsked()) return anyChanged(userId, []);
      const method = state === "active" ? "ReactivateUser" : "DeactivateUser";
      return anyChanged(userId, [
        await updated(wire.connect(userService, method, { userId }), asAsked),
      ]);
    },

    async setPassword(userId, password, { changeRequired = false } = {}) {
      await wire.connect(userService, "SetPassword", {
        userId,
        newPassword: { password, changeRequired },
      });
    },

    async createResetCode(userId) {
      const { verificationCode } = await wire.connect<{ verificationCode: string }>(
        userService,
        "PasswordReset",
        { userId, returnCode: {} },
      );
      return verificationCode;
    },

    async createInviteCode(userId) {
      const { inviteCode } = await wire.connect<{ inviteCode: string }>(
        userService,
        "CreateInviteCode",
        { userId, returnCode: {} },
      );
      return inviteCode;
    },

    async removeUser(userId) {
      await orNull(wire.connect(userService, "DeleteUser", { userId }));
    },
  } satisfies Partial<Provisioner>;
}
