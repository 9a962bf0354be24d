/**
 * Which fields of ZITADEL's events may leave this folder. Payloads hold password hashes, codes and encrypted secrets, so
 * what is not named here is dropped: a type without a line keeps nothing.
 */
const profile = [
  "userName",
  "firstName",
  "lastName",
  "nickName",
  "displayName",
  "preferredLanguage",
  "email",
];
const check = ["checkedAt"];
const role = ["projectId", "roleKeys", "userId", "grantId"];

const fields: Record<string, readonly string[]> = {
  "user.human.added": profile,
  "user.human.selfregistered": profile,
  "user.machine.added": ["userName", "name", "description"],
  "user.username.changed": ["userName"],
  "user.human.profile.changed": profile,
  "user.human.email.changed": ["email"],
  "user.human.email.verified": [],
  "user.human.phone.changed": [],
  "user.deactivated": [],
  "user.reactivated": [],
  "user.locked": [],
  "user.unlocked": [],
  "user.removed": ["userName"],
  "user.human.password.changed": ["changeRequired"],
  "user.human.password.check.succeeded": [],
  "user.human.password.check.failed": [],
  "user.human.mfa.otp.verified": [],
  "user.human.mfa.otp.removed": [],
  "user.human.mfa.otp.check.failed": [],
  "user.human.mfa.otp.sms.added": [],
  "user.human.mfa.otp.sms.removed": [],
  "user.human.mfa.otp.sms.check.failed": [],
  "user.human.mfa.otp.email.added": [],
  "user.human.mfa.otp.email.removed": [],
  "user.human.mfa.otp.email.check.failed": [],
  "user.human.mfa.u2f.token.verified": [],
  "user.human.mfa.u2f.token.removed": [],
  "user.human.mfa.u2f.token.check.failed": [],
  "user.human.mfa.recoverycode.added": [],
  "user.human.mfa.recoverycode.removed": [],
  "user.human.passwordless.token.verified": [],
  "user.human.passwordless.token.removed": [],
  "user.human.passwordless.token.check.failed": [],
  "user.pat.added": ["tokenId", "expiration"],
  "user.pat.removed": ["tokenId"],
  "user.machine.key.added": ["keyId", "expirationDate"],
  "user.machine.key.removed": ["keyId"],
  "user.machine.secret.set": [],
  "user.machine.secret.removed": [],
  "user.human.externalidp.added": ["idpConfigId", "userId", "displayName"],
  "user.human.externalidp.removed": ["idpConfigId", "userId"],
  "user.human.signed.out": [],
  "user.impersonated": ["actor"],
  "session.added": ["user_agent"],
  "session.user.checked": ["userID", "userResourceOwner", ...check],
  "session.password.checked": check,
  "session.intent.checked": check,
  "session.webAuthN.checked": ["userVerified", ...check],
  "session.totp.checked": check,
  "session.otp.sms.checked": check,
  "session.otp.email.checked": check,
  "session.recoveryCode.checked": check,
  "session.lifetime.set": ["lifetime"],
  "session.terminated": [],
  "auth_request.added": ["client_id", "redirect_uri", "scope", "login_client"],
  "auth_request.session.linked": ["session_id", "user_id", "auth_time", "auth_methods"],
  "auth_request.failed": ["reason"],
  "auth_request.succeeded": [],
  "oidc_session.added": [
    "userID",
    "userResourceOwner",
    "sessionID",
    "clientID",
    "audience",
    "scope",
    "authMethods",
    "authTime",
  ],
  "oidc_session.access_token.added": ["scope", "lifetime"],
  "oidc_session.access_token.revoked": [],
  "oidc_session.refresh_token.added": ["lifetime", "idleLifetime"],
  "oidc_session.refresh_token.renewed": ["idleLifetime"],
  "oidc_session.refresh_token.revoked": [],
  "org.added": ["name"],
  "org.changed": ["name"],
  "org.deactivated": [],
  "org.reactivated": [],
  "org.removed": [],
  "org.domain.added": ["domain"],
  "org.domain.verified": ["domain"],
  "org.domain.primary.set": ["domain"],
  "org.domain.removed": ["domain"],
  "org.member.added": ["userId", "roles"],
  "org.member.changed": ["userId", "roles"],
  "org.member.removed": ["userId"],
  "instance.member.added": ["userId", "roles"],
  "instance.member.changed": ["userId", "roles"],
  "instance.member.removed": ["userId"],
  "user.grant.added": role,
  "user.grant.changed": role,
  "user.grant.cascade.changed": role,
  "user.grant.removed": role,
  "user.grant.cascade.removed": role,
  "user.grant.deactivated": [],
  "user.grant.reactivated": [],
};

/** The payload without whatever is not on the list. Agents' request headers, which hold cookies, are cut too. */
export function allowedPayload(
  type: string,
  payload: Record<string, unknown>,
): Record<string, unknown> {
  const allowed = Object.fromEntries(
    (Object.hasOwn(fields, type) ? fields[type]! : []).filter((name) => payload[name] !== undefined)
      .map((name) => [name, payload[name]]),
  );
  if (typeof allowed.user_agent === "object" && allowed.user_agent !== null) {
    const { fingerprint_id, ip, description } = allowed.user_agent as Record<string, unknown>;
    allowed.user_agent = JSON.parse(JSON.stringify({ fingerprint_id, ip, description }));
  }
  return allowed;
}
