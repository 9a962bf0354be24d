// The login client's credential opens everybody's account in the instance; our adapter keeps it away from platform staff.
import assert from "node:assert/strict";
import { isZitadelError } from "../../functions/_shared/zitadel/errors.ts";
import { loginClient } from "../../functions/_shared/zitadel/login_client.ts";
import type {
  CredentialCalls,
  LoginClient,
  PersonCalls,
  WebAuthnRegistration,
} from "../../functions/_shared/zitadel/types.ts";
import { password, suite } from "./support.ts";

const open = suite();

/** What may be asked about platform staff too: it changes nothing that anybody signs in with. */
type Harmless =
  | "findUsers"
  | "getUser"
  | "skipMfaInit"
  | "authenticationMethods"
  | "listPasskeys"
  | "listU2f"
  | "listIdpLinks";
type Guarded = Exclude<keyof PersonCalls | keyof CredentialCalls, Harmless>;

const link = { idpId: "an-idp", externalUserId: "42", externalUserName: "staff" };
const credential: WebAuthnRegistration = {
  id: "AAAA",
  rawId: "AAAA",
  type: "public-key",
  response: { clientDataJSON: "AAAA", attestationObject: "AAAA" },
};
const domain = "login.example.test";

/** Every other call; one that is missing here does not compile. */
const guarded: Record<Guarded, (login: LoginClient, userId: string, orgId: string) => unknown> = {
  createUser: (login, _userId, orgId) =>
    login.createUser({ orgId, givenName: "E", familyName: "E", email: "eve@example.test" }),
  updateProfile: (login, userId) => login.updateProfile(userId, { givenName: "Eve" }),
  verifyEmail: (login, userId) => login.verifyEmail(userId, "CODE"),
  newEmailCode: (login, userId) => login.newEmailCode(userId),
  changeEmail: (login, userId) => login.changeEmail(userId, "eve@example.test"),
  requestPasswordReset: (login, userId) => login.requestPasswordReset(userId),
  setPassword: (login, userId) =>
    login.setPassword({ userId, newPassword: "Eves-Horse-6", currentPassword: password }),
  createInvite: (login, userId) => login.createInvite(userId),
  verifyInvite: (login, userId) => login.verifyInvite(userId, "CODE"),
  startTotp: (login, userId) => login.startTotp(userId),
  verifyTotp: (login, userId) => login.verifyTotp(userId, "123456"),
  removeTotp: (login, userId) => login.removeTotp(userId),
  startPasskey: (login, userId) => login.startPasskey(userId, { domain }),
  finishPasskey: (login, userId) =>
    login.finishPasskey(userId, { passkeyId: "1", name: "x", credential }),
  removePasskey: (login, userId) => login.removePasskey(userId, "1"),
  startU2f: (login, userId) => login.startU2f(userId, { domain }),
  finishU2f: (login, userId) => login.finishU2f(userId, { u2fId: "1", name: "x", credential }),
  removeU2f: (login, userId) => login.removeU2f(userId, "1"),
  addOtpEmail: (login, userId) => login.addOtpEmail(userId),
  removeOtpEmail: (login, userId) => login.removeOtpEmail(userId),
  makeRecoveryCodes: (login, userId) => login.makeRecoveryCodes(userId, 8),
  removeRecoveryCodes: (login, userId) => login.removeRecoveryCodes(userId),
  addIdpLink: (login, userId) => login.addIdpLink(userId, link),
  removeIdpLink: (login, userId) => login.removeIdpLink(userId, link),
};

Deno.test("nothing that anybody signs in with is changed for users of the platform organization, nor where it is unknown", async () => {
  const s = open();
  const { orgId, userId } = await s.tenant("staff");
  const before = await s.eventsOf(orgId);
  for (const platform of [orgId, null]) {
    const login = loginClient({
      ...s.instance.config("login-client"),
      platformOrganizationId: () => Promise.resolve(platform),
    });
    for (const [name, call] of Object.entries(guarded)) {
      await assert.rejects(
        async () => await call(login, userId, orgId),
        (error) => isZitadelError(error, "platform_user_refused"),
        name,
      );
    }
    await login.skipMfaInit(userId);
    assert.equal((await login.getUser(userId))?.id, userId);
  }
  const after = (await s.eventsOf(orgId)).slice(before.length).map(({ type }) => type);
  assert.deepEqual(new Set(after), new Set(["user.human.mfa.init.skipped"]));
});

Deno.test("of a user who is not there, the same calls say so", async () => {
  const s = open();
  const nobody = crypto.randomUUID();
  await assert.rejects(
    s.login.requestPasswordReset(nobody),
    (error) => isZitadelError(error, "not_found"),
  );
});
