// Codes that are written down, each good once. [S] internal/command/user_human_recovery_codes.go
import { randomInt } from "node:crypto";
import { hash } from "../caller.ts";
import { failedPrecondition, invalidArgument } from "../errors.ts";
import { type Call, type Service } from "../service.ts";
import { change, needHuman } from "./humans.ts";

/** [S] cmd/defaults.yaml; the form of the codes and their number are configuration there. */
const maxCount = 10;
const alphabet = "0123456789abcdefghjkmnpqrstvwxyz"; // Crockford's
const newRecoveryCode = () =>
  Array.from({ length: 10 }, () => alphabet[randomInt(alphabet.length)]).join("")
    .replace(/^.{5}/, "$&-");

const ownerOnly = (organizationId: string, at: string) => ({
  details: { sequence: "0", resourceOwner: organizationId, changeDate: at },
});

export const recoveryCodes: Service = {
  GenerateRecoveryCodes(call: Call, { userId, count = 0 }: { userId: string; count?: number }) {
    const user = needHuman(call.store, userId);
    call.caller.needFor(user, "user.credential.write");
    const present = user.human.recoveryCodes ?? [];
    if (present.length + count > maxCount) {
      throw failedPrecondition("COMMAND-8f2k9", "Errors.User.MFA.RecoveryCodes.MaxCountExceeded");
    }
    if (count <= 0) {
      throw invalidArgument("DOMAIN-7rp5j", "Errors.User.MFA.RecoveryCodes.InvalidCount");
    }
    const made = Array.from({ length: count }, newRecoveryCode);
    const hashes = made.map(hash);
    const at = change(call, user, [["mfa.recoverycode.added", { codes: hashes }]], {
      recoveryCodes: [...present, ...hashes],
    });
    return { ...ownerOnly(user.organizationId, at), recoveryCodes: made };
  },

  RemoveRecoveryCodes(call: Call, { userId }: { userId: string }) {
    const user = needHuman(call.store, userId);
    call.caller.needFor(user, "user.credential.write");
    if (user.state === "locked") throw failedPrecondition("COMMAND-d9u8q", "Errors.User.Locked");
    if (!user.human.recoveryCodes?.length) {
      throw failedPrecondition("COMMAND-84rgg", "Errors.User.MFA.RecoveryCodes.NotReady");
    }
    const at = change(call, user, [["mfa.recoverycode.removed"]], { recoveryCodes: [] });
    return ownerOnly(user.organizationId, at);
  },
};

/** Those that are left. @throws DOMAIN-6uvh0 */
export function useRecoveryCode(hashes: string[], code: string): string[] {
  const used = hash(code);
  if (!hashes.includes(used)) {
    throw invalidArgument("DOMAIN-6uvh0", "Errors.User.MFA.RecoveryCodes.InvalidCode");
  }
  return hashes.filter((kept) => kept !== used);
}
