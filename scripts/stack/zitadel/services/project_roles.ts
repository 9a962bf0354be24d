import { failedPrecondition, noChanges, notFound } from "../errors.ts";
import type { Project } from "../model.ts";
import { type Call, matches, page, type Pagination, type Service } from "../service.ts";
import { alreadyExists } from "../errors.ts";
import { event, needOn, needProject } from "./projects.ts";

interface RoleRequest {
  projectId: string;
  roleKey: string;
  displayName?: string;
  group?: string;
}
interface Filter {
  roleKeyFilter?: { key: string; method?: string };
  displayNameFilter?: { displayName: string; method?: string };
}

export const projectRoles: Service = {
  AddProjectRole({ store, caller }: Call, request: RoleRequest) {
    const { projectId, roleKey: key, displayName = "", group = "" } = request;
    const project = needProject(store, projectId);
    needOn(caller, "project.role.write", project);
    if (project.roles[key]) throw alreadyExists("V3-DKcYh", "Errors.Project.Role.AlreadyExists");
    const at = store.push(caller.userId, [
      event(projectId, project.organizationId, "project.role.added", { key, displayName, group }),
    ]);
    putRole(store, project, key, { displayName, group, createdAt: at, changedAt: at });
    return { creationDate: at };
  },

  UpdateProjectRole({ store, caller }: Call, request: RoleRequest) {
    const project = needProject(store, request.projectId);
    needOn(caller, "project.role.write", project);
    const role = needRole(project, request.roleKey);
    const displayName = request.displayName ?? role.displayName;
    const group = request.group ?? role.group;
    if (displayName === role.displayName && group === role.group) throw noChanges("COMMAND-5M0cs");
    const at = store.push(caller.userId, [
      event(project.id, project.organizationId, "project.role.changed", {
        key: request.roleKey,
        displayName,
        group,
      }),
    ]);
    putRole(store, project, request.roleKey, { ...role, displayName, group, changedAt: at });
    return { changeDate: at };
  },

  RemoveProjectRole({ store, caller }: Call, request: RoleRequest) {
    const project = needProject(store, request.projectId);
    needOn(caller, "project.role.delete", project);
    if (!project.roles[request.roleKey]) return { removalDate: store.now() }; // missing is success
    const { [request.roleKey]: _removed, ...roles } = project.roles;
    const at = store.push(caller.userId, [
      event(project.id, project.organizationId, "project.role.removed", { key: request.roleKey }),
    ]);
    store.patch("project", project.id, { roles });
    for (const authorization of store.all("authorization")) {
      if (authorization.projectId !== project.id) continue;
      store.patch("authorization", authorization.id, {
        roleKeys: authorization.roleKeys.filter((key) => key !== request.roleKey),
      });
    }
    return { removalDate: at };
  },

  ListProjectRoles(
    { store, caller }: Call,
    request: { projectId: string; pagination?: Pagination; filters?: Filter[] },
  ) {
    const project = store.seen("project", request.projectId);
    if (project) needOn(caller, "project.role.read", project);
    const found = Object.entries(project?.roles ?? {}).filter(([key, role]) =>
      (request.filters ?? []).every(({ roleKeyFilter: byKey, displayNameFilter: byName }) =>
        (!byKey || matches(key, byKey.key, byKey.method)) &&
        (!byName || matches(role.displayName, byName.displayName, byName.method))
      )
    );
    const { rows, pagination } = page(found, request.pagination);
    return {
      pagination,
      projectRoles: rows.map(([key, { displayName, group, createdAt, changedAt }]) => ({
        projectId: request.projectId,
        key,
        displayName,
        group,
        creationDate: createdAt,
        changeDate: changedAt,
      })),
    };
  },

  CreateProjectGrant({ store, caller }: Call, request: GrantRequest) {
    const project = needProject(store, request.projectId);
    needOn(caller, "project.grant.write", project);
    const { grantedOrganizationId: to, roleKeys = [] } = request;
    if (project.grants[to]) throw alreadyExists("V3-DKcYh", "Errors.Project.Grant.AlreadyExists");
    roleKeys.forEach((key) => needRole(project, key));
    const at = store.push(caller.userId, [
      event(project.id, project.organizationId, "project.grant.added", {
        grantId: store.newId(),
        grantedOrgId: to,
        roleKeys,
      }),
    ]);
    store.patch("project", project.id, { grants: { ...project.grants, [to]: roleKeys } });
    return { creationDate: at };
  },

  DeleteProjectGrant({ store, caller }: Call, request: GrantRequest) {
    const project = needProject(store, request.projectId);
    needOn(caller, "project.grant.delete", project);
    const { [request.grantedOrganizationId]: found, ...grants } = project.grants;
    if (!found) return { deletionDate: store.now() }; // missing is success
    store.patch("project", project.id, { grants });
    const at = store.push(caller.userId, [
      event(project.id, project.organizationId, "project.grant.removed", {
        grantedOrgId: request.grantedOrganizationId,
      }),
    ]);
    return { deletionDate: at };
  },
};

interface GrantRequest {
  projectId: string;
  grantedOrganizationId: string;
  roleKeys?: string[];
}

function needRole(project: Project, key: string) {
  const role = project.roles[key];
  if (!role) throw notFound("COMMAND-vv8M9", "Errors.Project.Role.NotExisting");
  return role;
}

function putRole(
  store: Call["store"],
  project: Project,
  key: string,
  role: Project["roles"][string],
): void {
  store.patch("project", project.id, { roles: { ...project.roles, [key]: role } });
}

/** @throws COMMAND-mm9F4 when the project has no such role. */
export function needRoles(project: Project, keys: string[]): void {
  if (keys.some((key) => !project.roles[key])) {
    throw failedPrecondition("COMMAND-mm9F4", "Errors.Project.Role.NotFound");
  }
}
