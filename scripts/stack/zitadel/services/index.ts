/** Which service answers what. A method that stands in none of these is answered 404 unimplemented. */
import type { Service } from "../service.ts";
import { actions } from "./actions.ts";
import { administrators } from "./administrators.ts";
import { authMethods } from "./auth_methods.ts";
import { authenticators } from "./authenticators.ts";
import { applications } from "./applications.ts";
import { authorizations } from "./authorizations.ts";
import { credentials } from "./credentials.ts";
import { emails } from "./emails.ts";
import { eventList, features, myOrganization, oidcSettings, trustedDomains } from "./instance.ts";
import { idpLinks } from "./idp_links.ts";
import { idpReader, managementIdps } from "./idps.ts";
import { intents } from "./intents.ts";
import { activeIdps, managementPolicyIdps } from "./login_policy_idps.ts";
import { invites } from "./invites.ts";
import { machines } from "./machines.ts";
import { oidc } from "./oidc.ts";
import { organizations } from "./organizations.ts";
import { otpEmail } from "./otp_email.ts";
import { adminPolicies, managementPolicies } from "./policy_methods.ts";
import { projects } from "./projects.ts";
import { recoveryCodes } from "./recovery_codes.ts";
import { secretGenerators } from "./secret_generators.ts";
import { sessions } from "./sessions.ts";
import { settings } from "./settings.ts";
import { totp } from "./totp.ts";
import { users } from "./users.ts";
import { webKeys } from "./web_keys.ts";

export const services = (domainSuffix: string): Record<string, Service> => ({
  "zitadel.org.v2.OrganizationService": organizations(domainSuffix),
  "zitadel.project.v2.ProjectService": projects,
  "zitadel.application.v2.ApplicationService": applications,
  "zitadel.user.v2.UserService": {
    ...users,
    ...credentials,
    ...emails,
    ...invites,
    ...authMethods,
    ...totp,
    ...otpEmail,
    ...recoveryCodes,
    ...authenticators(domainSuffix),
    ...machines,
    ...idpLinks,
    ...intents,
  },
  "zitadel.authorization.v2.AuthorizationService": authorizations,
  "zitadel.internal_permission.v2.InternalPermissionService": administrators,
  "zitadel.session.v2.SessionService": sessions,
  "zitadel.oidc.v2.OIDCService": oidc,
  "zitadel.settings.v2.SettingsService": { ...settings, ...activeIdps },
  "zitadel.idp.v2.IdentityProviderService": idpReader,
  "zitadel.feature.v2.FeatureService": features,
  "zitadel.webkey.v2.WebKeyService": webKeys,
  "zitadel.action.v2.ActionService": actions,
  "zitadel.instance.v2.InstanceService": trustedDomains,
  "zitadel.admin.v1.AdminService": {
    ...adminPolicies,
    ...oidcSettings,
    ...secretGenerators,
    ...eventList,
  },
  "zitadel.management.v1.ManagementService": {
    ...managementPolicies,
    ...managementPolicyIdps,
    ...managementIdps,
    ...myOrganization,
  },
});
