// By what a session was authenticated, as tokens and events say it. [S] internal/command/session_model.go, internal/api/oidc/amr.go
import type { Session } from "../model.ts";

/** Numbers of domain.UserAuthMethodType; recovery codes have none that we know. */
export const methodNumbers = {
  totp: 1,
  u2f: 2,
  passkey: 3,
  password: 4,
  idp: 5,
  otpEmail: 7,
  privateKey: 9,
} as const;

export function authMethodsOf({ passwordVerifiedAt, factors = {} }: Session): number[] {
  const passkey = factors.webAuthN?.userVerified ? methodNumbers.passkey : methodNumbers.u2f;
  return [
    ...(passwordVerifiedAt ? [methodNumbers.password] : []),
    ...(factors.webAuthN ? [passkey] : []),
    ...(factors.intent ? [methodNumbers.idp] : []),
    ...(factors.totp ? [methodNumbers.totp] : []),
    ...(factors.otpEmail ? [methodNumbers.otpEmail] : []),
  ];
}

/** The latest check; where nothing but the user was checked, that. */
export function authTimeOf({ user, passwordVerifiedAt, factors = {} }: Session): string {
  const checks = [passwordVerifiedAt, ...Object.values(factors).map((one) => one?.verifiedAt)]
    .filter((at) => at !== undefined);
  return checks.sort().at(-1) ?? user!.verifiedAt;
}

/** RFC 8176: a passkey counts as two factors, codes are one word however many there were, a provider has none. */
export function amrOf(methods: number[]): string[] {
  const { password, passkey, u2f, totp, otpEmail } = methodNumbers;
  const any = (...wanted: number[]) => methods.some((method) => wanted.includes(method));
  const factors = methods.length + (methods.includes(passkey) ? 1 : 0);
  return [
    ...(any(password) ? ["pwd"] : []),
    ...(any(passkey, u2f) ? ["user"] : []),
    ...(any(totp, otpEmail) ? ["otp"] : []),
    ...(factors > 1 ? ["mfa"] : []),
  ];
}
