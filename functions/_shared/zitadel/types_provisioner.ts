// What changes ZITADEL's own configuration: inputs and answers of provisioner.ts.
import type { ProviderCalls, User } from "./types.ts";

/** The `changed` of an `ensure…` is false when ZITADEL already was as asked and nothing was written. */
export interface Ensured {
  id: string;
  changed: boolean;
}

export interface OrganizationInput {
  /** Ours; ZITADEL keeps it. 1–200 characters, opaque and lowercase. */
  id: string;
  /** Unique in the instance: a clash throws `already_exists`, id V3-DKcYh. */
  name: string;
  metadata?: Record<string, string>;
}

export interface Organization {
  id: string;
  name: string;
  state: "active" | "inactive";
  /** The suffix of login names where the domain policy asks for it. */
  primaryDomain: string;
}

export interface ProjectInput {
  orgId: string;
  id: string;
  name: string;
  projectRoleAssertion?: boolean;
  /** Only users of organizations that own the project or hold a grant of it get a code. */
  projectAccessRequired?: boolean;
  /** Only users with an authorization get a code. */
  authorizationRequired?: boolean;
}

export interface RoleInput {
  key: string;
  displayName: string;
}

export interface OidcApplicationInput {
  projectId: string;
  id: string;
  name: string;
  /** `web` keeps a secret (Basic), `spa` and `native` are public clients; PKCE for all. */
  kind: "web" | "spa" | "native";
  redirectUris: string[];
  postLogoutUris: string[];
  /** Allows `http:` redirect URIs and globs. */
  developmentMode: boolean;
  enabled: boolean;
}

export interface EnsuredApplication extends Ensured {
  clientId: string;
  /** Only from the call that created a `web` application; ask for another with generateClientSecret. */
  clientSecret?: string;
  problems: string[];
}

export interface HumanInput {
  orgId: string;
  id: string;
  userName: string;
  email: string;
  emailVerified: boolean;
  givenName: string;
  familyName: string;
  password?: string;
}

export interface MachineInput {
  orgId: string;
  /** Unknown for the users that ZITADEL itself made at its first start: found by `userName`. */
  id?: string;
  userName: string;
  name: string;
}

export interface AdministratorInput {
  userId: string;
  resource: { instance: true } | { organizationId: string } | { projectId: string };
  roles: string[];
}

export interface AuthorizationInput {
  userId: string;
  projectId: string;
  orgId: string;
  roleKeys: string[];
}

export interface OidcSettingsInput {
  accessTokenLifetimeSeconds: number;
  idTokenLifetimeSeconds: number;
  refreshTokenIdleSeconds: number;
  refreshTokenLifetimeSeconds: number;
}

export interface SecurityPolicyInput {
  /** Empty: no embedding anywhere. */
  embeddedOrigins: string[];
  enableImpersonation: boolean;
}

export interface WebKey {
  id: string;
  state: "initial" | "active" | "inactive" | "removed";
}

/** Credential: IAM_OWNER. Every `ensure…` reads first and writes only what differs. */
export interface Provisioner extends ProviderCalls {
  ensureOrganization(input: OrganizationInput): Promise<Ensured>;
  ensureDomainPolicy(
    orgId: string,
    policy: { userLoginMustBeDomain: boolean },
  ): Promise<Ensured>;
  ensureProject(input: ProjectInput): Promise<Ensured>;
  /** Adds and renames; removes the project's other roles only with `exact`. */
  ensureRoles(
    projectId: string,
    roles: RoleInput[],
    options?: { exact?: boolean },
  ): Promise<Ensured>;
  /** Throws ZitadelError `non_compliant` (details in `problems`) rather than leave an application that cannot sign in. */
  ensureOidcApplication(input: OidcApplicationInput): Promise<EnsuredApplication>;
  /** Made when missing. What people changed about themselves since stays as they made it. */
  ensureHuman(input: HumanInput): Promise<Ensured>;
  ensureMachine(input: MachineInput): Promise<Ensured>;
  ensureAdministrator(input: AdministratorInput): Promise<Ensured>;
  ensureAuthorization(input: AuthorizationInput): Promise<Ensured>;
  ensureLoginV2(input: { baseUri: string }): Promise<Ensured>;
  ensureOidcSettings(input: OidcSettingsInput): Promise<Ensured>;
  ensureSecurityPolicy(input: SecurityPolicyInput): Promise<Ensured>;
  ensureOrganizationState(orgId: string, state: "active" | "inactive"): Promise<Ensured>;
  ensureUserState(userId: string, state: "active" | "inactive"): Promise<Ensured>;

  getOrganization(id: string): Promise<Organization | null>;
  getDefaultOrganization(): Promise<Organization>;
  getUser(id: string): Promise<User | null>;
  setPassword(
    userId: string,
    password: string,
    options?: { changeRequired?: boolean },
  ): Promise<void>;
  /** A code for a new password, handed over by us; the one before it is dead. */
  createResetCode(userId: string): Promise<string>;
  /** Of who holds nothing to sign in with; the one before it is dead. @throws {ZitadelError} `failed_precondition`: they hold something */
  createInviteCode(userId: string): Promise<string>;
  /** The old secret is dead at once. */
  generateClientSecret(projectId: string, applicationId: string): Promise<string>;
  removeApplication(projectId: string, applicationId: string): Promise<void>;
  removeProject(projectId: string): Promise<void>;
  removeUser(userId: string): Promise<void>;
  removeOrganization(orgId: string): Promise<void>;

  listWebKeys(): Promise<WebKey[]>;
  createWebKey(): Promise<string>;
  activateWebKey(id: string): Promise<void>;
  removeWebKey(id: string): Promise<void>;

  /** An Actions target that is told of events as they happen: `signingKey` is shown by ZITADEL at every read. */
  ensureEventHint(
    input: { name: string; endpoint: string; timeoutMs: number; eventGroups: string[] },
  ): Promise<Ensured & { signingKey: string }>;
}
