/** Which actions a screen takes, and the function that does each. What is not here is refused: `action_refused`. */
import type { Action, Screen, State } from "../contract.ts";
import type { z } from "zod";
import { chooseAccount, forgetAccount, otherAccount } from "./accounts.ts";
import { changePassword } from "./change_password.ts";
import { emailedFactor, resendFactorCode } from "./email_code.ts";
import { chooseFactor, typedFactor } from "./factor.ts";
import type { Flow } from "./flow.ts";
import { next } from "./next.ts";
import { assertion, passkey } from "./passkey.ts";
import { password } from "./password.ts";
import { discover, intent, intentFailed, ldap, provider } from "./provider.ts";
import { completeAccount } from "./provider_person.ts";
import { backToSetup, setUp, skip } from "./setup.ts";
import { registration } from "./setup_passkey.ts";
import { finishTotp } from "./setup_totp.ts";
import { startOver } from "./start.ts";

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
  start: { password, passkey, provider, discover, back, ...fromProvider },
  accounts: {
    choose_account: chooseAccount,
    forget_account: forgetAccount,
    other_account: otherAccount,
    ...fromProvider,
  },
  passkey: { credential: assertion, choose_factor: chooseFactor, back },
  factor: { code: typedFactor, choose_factor: chooseFactor, back },
  email_code: { code: emailedFactor, resend: resendFactorCode, choose_factor: chooseFactor, back },
  verify_email: {},
  change_password: { new_password: changePassword, back },
  setup_factor: { set_up: setUp, skip, back },
  setup_totp: { code: finishTotp, back: backToSetup },
  setup_passkey: { credential: registration, back: backToSetup },
  recovery_codes: { continue: onward },
  register: { back },
  reset: { back },
  reset_code: { back },
  invitation: {},
  ldap: { ldap, back },
  complete_account: { register: completeAccount, back },
  external: { ...fromProvider, back },
  done: {},
  finished: {},
  signed_out: {},
};
