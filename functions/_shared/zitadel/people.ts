// People, as a sign-in page finds, registers and changes them. Codes come back to us: ZITADEL sends no mail for these calls.
import { ZitadelError } from "./errors.ts";
import { wireLink } from "./idp_links.ts";
import type { LoginWire } from "./platform_guard.ts";
import type { PersonCalls } from "./types.ts";
import { findUser, readUser, userService, type WireUser } from "./users.ts";

export function people({ connect }: LoginWire) {
  const call = <T = unknown>(method: string, body: object) => connect<T>(userService, method, body);

  async function search(orgId: string, ...queries: object[]) {
    const { result = [] } = await call<{ result?: WireUser[] }>("ListUsers", {
      query: { limit: 2 },
      queries: [{ organizationIdQuery: { organizationId: orgId } }, { orQuery: { queries } }],
    });
    return result.map(readUser);
  }

  const returned = async (method: string, userId: string) =>
    (await call<{ verificationCode?: string }>(method, { userId, returnCode: {} }))
      .verificationCode ?? "";

  return {
    async findUsers({ orgId, loginName, byEmail = false }) {
      const method = "TEXT_QUERY_METHOD_EQUALS_IGNORE_CASE";
      // Under userLoginMustBeDomain the login name has the organization's domain behind it; people type what stands before.
      const found = await search(
        orgId,
        { loginNameQuery: { loginName, method } },
        { userNameQuery: { userName: loginName, method } },
      );
      if (found.length > 0 || !byEmail) return found;
      return await search(orgId, { emailQuery: { emailAddress: loginName, method } });
    },

    async getUser(id) {
      const user = await findUser({ connect }, id);
      return user === null ? null : readUser(user);
    },

    async createUser(input) {
      const { orgId, userName, email, emailVerified = false, password, idpLinks, ...profile } =
        input;
      const made = await call<{ id: string; emailCode?: string }>("CreateUser", {
        organizationId: orgId,
        ...(userName === undefined ? {} : { username: userName }),
        human: {
          profile,
          email: { email, ...(emailVerified ? { isVerified: true } : { returnCode: {} }) },
          ...(password === undefined ? {} : { password: { password } }),
          ...(idpLinks?.length ? { idpLinks: idpLinks.map(wireLink) } : {}),
        },
      });
      return { userId: made.id, ...(made.emailCode ? { emailCode: made.emailCode } : {}) };
    },

    async updateProfile(userId, changes) {
      if (Object.keys(changes).length === 0) return;
      await call("UpdateUser", { userId, human: { profile: changes } });
    },

    async verifyEmail(userId, code) {
      await call("VerifyEmail", { userId, verificationCode: code });
    },

    newEmailCode: (userId) => returned("SendEmailCode", userId),

    async changeEmail(userId, email) {
      const { emailCode = "" } = await call<{ emailCode?: string }>("UpdateUser", {
        userId,
        human: { email: { email, returnCode: {} } },
      });
      if (emailCode === "") {
        throw new ZitadelError({
          code: "failed_precondition",
          message: `"${email}" is the address of user "${userId}" already`,
        });
      }
      return emailCode;
    },

    requestPasswordReset: (userId) => returned("PasswordReset", userId),

    async setPassword({ userId, newPassword, ...proof }) {
      // With neither, ZITADEL would take the login client's word for it.
      const proved = "currentPassword" in proof
        ? { currentPassword: proof.currentPassword }
        : { verificationCode: proof.verificationCode };
      if (!Object.values(proved)[0]) throw new TypeError("setPassword needs a password or a code");
      await call("SetPassword", { userId, newPassword: { password: newPassword }, ...proved });
    },

    async createInvite(userId) {
      const { inviteCode = "" } = await call<{ inviteCode?: string }>("CreateInviteCode", {
        userId,
        returnCode: {},
      });
      return inviteCode;
    },

    async verifyInvite(userId, code) {
      await call("VerifyInviteCode", { userId, verificationCode: code });
    },

    async skipMfaInit(userId) {
      await call("HumanMFAInitSkipped", { userId });
    },
  } satisfies PersonCalls;
}
