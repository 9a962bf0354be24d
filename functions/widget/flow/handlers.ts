/** Which actions a screen takes, and the function that does each. What is not here is refused: `action_refused`. */
import type { Action, Screen, State } from "../contract.ts";
import type { z } from "zod";
import { chooseAccount, forgetAccount, otherAccount } from "./accounts.ts";
import { changePassword } from "./change_password.ts";
import { emailCode, emailedCode, resendCode } from "./email_sign_in.ts";
import { chooseFactor, typedFactor } from "./factor.ts";
import { credential } from "./first_passkey.ts";
import type { Flow } from "./flow.ts";
import { acceptWithPasskey, acceptWithPassword } from "./invitation.ts";
import { next } from "./next.ts";
import { assertion, passkey } from "./passkey.ts";
import { password } from "./password.ts";
import { discover, intent, intentFailed, ldap, provider } from "./provider.ts";
import { completeAccount } from "./provider_person.ts";
import { register, showRegister } from "./register.ts";
import { resendReset, reset, resetPassword, showReset } from "./reset.ts";
import { backToSetup, setUp, skip } from "./setup.ts";
import { finishTotp } from "./setup_totp.ts";
import { startOver } from "./start.ts";
import { confirmAddress, resendVerification, typedCode } from "./verify_email.ts";

type Parsed = z.output<typeof Action>;
export type ActionName = Parsed["action"];
export type ActionOf<A extends ActionName> = Extract<Parsed, { action: A }>;
export type Handler<A extends ActionName> = (flow: Flow, action: ActionOf<A>) => Promise<State>;
type Handlers = { [A in ActionName]?: Handler<A> };

const back: Handler<"back"> = (flow) => startOver(flow);
const onward: Handler<"continue"> = (flow) => next(flow);
/** A provider's answer may come while the browser shows the first screen again. */
const fromProvider = { intent, intent_failed: intentFailed };

export const handlers: Record<Screen, Handlers> = {
  start: {
    password,
    passkey,
    email_code: emailCode,
    provider,
    discover,
    show_register: showRegister,
    show_reset: showReset,
    back,
    ...fromProvider,
  },
  accounts: {
    choose_account: chooseAccount,
    forget_account: forgetAccount,
    other_account: otherAccount,
    ...fromProvider,
  },
  passkey: { credential: assertion, choose_factor: chooseFactor, back },
  factor: { code: typedFactor, choose_factor: chooseFactor, back },
  email_code: { code: emailedCode, resend: resendCode, choose_factor: chooseFactor, back },
  verify_email: { code: typedCode, resend: resendVerification, continue: confirmAddress, back },
  change_password: { new_password: changePassword, back },
  setup_factor: { set_up: setUp, skip, back },
  setup_totp: { code: finishTotp, back: backToSetup },
  setup_passkey: { credential, back: backToSetup },
  recovery_codes: { continue: onward },
  register: { register, back },
  reset: { reset, back },
  reset_code: { new_password: resetPassword, resend: resendReset, back },
  invitation: { new_password: acceptWithPassword, set_up: acceptWithPasskey },
  ldap: { ldap, back },
  complete_account: { register: completeAccount, back },
  external: { ...fromProvider, back },
  done: {},
  finished: {},
  signed_out: {},
};
