import { alreadyExists, failedPrecondition, noChanges, notFound } from "../errors.ts";
import type { Project } from "../model.ts";
import { type Call, matches, page, type Pagination, type Service } from "../service.ts";
import type { Store } from "../store.ts";
import { removeProject } from "./project_removal.ts";
import { projectRoles } from "./project_roles.ts";

type Flags = Pick<
  Project,
  | "projectRoleAssertion"
  | "authorizationRequired"
  | "projectAccessRequired"
  | "privateLabelingSetting"
>;
interface Filter {
  projectNameFilter?: { projectName: string; method?: string };
  inProjectIdsFilter?: { ids: string[] };
  organizationIdFilter?: { organizationId: string; type?: string };
}

export const projects: Service = {
  CreateProject(
    { store, caller }: Call,
    request: { organizationId: string; projectId?: string; name: string } & Partial<Flags>,
  ) {
    const { organizationId, name } = request;
    if (!store.get("organization", organizationId)) {
      throw failedPrecondition("DOUBLE-projectOrg", "Errors.Org.NotFound");
    }
    caller.need("project.create", { organizationId });
    const id = request.projectId ?? store.newId();
    if (store.get("project", id)) {
      throw alreadyExists("COMMAND-opamwu", "Errors.Project.AlreadyExisting");
    }
    store.claim("project_name", `${organizationId}:${name}`, id, "Errors.Project.AlreadyExists");
    const flags: Flags = {
      projectRoleAssertion: request.projectRoleAssertion ?? false,
      authorizationRequired: request.authorizationRequired ?? false,
      projectAccessRequired: request.projectAccessRequired ?? false,
      privateLabelingSetting: request.privateLabelingSetting ??
        "PRIVATE_LABELING_SETTING_UNSPECIFIED",
    };
    const at = store.push(caller.userId, [event(id, organizationId, "project.added", {
      name,
      projectRoleAssertion: flags.projectRoleAssertion,
      projectRoleCheck: flags.authorizationRequired,
      hasProjectCheck: flags.projectAccessRequired,
    })]);
    store.put("project", id, {
      id,
      organizationId,
      name,
      state: "active",
      ...flags,
      roles: {},
      grants: {},
      createdAt: at,
      changedAt: at,
    });
    return { projectId: id, creationDate: at };
  },

  UpdateProject(
    { store, caller }: Call,
    { projectId, ...changes }: { projectId: string; name?: string } & Partial<Flags>,
  ) {
    const project = needProject(store, projectId);
    needOn(caller, "project.write", project);
    const differing = Object.entries(changes).filter(([key, value]) =>
      project[key as keyof typeof changes] !== value
    );
    if (differing.length === 0) throw noChanges("COMMAND-2M0fs");
    if (changes.name !== undefined && changes.name !== project.name) {
      const key = `${project.organizationId}:`;
      store.claim("project_name", key + changes.name, projectId, "Errors.Project.AlreadyExists");
      store.release("project_name", key + project.name);
    }
    const at = store.push(caller.userId, [
      event(projectId, project.organizationId, "project.changed", Object.fromEntries(differing)),
    ]);
    store.patch("project", projectId, { ...changes, changedAt: at });
    return { changeDate: at };
  },

  GetProject({ store, caller }: Call, { projectId }: { projectId: string }) {
    const project = store.seen("project", projectId);
    if (!project) throw notFound("QUERY-fk2fs", "Errors.Project.NotFound");
    needOn(caller, "project.read", project);
    return { project: asProject(project) };
  },

  ListProjects({ store, caller }: Call, request: { pagination?: Pagination; filters?: Filter[] }) {
    const found = store.seenAll("project").filter((project) =>
      caller.may("project.read", {
        organizationId: project.organizationId,
        projectId: project.id,
      }) &&
      (request.filters ?? []).every((filter) => fits(project, filter))
    );
    const { rows, pagination } = page(found, request.pagination);
    return { pagination, projects: rows.map(asProject) };
  },

  DeleteProject({ store, caller }: Call, { projectId }: { projectId: string }) {
    const project = store.get("project", projectId);
    if (!project) return { deletionDate: store.now() }; // missing is success
    needOn(caller, "project.delete", project);
    return { deletionDate: removeProject(store, caller.userId, project) };
  },

  ActivateProject: (call: Call, { projectId }: { projectId: string }) =>
    setState(call, projectId, "active"),
  DeactivateProject: (call: Call, { projectId }: { projectId: string }) =>
    setState(call, projectId, "inactive"),
  ...projectRoles,
};

export const event = (
  id: string,
  resourceOwner: string,
  type: string,
  payload: Record<string, unknown> = {},
) => ({ aggregateType: "project", aggregateId: id, type, resourceOwner, payload });

export function needProject(store: Store, id: string): Project {
  const found = store.get("project", id);
  if (!found) throw notFound("COMMAND-3M9sd", "Errors.Project.NotFound");
  return found;
}

export function needOn(caller: Call["caller"], permission: string, project: Project): void {
  caller.need(permission, { organizationId: project.organizationId, projectId: project.id });
}

function setState({ store, caller }: Call, id: string, state: Project["state"]) {
  const project = needProject(store, id);
  needOn(caller, "project.write", project);
  if (project.state === state) {
    throw failedPrecondition("DOUBLE-projectState", "Errors.Project.AlreadyInThatState");
  }
  const type = state === "active" ? "project.reactivated" : "project.deactivated";
  const at = store.push(caller.userId, [event(id, project.organizationId, type)]);
  store.patch("project", id, { state, changedAt: at });
  return { changeDate: at };
}

function asProject(project: Project): object {
  const { roles: _roles, grants: _grants, id, createdAt, changedAt, state, ...rest } = project;
  return {
    ...rest,
    projectId: id,
    creationDate: createdAt,
    changeDate: changedAt,
    state: state === "active" ? "PROJECT_STATE_ACTIVE" : "PROJECT_STATE_INACTIVE",
  };
}

function fits(project: Project, filter: Filter): boolean {
  const { projectNameFilter: name, inProjectIdsFilter: ids, organizationIdFilter: owner } = filter;
  if (name) return matches(project.name, name.projectName, name.method);
  if (ids) return ids.ids.includes(project.id);
  if (!owner) return true;
  const owned = project.organizationId === owner.organizationId;
  const granted = owner.organizationId in project.grants;
  return owner.type === "GRANTED" ? granted : owner.type === "OWNED" ? owned : owned || granted;
}
