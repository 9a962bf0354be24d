/** Codes that people type or follow: how they are made, how long they live. [S] internal/crypto/code.go, cmd/defaults.yaml */
import { randomInt } from "node:crypto";
import { hash } from "../caller.ts";
import { failedPrecondition, invalidArgument } from "../errors.ts";
import type { SecretGenerator } from "../model.ts";
import type { Code } from "../model_people.ts";
import type { Store } from "../store.ts";

export type CodeKind = "verifyEmail" | "passwordReset" | "passkey" | "otpEmail" | "invite";

const letters = {
  includeLowerLetters: false,
  includeUpperLetters: true,
  includeDigits: true,
  includeSymbols: false,
};
const hour = 3600;

/** Of a new instance. */
const defaults: Record<CodeKind, SecretGenerator> = {
  verifyEmail: { ...letters, length: 6, expirySeconds: hour },
  passwordReset: { ...letters, length: 6, expirySeconds: hour },
  passkey: { ...letters, includeLowerLetters: true, length: 12, expirySeconds: hour },
  otpEmail: { ...letters, includeUpperLetters: false, length: 8, expirySeconds: 300 },
  invite: { ...letters, length: 6, expirySeconds: 72 * hour },
};

export const generatorOf = (store: Store, kind: CodeKind): SecretGenerator =>
  store.get("instance", "instance")!.secretGenerators?.[kind] ?? defaults[kind];

export function newCode(store: Store, kind: CodeKind): Code {
  const generator = generatorOf(store, kind);
  const alphabet = (generator.includeLowerLetters ? "abcdefghijklmnopqrstuvwxyz" : "") +
    (generator.includeUpperLetters ? "ABCDEFGHIJKLMNOPQRSTUVWXYZ" : "") +
    (generator.includeDigits ? "0123456789" : "") +
    (generator.includeSymbols ? "~!@#$^&*()_+`-={}|[]:<>?,./" : "");
  const code = Array.from(
    { length: generator.length },
    () => alphabet[randomInt(alphabet.length)],
  ).join("");
  return { code, createdAt: store.now(), expirySeconds: generator.expirySeconds };
}

/** @throws CODE-QvUQ4P expired, CRYPT-aqrFV there is none, CODE-woT0xc it is another */
export function checkCode(kept: Code | undefined, given: string): void {
  if (kept && kept.expirySeconds > 0) {
    const until = Date.parse(kept.createdAt) + kept.expirySeconds * 1000;
    if (until < Date.now()) throw failedPrecondition("CODE-QvUQ4P", "Errors.User.Code.Expired");
  }
  if (!kept) throw invalidArgument("CRYPT-aqrFV", "Errors.User.Code.CryptoCodeNil");
  if (kept.code !== given) throw invalidArgument("CODE-woT0xc", "Errors.User.Code.Invalid");
}

/** As events carry a code: never itself. */
export const coded = ({ code, expirySeconds }: Code) => ({
  code: { CryptoType: 0, Algorithm: "aes", KeyID: "userKey", Crypted: hash(code) },
  expiry: expirySeconds * 1e9,
});
