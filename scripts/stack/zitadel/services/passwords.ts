import { Buffer } from "node:buffer";
import { randomBytes, scrypt, timingSafeEqual } from "node:crypto";
import { promisify } from "node:util";
import { invalidArgument } from "../errors.ts";
import type { Store } from "../store.ts";
import { policyOf } from "./policies.ts";

const derive = promisify<string, Uint8Array, number, { N: number }, Uint8Array>(scrypt);

/** Cheap: these passwords guard a development machine. */
const cost = { N: 2 ** 12 };

export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(16);
  const key = await derive(password, new Uint8Array(salt), 32, cost);
  return `$scrypt$ln=12,r=8,p=1$${salt.toString("base64")}$${Buffer.from(key).toString("base64")}`;
}

export async function verifyPassword(password: string, encoded: string): Promise<boolean> {
  const [, , , salt = "", key = ""] = encoded.split("$");
  const expected = Buffer.from(key, "base64");
  return timingSafeEqual(
    new Uint8Array(expected),
    await derive(password, new Uint8Array(Buffer.from(salt, "base64")), expected.length, cost),
  );
}

/** @throws one of ZITADEL's ids when the organization's complexity policy is not met. */
export function checkComplexity(store: Store, organizationId: string, password: string): void {
  const rules = policyOf(store, organizationId, "complexity").values;
  const refuse = (id: string, key: string) => {
    throw invalidArgument(id, `Errors.User.PasswordComplexityPolicy.${key}`);
  };
  if ([...password].length < Number(rules.minLength)) refuse("DOMAIN-HuJf6", "MinLength");
  if (rules.hasLowercase && !/\p{Ll}/u.test(password)) refuse("DOMAIN-co3Xw", "HasLower");
  if (rules.hasUppercase && !/\p{Lu}/u.test(password)) refuse("DOMAIN-VoaRj", "HasUpper");
  if (rules.hasNumber && !/\d/.test(password)) refuse("DOMAIN-ZBv4H", "HasNumber");
  if (rules.hasSymbol && !/[^\p{L}\p{N}]/u.test(password)) refuse("DOMAIN-ZDLwA", "HasSymbol");
}
