/** From the screen's name to who draws it. */
import type { Screen } from "../../../functions/widget/contract.ts";
import { accounts } from "./accounts.ts";
import { done, external, finished, signedOut } from "./ends.ts";
import { emailCode, factor, passkey, verifyEmail } from "./factors.ts";
import { changePassword, invitation, ldap, reset, resetCode } from "./passwords.ts";
import type { Draw } from "./play.ts";
import { completeAccount, register } from "./register.ts";
import { recoveryCodes, setupFactor, setupPasskey, setupTotp } from "./setup.ts";
import { start } from "./start.ts";

export const screens: { [S in Screen]: Draw<S> } = {
  start,
  accounts,
  passkey,
  factor,
  email_code: emailCode,
  verify_email: verifyEmail,
  change_password: changePassword,
  setup_factor: setupFactor,
  setup_totp: setupTotp,
  setup_passkey: setupPasskey,
  recovery_codes: recoveryCodes,
  register,
  reset,
  reset_code: resetCode,
  invitation,
  ldap,
  complete_account: completeAccount,
  external,
  done,
  finished,
  signed_out: signedOut,
};
