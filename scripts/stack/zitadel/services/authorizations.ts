import { failedPrecondition, noChanges, notFound } from "../errors.ts";
import type { Authorization } from "../model.ts";
import { type Call, page, type Pagination, type Service } from "../service.ts";
import type { Store } from "../store.ts";
import { loginNames } from "./login_names.ts";
import { grantKey } from "./project_removal.ts";
import { needRoles } from "./project_roles.ts";
import { needProject } from "./projects.ts";
import { needUser } from "./users.ts";

interface Filter {
  authorizationIds?: { ids?: string[] };
  organizationId?: { id?: string };
  state?: { state?: string };
  inUserIds?: { ids?: string[] };
  userOrganizationId?: { id?: string };
  projectId?: { id?: string };
  roleKey?: { key?: string };
}

export const authorizations: Service = {
  CreateAuthorization(
    { store, caller }: Call,
    request: { userId: string; projectId: string; organizationId: string; roleKeys?: string[] },
  ) {
    const { userId, projectId, organizationId, roleKeys = [] } = request;
    caller.need("user.grant.write", { organizationId, projectId });
    needUser(store, userId);
    const project = needProject(store, projectId);
    if (project.organizationId !== organizationId && !(organizationId in project.grants)) {
      throw failedPrecondition("PROJECT-ASdbgw", "Errors.Project.Grant.NotFound");
    }
    needRoles(project, roleKeys);
    const id = store.newId();
    const entry = { id, userId, projectId, organizationId, roleKeys };
    store.claim("user_grant", grantKey(entry), id, "Errors.UserGrant.AlreadyExists");
    const at = record(store, caller.userId, entry, "user.grant.added", {
      userId,
      projectId,
      roleKeys,
    });
    store.put("authorization", id, { ...entry, state: "active", createdAt: at, changedAt: at });
    return { id, creationDate: at };
  },

  UpdateAuthorization(
    { store, caller }: Call,
    { id, roleKeys = [] }: { id: string; roleKeys?: string[] },
  ) {
    const found = need(store, id);
    caller.need("user.grant.write", found);
    needRoles(needProject(store, found.projectId), roleKeys);
    if ([...roleKeys].sort().join() === [...found.roleKeys].sort().join()) {
      throw noChanges("COMMAND-Rs8fy");
    }
    const at = record(store, caller.userId, found, "user.grant.changed", {
      userId: found.userId,
      roleKeys,
    });
    store.patch("authorization", id, { roleKeys, changedAt: at });
    return { changeDate: at };
  },

  DeleteAuthorization({ store, caller }: Call, { id }: { id: string }) {
    const found = store.get("authorization", id);
    if (!found) return { deletionDate: store.now() }; // missing is success
    caller.need("user.grant.delete", found);
    store.release("user_grant", grantKey(found));
    store.remove("authorization", id);
    const { userId, projectId } = found;
    return {
      deletionDate: record(store, caller.userId, found, "user.grant.removed", {
        userId,
        projectId,
      }),
    };
  },

  ActivateAuthorization: (call: Call, { id }: { id: string }) => setState(call, id, "active"),
  DeactivateAuthorization: (call: Call, { id }: { id: string }) => setState(call, id, "inactive"),

  ListAuthorizations(
    { store, caller }: Call,
    request: { pagination?: Pagination; filters?: Filter[] },
  ) {
    const found = store.seenAll("authorization").filter((authorization) =>
      (authorization.userId === caller.userId || caller.may("user.grant.read", authorization)) &&
      (request.filters ?? []).every((filter) => fits(store, authorization, filter))
    );
    const { rows, pagination } = page(found, request.pagination);
    return { pagination, authorizations: rows.map((row) => asAuthorization(store, row)) };
  },
};

function need(store: Store, id: string): Authorization {
  const found = store.get("authorization", id);
  if (!found) throw notFound("COMMAND-3M9sd", "Errors.UserGrant.NotFound");
  return found;
}

function record(
  store: Store,
  editor: string,
  { id, organizationId }: { id: string; organizationId: string },
  type: string,
  payload: Record<string, unknown> = {},
): string {
  return store.push(editor, [
    { aggregateType: "usergrant", aggregateId: id, type, resourceOwner: organizationId, payload },
  ]);
}

function setState({ store, caller }: Call, id: string, state: Authorization["state"]) {
  const found = need(store, id);
  caller.need("user.grant.write", found);
  if (found.state === state) return { changeDate: found.changedAt };
  const type = state === "active" ? "user.grant.reactivated" : "user.grant.deactivated";
  const at = record(store, caller.userId, found, type);
  store.patch("authorization", id, { state, changedAt: at });
  return { changeDate: at };
}

const states = { active: "STATE_ACTIVE", inactive: "STATE_INACTIVE" };

function asAuthorization(store: Store, authorization: Authorization): object {
  const project = store.get("project", authorization.projectId)!;
  const user = store.get("user", authorization.userId)!;
  return {
    id: authorization.id,
    creationDate: authorization.createdAt,
    changeDate: authorization.changedAt,
    project: { id: project.id, name: project.name, organizationId: project.organizationId },
    organization: {
      id: authorization.organizationId,
      name: store.get("organization", authorization.organizationId)?.name ?? "",
    },
    user: {
      id: user.id,
      preferredLoginName: loginNames(store, user)[0] ?? "",
      displayName: user.human?.displayName ?? user.machine?.name ?? "",
      organizationId: user.organizationId,
    },
    state: states[authorization.state],
    roles: authorization.roleKeys.map((key) => ({
      key,
      displayName: project.roles[key]?.displayName ?? "",
      group: project.roles[key]?.group ?? "",
    })),
  };
}

function fits(store: Store, row: Authorization, filter: Filter): boolean {
  if (filter.authorizationIds) return (filter.authorizationIds.ids ?? []).includes(row.id);
  if (filter.organizationId) return row.organizationId === filter.organizationId.id;
  if (filter.state) return states[row.state] === filter.state.state;
  if (filter.inUserIds) return (filter.inUserIds.ids ?? []).includes(row.userId);
  if (filter.userOrganizationId) {
    return store.get("user", row.userId)?.organizationId === filter.userOrganizationId.id;
  }
  if (filter.projectId) return row.projectId === filter.projectId.id;
  if (filter.roleKey) return row.roleKeys.includes(filter.roleKey.key ?? "");
  throw new Error(`The double does not know the authorization filter ${JSON.stringify(filter)}`);
}
