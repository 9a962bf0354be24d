// v1 Admin: how long codes are and how long they live.
import { noChanges, notFound } from "../errors.ts";
import type { SecretGenerator } from "../model.ts";
import { type Call, details, type Service } from "../service.ts";
import { type CodeKind, generatorOf } from "./codes.ts";

interface Update extends Partial<Omit<SecretGenerator, "expirySeconds">> {
  generatorType: string;
  expiry?: string;
}

/** Invitations have a generator too, but v1's enum has no name for it. */
const kinds: Record<string, CodeKind> = {
  SECRET_GENERATOR_TYPE_VERIFY_EMAIL_CODE: "verifyEmail",
  SECRET_GENERATOR_TYPE_PASSWORD_RESET_CODE: "passwordReset",
  SECRET_GENERATOR_TYPE_PASSWORDLESS_INIT_CODE: "passkey",
  SECRET_GENERATOR_TYPE_OTP_EMAIL: "otpEmail",
};

function kindOf(type: string): CodeKind {
  const kind = kinds[type];
  if (!kind) throw notFound("DOUBLE-generator", "Errors.SecretGenerator.NotFound");
  return kind;
}

export const secretGenerators: Service = {
  GetSecretGenerator(call: Call, { generatorType }: { generatorType: string }) {
    const { expirySeconds, ...generator } = generatorOf(call.store, kindOf(generatorType));
    const { createdAt } = call.store.get("instance", "instance")!;
    return {
      secretGenerator: {
        generatorType,
        details: details(call.instance.id, createdAt),
        ...generator,
        expiry: `${expirySeconds}s`,
      },
    };
  },

  UpdateSecretGenerator({ store, caller, instance }: Call, request: Update) {
    const { generatorType, length = 0, expiry = "0s", ...letters } = request;
    const kind = kindOf(generatorType);
    const generator: SecretGenerator = {
      length,
      expirySeconds: Number(expiry.replace(/s$/, "")),
      includeLowerLetters: letters.includeLowerLetters ?? false,
      includeUpperLetters: letters.includeUpperLetters ?? false,
      includeDigits: letters.includeDigits ?? false,
      includeSymbols: letters.includeSymbols ?? false,
    };
    const present = generatorOf(store, kind);
    const names = Object.keys(generator) as (keyof SecretGenerator)[];
    if (names.every((name) => present[name] === generator[name])) throw noChanges();
    const at = store.push(caller.userId, [{
      aggregateType: "instance",
      aggregateId: instance.id,
      type: "instance.secret.generator.changed",
      resourceOwner: instance.id,
      payload: { generatorType, ...generator },
    }]);
    const { secretGenerators = {} } = store.get("instance", "instance")!;
    store.patch("instance", "instance", {
      secretGenerators: { ...secretGenerators, [kind]: generator },
    });
    return { details: details(instance.id, at) };
  },
};
