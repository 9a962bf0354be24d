// What an organization's policies say to a sign-in page: the instance's until it has its own.
import assert from "node:assert/strict";
import { isZitadelError } from "../../functions/_shared/zitadel/errors.ts";
import { suite } from "./support.ts";

const open = suite();

const loginPolicy = {
  allowUsernamePassword: true,
  allowRegister: true,
  allowExternalIdp: true,
  forceMfa: true,
  forceMfaLocalOnly: true,
  passwordlessType: "PASSWORDLESS_TYPE_ALLOWED",
  hidePasswordReset: true,
  ignoreUnknownUsernames: true,
  allowDomainDiscovery: true,
  disableLoginWithEmail: true,
  disableLoginWithPhone: true,
  defaultRedirectUri: "https://start.example.test/",
  passwordCheckLifetime: "10s",
  externalLoginCheckLifetime: "20s",
  mfaInitSkipLifetime: "30s",
  secondFactorCheckLifetime: "40s",
  multiFactorCheckLifetime: "50s",
  secondFactors: ["SECOND_FACTOR_TYPE_OTP", "SECOND_FACTOR_TYPE_OTP_EMAIL"],
  multiFactors: ["MULTI_FACTOR_TYPE_U2F_WITH_VERIFICATION"],
};

Deno.test("an organization's own login policy is read whole; another's stays the instance's", async () => {
  const s = open();
  const [a, e] = [await s.tenant("policya"), await s.tenant("policye")];
  const before = await s.login.loginSettings(a.orgId);
  await s.setPolicy(a.orgId, "login", loginPolicy);
  assert.deepEqual(await s.login.loginSettings(a.orgId), {
    allowLocalAuthentication: true,
    allowRegister: true,
    allowExternalIdp: true,
    passkeysAllowed: true,
    forceMfa: true,
    forceMfaLocalOnly: true,
    hidePasswordReset: true,
    ignoreUnknownUsernames: true,
    allowDomainDiscovery: true,
    disableLoginWithEmail: true,
    disableLoginWithPhone: true,
    defaultRedirectUri: "https://start.example.test/",
    secondFactors: ["totp", "otp_email"],
    multiFactors: ["u2f_with_verification"],
    passwordCheckLifetimeSeconds: 10,
    externalLoginCheckLifetimeSeconds: 20,
    mfaInitSkipLifetimeSeconds: 30,
    secondFactorCheckLifetimeSeconds: 40,
    multiFactorCheckLifetimeSeconds: 50,
  });
  assert.deepEqual(await s.login.loginSettings(e.orgId), before);
});

Deno.test("factors of a login policy come and go one by one, and an update leaves them alone", async () => {
  const s = open();
  const { orgId } = await s.tenant("factors");
  await s.setPolicy(orgId, "login", loginPolicy);
  const path = "/management/v1/policies/login";
  const factors = async () => {
    await s.settle();
    return (await s.login.loginSettings(orgId)).secondFactors;
  };
  const { secondFactors: _kept, multiFactors: _too, ...update } = loginPolicy;
  await s.asProvisioner.rest("PUT", path, { ...update, forceMfa: false }, { orgId });
  assert.deepEqual(await factors(), ["totp", "otp_email"]);
  await assert.rejects(
    s.asProvisioner.rest("PUT", path, { ...update, forceMfa: false }, { orgId }),
    (error) => isZitadelError(error, "failed_precondition"),
  );
  const added = { type: "SECOND_FACTOR_TYPE_RECOVERY_CODES" };
  await s.asProvisioner.rest("POST", `${path}/second_factors`, added, { orgId });
  assert.deepEqual(await factors(), ["totp", "otp_email", "recovery_code"]);
  const gone = `${path}/second_factors/SECOND_FACTOR_TYPE_OTP`;
  await s.asProvisioner.rest("DELETE", gone, undefined, { orgId });
  assert.deepEqual(await factors(), ["otp_email", "recovery_code"]);
});

Deno.test("what an organization's own login policy leaves out is off, not the instance's", async () => {
  const s = open();
  const { orgId } = await s.tenant("bare");
  await s.setPolicy(orgId, "login", { allowUsernamePassword: true });
  const { secondFactors, multiFactors, passkeysAllowed, passwordCheckLifetimeSeconds } = await s
    .login.loginSettings(orgId);
  assert.deepEqual([secondFactors, multiFactors, passkeysAllowed, passwordCheckLifetimeSeconds], [
    [],
    [],
    false,
    0,
  ]);
});

Deno.test("complexity is read and kept, the age of passwords is read", async () => {
  const s = open();
  const { orgId, userId } = await s.tenant("complexity");
  await s.setPolicy(orgId, "password/complexity", { minLength: "12", hasNumber: true });
  assert.deepEqual(await s.login.passwordComplexity(orgId), {
    minLength: 12,
    requiresUppercase: false,
    requiresLowercase: false,
    requiresNumber: true,
    requiresSymbol: false,
  });
  await assert.rejects(s.provisioner.setPassword(userId, "Short-7"));
  await s.provisioner.setPassword(userId, "longer than that 7");
  assert.equal((await s.login.passwordExpiry(orgId)).maxAgeDays, 0);
  await s.setPolicy(orgId, "password/age", { maxAgeDays: 90, expireWarnDays: 7 });
  assert.deepEqual(await s.login.passwordExpiry(orgId), { maxAgeDays: 90, expireWarnDays: 7 });
});

Deno.test("links to what people agree to are an organization's own", async () => {
  const s = open();
  const { orgId } = await s.tenant("legal");
  await s.setPolicy(orgId, "privacy", {
    tosLink: "https://legal.example.test/terms",
    privacyLink: "https://legal.example.test/privacy",
    supportEmail: "help@example.test",
  });
  assert.deepEqual(await s.login.legalSettings(orgId), {
    tosLink: "https://legal.example.test/terms",
    privacyPolicyLink: "https://legal.example.test/privacy",
    supportEmail: "help@example.test",
  });
});
