import { alreadyExists, invalidArgument, noChanges, notFound } from "../errors.ts";
import type { Administrator, Resource } from "../model.ts";
import { isRole } from "../roles.ts";
import { type Call, page, type Pagination, type Service } from "../service.ts";
import type { Store } from "../store.ts";
import { loginNames } from "./login_names.ts";
import { needUser } from "./users.ts";

interface WireResource {
  instance?: boolean;
  organizationId?: string;
  projectId?: string;
}
interface Change {
  userId: string;
  resource?: WireResource;
  roles?: string[];
}
interface Filter {
  inUserIdsFilter?: { ids?: string[] };
  resource?: WireResource;
  role?: { roleKey: string };
  and?: { queries?: Filter[] };
  or?: { queries?: Filter[] };
  not?: { query?: Filter };
}

const existsIds = { instance: "INSTA-pFDwe", organization: "ORG-poWwe", project: "PROJECT-PtXi1" };
const permissions = {
  instance: "iam.member",
  organization: "org.member",
  project: "project.member",
};
const aggregates = { instance: "instance", organization: "org", project: "project" };

export const administrators: Service = {
  CreateAdministrator(call: Call, request: Change) {
    const { store } = call;
    const resource = resourceOf(request.resource);
    needOn(call, resource, "write");
    needUser(store, request.userId);
    const roles = knownRoles(resource, request.roles);
    const id = keyOf(resource, request.userId);
    if (store.get("administrator", id)) {
      throw alreadyExists(existsIds[resource.kind], "Errors.Member.AlreadyExists");
    }
    const at = record(call, resource, "added", { userId: request.userId, roles });
    store.put("administrator", id, {
      id,
      userId: request.userId,
      resource,
      roles,
      createdAt: at,
      changedAt: at,
    });
    return { creationDate: at };
  },

  UpdateAdministrator(call: Call, request: Change) {
    const { store } = call;
    const resource = resourceOf(request.resource);
    needOn(call, resource, "write");
    const found = store.get("administrator", keyOf(resource, request.userId));
    if (!found) throw notFound("DOUBLE-memberMissing", "Errors.Member.NotFound");
    const roles = knownRoles(resource, request.roles);
    if ([...roles].sort().join() === [...found.roles].sort().join()) throw noChanges();
    const at = record(call, resource, "changed", { userId: request.userId, roles });
    store.patch("administrator", found.id, { roles, changedAt: at });
    return { changeDate: at };
  },

  DeleteAdministrator(call: Call, request: Change) {
    const { store } = call;
    const resource = resourceOf(request.resource);
    needOn(call, resource, "delete");
    const found = store.get("administrator", keyOf(resource, request.userId));
    if (!found) return { deletionDate: store.now() }; // missing is success
    store.remove("administrator", found.id);
    return { deletionDate: record(call, resource, "removed", { userId: request.userId }) };
  },

  ListAdministrators(call: Call, request: { pagination?: Pagination; filters?: Filter[] }) {
    const { store, caller } = call;
    const found = store.seenAll("administrator").filter((row) =>
      (row.userId === caller.userId ||
        caller.may(`${permissions[row.resource.kind]}.read`, scopeOf(store, row.resource))) &&
      (request.filters ?? []).every((filter) => fits(row, filter))
    );
    const { rows, pagination } = page(found, request.pagination);
    return { pagination, administrators: rows.map((row) => asAdministrator(store, row)) };
  },
};

function resourceOf(wire: WireResource | undefined): Resource {
  if (wire?.instance) return { kind: "instance" };
  if (wire?.organizationId) return { kind: "organization", id: wire.organizationId };
  if (wire?.projectId) return { kind: "project", id: wire.projectId };
  throw invalidArgument("ADMIN-Lp0SyQ", "Errors.Invalid.Argument");
}

const idOf = (resource: Resource) => resource.kind === "instance" ? "" : resource.id;
const keyOf = (resource: Resource, userId: string) =>
  `${resource.kind}/${idOf(resource)}/${userId}`;

function scopeOf(
  store: Store,
  resource: Resource,
): { organizationId?: string; projectId?: string } {
  if (resource.kind === "organization") return { organizationId: resource.id };
  if (resource.kind === "instance") return {};
  const organizationId = store.get("project", resource.id)?.organizationId;
  return { projectId: resource.id, ...(organizationId ? { organizationId } : {}) };
}

function needOn({ store, caller }: Call, resource: Resource, verb: "write" | "delete"): void {
  caller.need(`${permissions[resource.kind]}.${verb}`, scopeOf(store, resource));
}

function knownRoles({ kind }: Resource, roles: string[] = []): string[] {
  const prefix = { instance: "IAM_", organization: "ORG_", project: "PROJECT_" }[kind];
  if (roles.length === 0 || roles.some((role) => !isRole(role) || !role.startsWith(prefix))) {
    throw invalidArgument("DOUBLE-memberRoles", "Errors.Member.Invalid");
  }
  return roles;
}

function record(
  { store, caller, instance }: Call,
  resource: Resource,
  what: string,
  payload: Record<string, unknown>,
): string {
  const aggregate = aggregates[resource.kind];
  const aggregateId = idOf(resource) || instance.id;
  const owner = resource.kind === "project"
    ? store.get("project", resource.id)?.organizationId ?? instance.id
    : aggregateId;
  return store.push(caller.userId, [{
    aggregateType: aggregate,
    aggregateId,
    type: `${aggregate}.member.${what}`,
    resourceOwner: owner,
    payload,
  }]);
}

function asAdministrator(store: Store, row: Administrator): object {
  const user = store.get("user", row.userId);
  const id = idOf(row.resource);
  const project = row.resource.kind === "project" ? store.get("project", id) : undefined;
  return {
    creationDate: row.createdAt,
    changeDate: row.changedAt,
    user: {
      id: row.userId,
      preferredLoginName: user ? loginNames(store, user)[0] ?? "" : "",
      displayName: user?.human?.displayName ?? user?.machine?.name ?? "",
      organizationId: user?.organizationId ?? "",
    },
    ...(row.resource.kind === "instance" ? { instance: true } : {}),
    ...(row.resource.kind === "organization"
      ? { organization: { id, name: store.get("organization", id)?.name ?? "" } }
      : {}),
    ...(project
      ? { project: { id, name: project.name, organizationId: project.organizationId } }
      : {}),
    roles: row.roles,
  };
}

function fits(row: Administrator, filter: Filter): boolean {
  const within = (nested: Filter) => fits(row, nested);
  if (filter.inUserIdsFilter) return (filter.inUserIdsFilter.ids ?? []).includes(row.userId);
  if (filter.resource) {
    return keyOf(row.resource, "") === keyOf(resourceOf(filter.resource), "");
  }
  if (filter.role) return row.roles.includes(filter.role.roleKey);
  if (filter.and) return (filter.and.queries ?? []).every(within);
  if (filter.or) return (filter.or.queries ?? []).some(within);
  if (filter.not?.query) return !within(filter.not.query);
  throw new Error(`The double does not know the administrator filter ${JSON.stringify(filter)}`);
}
