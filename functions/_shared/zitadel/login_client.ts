import { authenticators } from "./authenticators.ts";
import { authRequests } from "./auth_requests.ts";
import { wire } from "./call.ts";
import { idpLinks } from "./idp_links.ts";
import { loginPolicies } from "./login_policies.ts";
import { people } from "./people.ts";
import { guardPlatformUsers } from "./platform_guard.ts";
import { secondFactors } from "./second_factors.ts";
import { sessions } from "./sessions.ts";
import type { LoginClient, LoginClientConfig } from "./types.ts";

/** What a sign-in page needs; the credential of an IAM_LOGIN_CLIENT, the only role that may link a session to an auth request. */
export function loginClient(config: LoginClientConfig): LoginClient {
  const calls = guardPlatformUsers(wire(config), config.platformOrganizationId);
  return {
    ...authRequests(calls),
    ...sessions(calls),
    ...loginPolicies(calls),
    ...people(calls),
    ...secondFactors(calls),
    ...authenticators(calls),
    ...idpLinks(calls),
  };
}
