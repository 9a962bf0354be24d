/** What the process is told, as the sagas take it. */
import { type Config, ConfigError, readSecretFile } from "../_shared/config.ts";
import { keyring } from "../_shared/secrets.ts";
import { fetchJwks } from "../_shared/zitadel/keys.ts";
import { provisioner } from "../_shared/zitadel/provisioner.ts";
import type { Provisioner, WriteGuard, ZitadelConfig } from "../_shared/zitadel/types.ts";
import { BootstrapSchema, type InstanceFacts } from "./state.ts";

/** Where ZITADEL is and how to write there. @throws {ConfigError} */
export function zitadelOf(config: Config) {
  const address: ZitadelConfig = {
    profile: config.profile,
    issuer: config.zitadelIssuer,
    url: config.zitadelUrl,
    tokenFile: config.provisionerTokenFile,
  };
  return {
    issuer: address.issuer,
    zitadel: (guard?: WriteGuard): Provisioner =>
      provisioner(guard === undefined ? address : { ...address, guard }),
    readKeys: () => fetchJwks(address),
  };
}

/** Also reads GATEHOUSE_BOOTSTRAP_FILE. @throws {ConfigError} */
export async function instanceFacts(config: Config): Promise<InstanceFacts> {
  const variable = "GATEHOUSE_BOOTSTRAP_FILE";
  const text = await readSecretFile(variable, config.bootstrapFile);
  const bootstrap = BootstrapSchema.safeParse(parse(text));
  if (!bootstrap.success) {
    const { path, message } = bootstrap.error.issues[0]!;
    throw new ConfigError(variable, `${path.join(".") || "the file"}: ${message}`);
  }
  return {
    issuer: config.zitadelIssuer,
    ownIssuer: config.ownIssuer,
    functionsUrl: config.functionsUrl,
    portalUrl: config.portalUrl,
    administrator: bootstrap.data.administrator,
    readKeys: zitadelOf(config).readKeys,
    secretsKeys: keyring,
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // zod says what is expected; the text holds a password
  }
}
