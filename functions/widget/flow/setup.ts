/** Setting up a second factor: because the organization demands one, or offers it. Which one: setup_totp.ts, setup_passkey.ts. */
import { isZitadelError } from "../../_shared/zitadel/errors.ts";
import type { LoginSettings } from "../../_shared/zitadel/types.ts";
import type { State } from "../contract.ts";
import type { Verdict } from "../policy.ts";
import type { Facts } from "./facts.ts";
import { type Flow } from "./flow.ts";
import type { Handler } from "./handlers.ts";
import { next, wayNotAllowed, whileAsked } from "./next.ts";
import { passkeysFit } from "./passkey.ts";
import { startKey } from "./setup_passkey.ts";
import { startTotp } from "./setup_totp.ts";

type Method = Extract<State, { screen: "setup_factor" }>["methods"][number];

export const setupVerdicts: Verdict[] = ["factor_setup_required", "factor_setup_offered"];

function methodsFor({ parts, ...flow }: Flow, settings: LoginSettings): Method[] {
  const takes = (factor: LoginSettings["secondFactors"][number]) =>
    settings.secondFactors.includes(factor);
  const keys = passkeysFit({ parts, ...flow });
  return [
    ...(settings.passkeysAllowed && keys ? ["passkey"] as const : []),
    ...(takes("totp") ? ["totp"] as const : []),
    ...(takes("u2f") && keys ? ["security_key"] as const : []),
    ...(takes("otp_email") && parts.mailer.available ? ["email_code"] as const : []),
  ];
}

export async function showSetup(
  flow: Flow,
  { settings, verdict }: Facts,
  { skippable }: { skippable: boolean },
): Promise<State> {
  const methods = methodsFor(flow, settings);
  if (methods.length > 0) return { screen: "setup_factor", methods, skippable };
  if (verdict !== "factor_setup_offered") throw wayNotAllowed(false);
  return await skipped(flow); // nothing to offer
}

/** On the screen `setup_factor`. */
export const setUp: Handler<"set_up"> = (flow, { method }): Promise<State> =>
  whileAsked(flow, setupVerdicts, async (facts) => {
    if (!methodsFor(flow, facts.settings).includes(method)) throw wayNotAllowed(false);
    if (method === "totp") return await startTotp(flow, facts);
    if (method === "email_code") return await addEmailCode(flow, facts);
    return await startKey(flow, facts, method);
  });

/** The address is verified, so nothing is to be shown now; then a code goes there, as at every sign-in. */
async function addEmailCode(flow: Flow, { user }: Facts): Promise<State> {
  await flow.parts.zitadel.addOtpEmail(user.id).catch((error) => {
    if (!isZitadelError(error, "already_exists")) throw error;
  });
  hasSetUp(flow, "otp_email");
  return await next(flow);
}

export const skip: Handler<"skip"> = (flow): Promise<State> =>
  whileAsked(flow, ["factor_setup_offered"], async ({ user }) => {
    await flow.parts.zitadel.skipMfaInit(user.id);
    return await skipped(flow);
  });

async function skipped(flow: Flow): Promise<State> {
  flow.memory.changed.setupSkipped = true;
  return await next(flow);
}

/** Away from a screen of setting up: the choice again. */
export const backToSetup: Handler<"back"> = (flow): Promise<State> => {
  delete flow.memory.pending;
  return next(flow);
};

export function hasSetUp(
  { memory }: Flow,
  ...methods: NonNullable<Flow["memory"]["changed"]["setUp"]>
): void {
  memory.changed.setUp = [...new Set([...memory.changed.setUp ?? [], ...methods])];
}
