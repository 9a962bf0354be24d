import { randomBytes } from "node:crypto";
import { ApiError, failedPrecondition, noChanges, notFound } from "../errors.ts";
import type { Application, OidcConfiguration } from "../model.ts";
import { type Call, matches, page, type Pagination, type Service } from "../service.ts";
import { complianceProblems } from "./compliance.ts";
import { dropApplication } from "./project_removal.ts";
import { event, needOn, needProject } from "./projects.ts";

interface Create {
  projectId: string;
  applicationId?: string;
  name: string;
  oidcConfiguration?: Partial<OidcConfiguration>;
}
interface Update {
  projectId: string;
  applicationId: string;
  name?: string;
  oidcConfiguration?: Partial<OidcConfiguration>;
}
interface Ref {
  projectId: string;
  applicationId: string;
}
interface Filter {
  projectIdFilter?: { projectId: string };
  nameFilter?: { name: string; method?: string };
  stateFilter?: string;
  typeFilter?: string;
  clientIdFilter?: { clientId: string };
}

const states = { active: "APPLICATION_STATE_ACTIVE", inactive: "APPLICATION_STATE_INACTIVE" };
const newSecret = () => randomBytes(48).toString("base64url");
const keepsSecret = ({ authMethodType }: OidcConfiguration) =>
  authMethodType === "OIDC_AUTH_METHOD_TYPE_BASIC" ||
  authMethodType === "OIDC_AUTH_METHOD_TYPE_POST";

export const applications: Service = {
  CreateApplication({ store, caller }: Call, request: Create) {
    const project = needProject(store, request.projectId);
    needOn(caller, "project.app.write", project);
    if (!request.oidcConfiguration) {
      throw new ApiError("unimplemented", undefined, "The double makes OIDC applications only");
    }
    const id = request.applicationId || store.newId();
    if (store.get("application", id)) {
      throw failedPrecondition("PROJECT-lxowmp", "Errors.Project.App.AlreadyExisting");
    }
    const oidc = { ...defaults, ...request.oidcConfiguration };
    store.claim(
      "application_name",
      `${project.id}:${request.name}`,
      id,
      "Errors.Project.App.AlreadyExists",
    );
    const clientId = store.newId();
    const clientSecret = keepsSecret(oidc) ? newSecret() : undefined;
    const at = store.push(caller.userId, [
      event(project.id, project.organizationId, "project.application.added", {
        appId: id,
        name: request.name,
      }),
      event(project.id, project.organizationId, "project.application.config.oidc.added", {
        appId: id,
        clientId,
        ...(clientSecret ? { hashedSecret: "$2a$04$never.let.this.out" } : {}),
        redirectUris: oidc.redirectUris,
      }),
    ]);
    store.put("application", id, {
      id,
      projectId: project.id,
      organizationId: project.organizationId,
      name: request.name,
      state: "active",
      clientId,
      ...(clientSecret ? { clientSecret } : {}),
      oidc,
      createdAt: at,
      changedAt: at,
    });
    return {
      applicationId: id,
      creationDate: at,
      oidcConfiguration: { clientId, clientSecret: clientSecret ?? "", ...compliance(oidc) },
    };
  },

  /** The name and the configuration are two pushes: the first stays when the second is refused. */
  UpdateApplication({ store, caller }: Call, request: Update) {
    const application = needApplication(store, request, "COMMAND-2M8vx");
    const project = needProject(store, application.projectId);
    needOn(caller, "project.app.write", project);
    let at = store.now();
    if (request.name) {
      if (request.name === application.name) throw noChanges("COMMAND-2m8vx");
      const key = `${project.id}:`;
      store.claim(
        "application_name",
        key + request.name,
        application.id,
        "Errors.Project.App.AlreadyExists",
      );
      store.release("application_name", key + application.name);
      at = store.push(caller.userId, [
        event(project.id, project.organizationId, "project.application.changed", {
          appId: application.id,
          name: request.name,
        }),
      ]);
      store.patch("application", application.id, { name: request.name, changedAt: at });
    }
    if (request.oidcConfiguration) {
      const oidc = updatedConfiguration(application.oidc, request.oidcConfiguration);
      if (JSON.stringify(oidc) === JSON.stringify(application.oidc)) {
        throw noChanges("COMMAND-1m88i");
      }
      at = store.push(caller.userId, [
        event(project.id, project.organizationId, "project.application.config.oidc.changed", {
          appId: application.id,
          redirectUris: oidc.redirectUris,
        }),
      ]);
      store.patch("application", application.id, { oidc, changedAt: at });
    }
    return { changeDate: at };
  },

  GetApplication({ store, caller }: Call, { applicationId }: { applicationId: string }) {
    const application = store.seen("application", applicationId);
    if (!application) throw notFound("QUERY-pCP8P", "Errors.App.NotFound");
    needOn(caller, "project.app.read", needProject(store, application.projectId));
    return { application: asApplication(application) };
  },

  ListApplications(
    { store, caller }: Call,
    request: { pagination?: Pagination; filters?: Filter[] },
  ) {
    const found = store.seenAll("application").filter((application) =>
      caller.may("project.app.read", {
        organizationId: application.organizationId,
        projectId: application.projectId,
      }) && (request.filters ?? []).every((filter) => fits(application, filter))
    );
    const { rows, pagination } = page(found, request.pagination);
    return { pagination, applications: rows.map(asApplication) };
  },

  DeleteApplication({ store, caller }: Call, request: Ref) {
    const application = needApplication(store, request, "COMMAND-0po9s");
    const project = needProject(store, application.projectId);
    needOn(caller, "project.app.delete", project);
    dropApplication(store, application);
    const at = store.push(caller.userId, [
      event(project.id, project.organizationId, "project.application.removed", {
        appId: application.id,
      }),
    ]);
    return { deletionDate: at };
  },

  DeactivateApplication: (call: Call, request: Ref) => ({
    deactivationDate: setState(call, request, "inactive"),
  }),
  ReactivateApplication: (call: Call, request: Ref) => ({
    reactivationDate: setState(call, request, "active"),
  }),

  GenerateClientSecret({ store, caller }: Call, request: Ref) {
    const application = needApplication(store, request, "COMMAND-2g66f");
    const project = needProject(store, application.projectId);
    needOn(caller, "project.app.write", project);
    if (!keepsSecret(application.oidc)) {
      throw failedPrecondition("COMMAND-2ghD8", "Errors.Project.App.NotOIDC");
    }
    const clientSecret = newSecret();
    const at = store.push(caller.userId, [
      event(project.id, project.organizationId, "project.application.config.oidc.secret.changed", {
        appId: application.id,
        hashedSecret: "$2a$04$never.let.this.out",
      }),
    ]);
    store.patch("application", application.id, { clientSecret, changedAt: at });
    return { clientSecret, creationDate: at };
  },
};

const defaults: OidcConfiguration = {
  redirectUris: [],
  responseTypes: ["OIDC_RESPONSE_TYPE_CODE"],
  grantTypes: ["OIDC_GRANT_TYPE_AUTHORIZATION_CODE"],
  applicationType: "OIDC_APP_TYPE_WEB",
  authMethodType: "OIDC_AUTH_METHOD_TYPE_BASIC",
  postLogoutRedirectUris: [],
  developmentMode: false,
  accessTokenType: "OIDC_TOKEN_TYPE_BEARER",
  accessTokenRoleAssertion: false,
  idTokenRoleAssertion: false,
  idTokenUserinfoAssertion: false,
  clockSkew: "0s",
  additionalOrigins: [],
  skipNativeAppSuccessPage: false,
  backChannelLogoutUri: "",
};

/** The traps: what is left out of three fields falls back, and an empty list means "unchanged". */
function updatedConfiguration(
  present: OidcConfiguration,
  asked: Partial<OidcConfiguration>,
): OidcConfiguration {
  const { responseTypes, grantTypes, clockSkew } = defaults;
  return { ...present, responseTypes, grantTypes, clockSkew, ...asked };
}

function compliance(oidc: OidcConfiguration) {
  const problems = complianceProblems(oidc);
  return {
    nonCompliant: problems.length > 0,
    complianceProblems: problems.map((key) => ({ key, localizedMessage: key })),
  };
}

function needApplication(store: Call["store"], { applicationId, projectId }: Ref, errorId: string) {
  const found = store.get("application", applicationId);
  if (found?.projectId !== projectId) throw notFound(errorId, "Errors.Project.App.NotExisting");
  return found;
}

function setState({ store, caller }: Call, request: Ref, state: Application["state"]): string {
  const application = needApplication(store, request, "COMMAND-ov9d3");
  const project = needProject(store, application.projectId);
  needOn(caller, "project.app.write", project);
  if (application.state === state) {
    throw failedPrecondition("COMMAND-dsh35", "Errors.Project.App.AlreadyInThatState");
  }
  const type = `project.application.${state === "active" ? "reactivated" : "deactivated"}`;
  const at = store.push(caller.userId, [
    event(project.id, project.organizationId, type, { appId: application.id }),
  ]);
  store.patch("application", application.id, { state, changedAt: at });
  return at;
}

function asApplication({ oidc, ...application }: Application): object {
  return {
    applicationId: application.id,
    creationDate: application.createdAt,
    changeDate: application.changedAt,
    state: states[application.state],
    name: application.name,
    projectId: application.projectId,
    oidcConfiguration: {
      ...oidc,
      clientId: application.clientId,
      ...compliance(oidc),
      allowedOrigins: [],
    },
  };
}

function fits(application: Application, filter: Filter): boolean {
  const { projectIdFilter, nameFilter, stateFilter, typeFilter, clientIdFilter } = filter;
  if (projectIdFilter) return application.projectId === projectIdFilter.projectId;
  if (nameFilter) return matches(application.name, nameFilter.name, nameFilter.method);
  if (stateFilter) return states[application.state] === stateFilter;
  if (typeFilter) return typeFilter === "APPLICATION_TYPE_OIDC";
  if (clientIdFilter) return application.clientId === clientIdFilter.clientId;
  return true;
}
