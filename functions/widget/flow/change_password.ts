/** A password that must be changed, or has expired, is changed before the sign-in goes on. */
import { Problem } from "../../_shared/problem.ts";
import { passwordRefusal } from "../../_shared/zitadel/refusals.ts";
import type { PasswordComplexity } from "../../_shared/zitadel/types.ts";
import type { Complexity, State } from "../contract.ts";
import { tooWeak } from "./complexity.ts";
import { addToSession, type Flow, nowSeconds, refused } from "./flow.ts";
import type { Handler } from "./handlers.ts";
import { next, whileAsked } from "./next.ts";
import { isCredentialRefusal } from "./password.ts";

export async function showChangePassword(
  flow: Flow,
  reason: "required" | "expired",
): Promise<State> {
  const complexity = await complexityOf(flow, flow.memory.person!.orgId);
  return { screen: "change_password", reason, complexity };
}

/**
 * On the screen `change_password`. With the present one, though it was shown in this flow: a password is not changed into itself, and only
 * ZITADEL can tell what it was. @throws {Problem} invalid_request, password_unchanged, password_too_weak, credentials_refused
 */
export const changePassword: Handler<"new_password"> = (flow, action): Promise<State> =>
  whileAsked(
    flow,
    ["password_change_required", "password_expired"],
    async ({ user: { id: userId } }) => {
      const { newPassword } = action;
      const currentPassword = presentPassword(action);
      await flow.parts.zitadel.setPassword({ userId, newPassword, currentPassword })
        .catch(refuseNewPassword);
      flow.memory.changed.passwordChanged = true;
      // ZITADEL's session knows the old one's check only.
      const shown = await addToSession(flow, { password: newPassword }).catch((error) => {
        if (!isCredentialRefusal(error)) throw error;
      });
      if (shown) flow.memory.proven.password = nowSeconds(flow);
      return await next(flow);
    },
  );

/** Of who has one, to be shown with the new one. @throws {Problem} invalid_request, password_unchanged */
export function presentPassword(
  { newPassword, currentPassword }: { newPassword: string; currentPassword?: string | undefined },
): string {
  if (currentPassword === undefined) {
    throw new Problem("invalid_request", "The present password is missing", {
      pointers: [{ pointer: "#/currentPassword", detail: "required where a password is set" }],
    });
  }
  if (newPassword === currentPassword) {
    throw new Problem("password_unchanged", "The new password is the old one; choose another");
  }
  return currentPassword;
}

/** @throws {Problem} password_too_weak, credentials_refused, or what it was given */
export function refuseNewPassword(error: unknown): never {
  const rule = passwordRefusal(error);
  if (rule !== null) {
    throw tooWeak(rule, "#/newPassword", error);
  }
  throw isCredentialRefusal(error) ? refused(error) : error;
}

export async function complexityOf({ parts }: Flow, orgId: string): Promise<Complexity> {
  return readComplexity(await parts.zitadel.passwordComplexity(orgId));
}

/** The instance's own: what any organization has that made none of its own. */
export async function defaultComplexity({ parts }: Flow): Promise<Complexity> {
  return readComplexity(await parts.zitadel.passwordComplexity());
}

const readComplexity = (rules: PasswordComplexity): Complexity => ({
  minLength: rules.minLength,
  uppercase: rules.requiresUppercase,
  lowercase: rules.requiresLowercase,
  number: rules.requiresNumber,
  symbol: rules.requiresSymbol,
});
