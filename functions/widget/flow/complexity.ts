import { Problem } from "../../_shared/problem.ts";
import type { Complexity } from "../contract.ts";

type Rule = "length" | "lowercase" | "uppercase" | "number" | "symbol";

/** The first rule that a password fails, by ZITADEL's measure ([S] internal/domain/policy_password_complexity.go). */
export function brokenRule(complexity: Complexity, password: string): Rule | undefined {
  if (password.length < complexity.minLength) return "length";
  if (complexity.lowercase && !/[a-z]/.test(password)) return "lowercase";
  if (complexity.uppercase && !/[A-Z]/.test(password)) return "uppercase";
  if (complexity.number && !/[0-9]/.test(password)) return "number";
  if (complexity.symbol && !/[^A-Za-z0-9]/.test(password)) return "symbol";
}

/**
 * Checked before anybody's account is touched: where a code is spent by its use, and where the answer must not depend on whether there
 * is an account. `pointer`: the member of the request. @throws {Problem} password_too_weak
 */
export function requireStrong(complexity: Complexity, password: string, pointer: string): void {
  const rule = brokenRule(complexity, password);
  if (rule !== undefined) throw tooWeak(rule, pointer);
}

export const tooWeak = (rule: string, pointer: string, cause?: unknown) =>
  new Problem("password_too_weak", `The new password fails the rule "${rule}"`, {
    cause,
    pointers: [{ pointer, detail: rule }],
  });
