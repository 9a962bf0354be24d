// Codes as second factors. Each kind counts its own failures against the lockout policy's maxOtpAttempts.
import { failedPrecondition, invalidArgument } from "../errors.ts";
import type { Human } from "../model_people.ts";
import type { Call } from "../service.ts";
import { checkCode } from "./codes.ts";
import { needHuman, type Person } from "./humans.ts";
import { useRecoveryCode } from "./recovery_codes.ts";
import { policyOf } from "./policies.ts";
import { type Checking, passed, userIdOf } from "./session_checks.ts";
import { useTotp } from "./totp.ts";
import { patchHuman, userEvent } from "./users.ts";

type Kind = keyof NonNullable<Human["failedChecks"]>;

const kinds: Record<Kind, { event: string; session: string; missing: string; locked: string }> = {
  totp: {
    event: "mfa.otp",
    session: "totp",
    missing: "COMMAND-8N9ds",
    locked: "COMMAND-SF3fg",
  },
  otpEmail: {
    event: "mfa.otp.email",
    session: "otp.email",
    missing: "COMMAND-S453v",
    locked: "COMMAND-S6h4R",
  },
  recoveryCode: {
    event: "mfa.recoverycode",
    session: "recoveryCode",
    missing: "COMMAND-4m9s2",
    locked: "COMMAND-2w6oa",
  },
};

export function checkTotp(checking: Checking, { code }: { code: string }): void {
  const { human } = personOf(checking, "totp");
  const { totp } = human;
  if (!totp?.ready) throw failedPrecondition("COMMAND-3Mif9s", "Errors.User.MFA.OTP.NotReady");
  const used = tried(checking, "totp", () => useTotp(totp, code, checking.call.store.now()));
  accept(checking, "totp", () => ({ totp: used }));
}

export function checkOtpEmail(checking: Checking, { code = "" }: { code?: string }): void {
  if (code === "") throw invalidArgument("COMMAND-SJl2g", "Errors.User.Code.Empty");
  const { human } = personOf(checking, "otpEmail");
  if (!human.otpEmail) throw failedPrecondition("COMMAND-d2r52", "Errors.User.MFA.OTP.NotReady");
  const challenge = checking.session?.otpEmailChallenge;
  if (!challenge) throw failedPrecondition("COMMAND-S34gh", "Errors.User.Code.NotFound");
  tried(checking, "otpEmail", () => checkCode(challenge, code));
  checking.found.otpEmailChallenge = undefined;
  accept(checking, "otpEmail", () => ({}));
}

export function checkRecoveryCode(checking: Checking, { code }: { code: string }): void {
  const { human } = personOf(checking, "recoveryCode");
  const kept = human.recoveryCodes ?? [];
  if (kept.length === 0) {
    throw failedPrecondition("COMMAND-84rgg", "Errors.User.MFA.RecoveryCodes.NotReady");
  }
  const left = tried(checking, "recoveryCode", () => useRecoveryCode(kept, code));
  accept(checking, "recoveryCode", () => ({ recoveryCodes: left }));
}

function personOf(checking: Checking, kind: Kind): Person {
  const userId = userIdOf(checking);
  if (userId === undefined) {
    throw invalidArgument(kinds[kind].missing, "Errors.User.UserIDMissing");
  }
  const person = needHuman(checking.call.store, userId);
  if (person.state === "locked") {
    throw failedPrecondition(kinds[kind].locked, "Errors.User.Locked");
  }
  return person;
}

/** A wrong one is written, and may lock. */
function tried<T>({ call, ...checking }: Checking, kind: Kind, use: () => T): T {
  try {
    return use();
  } catch (error) {
    failed(call, needHuman(call.store, userIdOf({ call, ...checking })!), kind);
    throw error;
  }
}

function failed({ store, caller }: Call, user: Person, kind: Kind): void {
  const failures = (user.human.failedChecks?.[kind] ?? 0) + 1;
  const allowed = Number(policyOf(store, user.organizationId, "lockout").values.maxOtpAttempts);
  const locks = allowed > 0 && failures >= allowed;
  const at = store.push(caller.userId, [
    userEvent(user, `user.human.${kinds[kind].event}.check.failed`),
    ...(locks ? [userEvent(user, "user.locked")] : []),
  ]);
  patchHuman(
    store,
    user.id,
    { failedChecks: { ...user.human.failedChecks, [kind]: failures } },
    at,
  );
  if (locks) store.patch("user", user.id, { state: "locked" });
}

function accept(checking: Checking, kind: Kind, changes: () => Partial<Human>): void {
  passed(checking, kind, kinds[kind].session);
  const { store, caller } = checking.call;
  const userId = userIdOf(checking)!;
  checking.then.push(() => {
    const user = needHuman(store, userId);
    const at = store.push(caller.userId, [
      userEvent(user, `user.human.${kinds[kind].event}.check.succeeded`),
    ]);
    patchHuman(store, userId, {
      failedChecks: { ...user.human.failedChecks, [kind]: 0 },
      ...changes(),
    }, at);
  });
}
