/** An authenticator application: the secret as QR, a first code, and recovery codes for the day the telephone is lost. */
import { encode } from "uqr";
import { isZitadelError } from "../../_shared/zitadel/errors.ts";
import type { State } from "../contract.ts";
import { codeRefused } from "./factor.ts";
import type { Facts } from "./facts.ts";
import { addToSession, type Flow, nowSeconds } from "./flow.ts";
import type { Handler } from "./handlers.ts";
import { next, whileAsked } from "./next.ts";
import { isCredentialRefusal } from "./password.ts";
import { hasSetUp, setupVerdicts } from "./setup.ts";

export const recoveryCodes = 10;

export async function startTotp(flow: Flow, { user }: Facts): Promise<State> {
  const started = await flow.parts.zitadel.startTotp(user.id).catch(thereAlready);
  if (started === undefined) { // set up elsewhere a moment ago: it is to be shown
    hasSetUp(flow, "totp");
    return await next(flow);
  }
  const { uri, secret } = started;
  return { screen: "setup_totp", secret, uri, qr: drawQr(uri) };
}

function thereAlready(error: unknown): undefined {
  if (!isZitadelError(error, "already_exists")) throw error;
}

/** One path of unit squares, a run of dark modules a rectangle: a third of the bytes of a square each. */
export function drawQr(text: string): { size: number; path: string } {
  const { data, size } = encode(text, { ecc: "M", border: 0 });
  let path = "";
  for (const [y, row] of data.entries()) {
    for (let x = 0; x < size; x++) {
      if (!row[x]) continue;
      let end = x + 1;
      while (end < size && row[end]) end++;
      path += `M${x} ${y}h${end - x}v1h${x - end}z`;
      x = end;
    }
  }
  return { size, path };
}

/** On the screen `setup_totp`. */
export const finishTotp: Handler<"code"> = (flow, { code }): Promise<State> =>
  whileAsked(flow, setupVerdicts, async ({ user, settings }) => {
    const typed = code.replaceAll(" ", "");
    const { zitadel } = flow.parts;
    await zitadel.verifyTotp(user.id, typed).catch((error) => {
      throw isCredentialRefusal(error) ? codeRefused(error) : error;
    });
    hasSetUp(flow, "totp");
    // The code that proved the set-up proves the factor too; where it does not, the policy asks for the next one.
    const shown = await addToSession(flow, { totp: typed }).catch((error) => {
      if (!isCredentialRefusal(error)) throw error;
    });
    if (shown) flow.memory.proven.totp = nowSeconds(flow);
    if (!settings.secondFactors.includes("recovery_code")) return await next(flow);
    const codes = await zitadel.makeRecoveryCodes(user.id, recoveryCodes).catch(thereAlready);
    hasSetUp(flow, "recovery_code");
    if (codes === undefined) return await next(flow);
    return { screen: "recovery_codes", codes };
  });
