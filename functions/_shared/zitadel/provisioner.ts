import { access } from "./access.ts";
import { applications } from "./applications.ts";
import { wire } from "./call.ts";
import { instance } from "./instance.ts";
import { organizations } from "./organizations.ts";
import { loginPolicyProviders } from "./login_policy_providers.ts";
import { projects } from "./projects.ts";
import { providers } from "./providers.ts";
import type { Provisioner, ZitadelConfig } from "./types.ts";
import { users } from "./users.ts";

/** Everything that changes ZITADEL's own configuration; needs the credential of an IAM_OWNER. @throws {ZitadelError} `unsafe_issuer` */
export function provisioner(config: ZitadelConfig): Provisioner {
  const calls = wire(config);
  return {
    ...organizations(calls),
    ...projects(calls),
    ...applications(calls),
    ...users(calls),
    ...access(calls),
    ...instance(calls),
    ...providers(calls),
    ...loginPolicyProviders(calls),
  };
}
