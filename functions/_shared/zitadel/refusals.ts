// What ZITADEL's refusals say about a person and what they typed. Match these, never codes or texts.
import { isZitadelError, ZitadelError } from "./errors.ts";

const idOf = (error: unknown) => error instanceof ZitadelError ? error.id ?? "" : "";
const refuses = (error: unknown) =>
  isZitadelError(error, "invalid_argument") || isZitadelError(error, "failed_precondition");

/** Why ZITADEL did not take a user and password; null: it is no answer of that kind. */
export type SignInRefusal = "wrong_password" | "no_password" | "locked" | "inactive";

export function signInRefusal(error: unknown): SignInRefusal | null {
  return refuses(error) ? signInRefusals[idOf(error)] ?? null : null;
}

const signInRefusals: Record<string, SignInRefusal> = {
  "COMMAND-3M0fs": "wrong_password",
  "COMMAND-3nJ4t": "no_password",
  "COMMAND-JLK35": "locked",
  "COMMAND-SFA3t": "locked",
  "SESSION-Gj4ko": "inactive", // locked users too, when the user is checked in the same call
};

/**
 * Why ZITADEL did not take a code: of e-mail, reset, invitation, passkey registration, TOTP, OTP e-mail, recovery.
 * `none`: there is no code to compare with, because it was used, replaced by success or never asked for. Null: no answer of that kind.
 */
export type CodeRefusal = "wrong" | "expired" | "none";

export function codeRefusal(error: unknown): CodeRefusal | null {
  return refuses(error) || isZitadelError(error, "not_found")
    ? codeRefusals[idOf(error)] ?? null
    : null;
}

const codeRefusals: Record<string, CodeRefusal> = {
  "CODE-woT0xc": "wrong",
  "CODE-QvUQ4P": "expired",
};

/** Which rule of the organization's password complexity was broken; null: no answer of that kind. */
export type PasswordRefusal = "length" | "lowercase" | "uppercase" | "number" | "symbol";

export function passwordRefusal(error: unknown): PasswordRefusal | null {
  return isZitadelError(error, "invalid_argument") ? passwordRefusals[idOf(error)] ?? null : null;
}

const passwordRefusals: Record<string, PasswordRefusal> = {
  "DOMAIN-HuJf6": "length",
  "DOMAIN-co3Xw": "lowercase",
  "DOMAIN-VoaRj": "uppercase",
  "DOMAIN-ZBv4H": "number",
  "DOMAIN-ZDLwA": "symbol",
};

/** True where an authenticator's answer was not what ZITADEL asked for. ZITADEL says `internal`, as if it were at fault. */
export function webAuthnRefused(error: unknown): boolean {
  return error instanceof ZitadelError && /^WEBAU-/.test(error.id ?? "");
}
