// What ZITADEL's refusals say about a person and what they typed. Match these, never codes or texts.
import { isAuthenticatorRefusal, isZitadelError, ZitadelError } from "./errors.ts";

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
  "COMMAND-Fds3s": "no_password", // asked to change one that is not there
  "COMMAND-JLK35": "locked",
  "COMMAND-SFA3t": "locked",
  "SESSION-Gj4ko": "inactive", // locked users too, when the user is checked in the same call
};

/**
 * Why ZITADEL did not take a code. `none`: there is nothing to compare with: used up, or never asked for. `used`: a TOTP code a second
 * time. `locked`: by too many. Of e-mail verification, invitations and passkey registration ZITADEL says `wrong` for all of them.
 */
export type CodeRefusal = "wrong" | "expired" | "used" | "none" | "locked";

export function codeRefusal(error: unknown): CodeRefusal | null {
  return refuses(error) || isZitadelError(error, "not_found")
    ? codeRefusals[idOf(error)] ?? null
    : null;
}

const codeRefusals: Record<string, CodeRefusal> = {
  "CODE-woT0xc": "wrong",
  "CODE-QvUQ4P": "expired",
  "CRYPT-aqrFV": "none",
  // e-mail verification, invitation, passkey registration
  "COMMAND-eis9R": "wrong",
  "COMMAND-Wgn4q": "wrong",
  "COMMAND-Eeb2a": "wrong",
  // password reset
  "COMMAND-2M9fs": "none",
  // TOTP
  "EVENT-8isk2": "wrong",
  "TOTP-Auw0a": "used",
  "COMMAND-3Mif9s": "none",
  "COMMAND-SF3fg": "locked",
  // OTP e-mail
  "COMMAND-d2r52": "none",
  "COMMAND-S34gh": "none",
  "COMMAND-S6h4R": "locked",
  // recovery codes
  "DOMAIN-6uvh0": "wrong",
  "COMMAND-84rgg": "none",
  "COMMAND-2w6oa": "locked",
};

/** Which rule of the organization's password complexity was broken; `unchanged`: it is the present one. Null: no answer of that kind. */
export type PasswordRefusal =
  | "length"
  | "lowercase"
  | "uppercase"
  | "number"
  | "symbol"
  | "unchanged";

export function passwordRefusal(error: unknown): PasswordRefusal | null {
  return refuses(error) ? passwordRefusals[idOf(error)] ?? null : null;
}

const passwordRefusals: Record<string, PasswordRefusal> = {
  "DOMAIN-HuJf6": "length",
  "DOMAIN-co3Xw": "lowercase",
  "DOMAIN-VoaRj": "uppercase",
  "DOMAIN-ZBv4H": "number",
  "DOMAIN-ZDLwA": "symbol",
  "COMMAND-Aesh5": "unchanged",
};

/** True where an authenticator's answer was not what ZITADEL asked for. ZITADEL says `internal`, as if it were at fault. */
export function webAuthnRefused(error: unknown): boolean {
  return error instanceof ZitadelError && isAuthenticatorRefusal(error.id);
}
