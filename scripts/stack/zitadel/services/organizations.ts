import { alreadyExists, ApiError, failedPrecondition, noChanges, notFound } from "../errors.ts";
import type { Organization } from "../model.ts";
import { type Call, details, matches, page, type Pagination, type Service } from "../service.ts";
import type { Store } from "../store.ts";
import { removeProject } from "./project_removal.ts";
import { removeUser } from "./user_removal.ts";

interface Query {
  nameQuery?: { name: string; method?: string };
  domainQuery?: { domain: string; method?: string };
  stateQuery?: { state?: string };
  idQuery?: { id: string };
  defaultQuery?: object;
}

const states = {
  active: "ORGANIZATION_STATE_ACTIVE",
  inactive: "ORGANIZATION_STATE_INACTIVE",
} as const;

export function organizations(domainSuffix: string): Service {
  return {
    AddOrganization(
      { store, caller }: Call,
      request: {
        name: string;
        organizationId?: string;
        orgId?: string;
        admins?: { userId?: string; roles?: string[] }[];
      },
    ) {
      caller.need("org.create");
      const admins = request.admins ?? [];
      if (admins.some((admin) => admin.userId === undefined)) {
        throw new ApiError(
          "unimplemented",
          undefined,
          "The double adds no human with an organization",
        );
      }
      const id = request.organizationId ?? request.orgId ?? store.newId();
      const organization = addOrganization(store, caller.userId, id, request.name, domainSuffix);
      for (const { userId, roles = ["ORG_OWNER"] } of admins) {
        const at = store.push(caller.userId, [{
          aggregateType: "org",
          aggregateId: id,
          type: "org.member.added",
          resourceOwner: id,
          payload: { userId: userId!, roles },
        }]);
        store.put("administrator", `organization/${id}/${userId}`, {
          id: `organization/${id}/${userId}`,
          createdAt: at,
          changedAt: at,
          userId: userId!,
          resource: { kind: "organization", id },
          roles,
        });
      }
      return {
        details: details(id, organization.createdAt),
        organizationId: id,
        createdAdmins: admins.map(({ userId }) => ({ userId })),
      };
    },

    ListOrganizations(
      { store, caller, instance }: Call,
      request: { query?: Pagination; queries?: Query[] },
    ) {
      const { defaultOrganizationId } = store.get("instance", "instance")!;
      const found = store.seenAll("organization").filter((organization) =>
        (organization.id === caller.organizationId ||
          caller.may("org.read", { organizationId: organization.id })) &&
        (request.queries ?? []).every((query) => fits(organization, query, defaultOrganizationId))
      );
      const { rows, total } = page(found, request.query);
      return {
        details: { totalResult: total, timestamp: store.now() },
        result: rows.map((row) => ({
          id: row.id,
          details: details(instance.id, row.changedAt, row.createdAt),
          state: states[row.state],
          name: row.name,
          primaryDomain: row.primaryDomain,
        })),
      };
    },

    UpdateOrganization(
      { store, caller }: Call,
      request: { organizationId: string; name: string },
    ) {
      const organization = need(store, request.organizationId, "ORG-1MRds");
      caller.need("org.write", { organizationId: organization.id });
      if (organization.name === request.name) throw noChanges("ORG-4VSdf");
      const domain = domainOf(request.name, domainSuffix);
      claimName(store, organization.id, request.name, domain);
      store.release("org_name", organization.name);
      if (domain !== organization.primaryDomain) {
        store.release("org_domain", organization.primaryDomain);
      }
      const at = store.push(caller.userId, [
        event(organization.id, "org.changed", { name: request.name }),
        event(organization.id, "org.domain.primary.set", { domain }),
      ]);
      store.patch("organization", organization.id, {
        name: request.name,
        primaryDomain: domain,
        changedAt: at,
      });
      return { changeDate: at };
    },

    DeactivateOrganization: (call: Call, request: { organizationId: string }) =>
      setState(call, request.organizationId, "inactive"),
    ActivateOrganization: (call: Call, request: { organizationId: string }) =>
      setState(call, request.organizationId, "active"),

    DeleteOrganization({ store, caller }: Call, { organizationId }: { organizationId: string }) {
      const organization = need(store, organizationId, "COMMA-aps2n");
      caller.need("org.delete", { organizationId });
      if (store.get("instance", "instance")!.defaultOrganizationId === organizationId) {
        throw failedPrecondition("COMMA-wG9p1", "Errors.Org.DefaultOrgNotDeletable");
      }
      for (const user of store.all("user")) {
        if (user.organizationId === organizationId) removeUser(store, caller.userId, user);
      }
      for (const project of store.all("project")) {
        if (project.organizationId === organizationId) removeProject(store, caller.userId, project);
      }
      for (const { id, resource } of store.all("administrator")) {
        if (resource.kind === "organization" && resource.id === organizationId) {
          store.remove("administrator", id);
        }
      }
      for (const policy of store.all("policy")) {
        if (policy.id.startsWith(`${organizationId}/`)) store.remove("policy", policy.id);
      }
      store.release("org_name", organization.name);
      store.release("org_domain", organization.primaryDomain);
      store.remove("organization", organizationId);
      const at = store.push(caller.userId, [event(organizationId, "org.removed")]);
      return { deletionDate: at };
    },

    SetOrganizationMetadata(
      { store, caller }: Call,
      request: { organizationId: string; metadata?: { key: string; value?: string }[] },
    ) {
      const organization = need(store, request.organizationId, "META-Adf3g");
      caller.need("org.write", { organizationId: organization.id });
      const entries = request.metadata ?? [];
      const at = store.push(
        caller.userId,
        entries.map(({ key, value = "" }) =>
          event(organization.id, "org.metadata.set", { key, value })
        ),
      );
      store.patch("organization", organization.id, {
        metadata: {
          ...organization.metadata,
          ...Object.fromEntries(entries.map(({ key, value = "" }) => [key, value])),
        },
        changedAt: at,
      });
      return { setDate: at };
    },

    ListOrganizationMetadata(
      { store, caller }: Call,
      request: { organizationId: string; pagination?: Pagination },
    ) {
      caller.need("org.read", { organizationId: request.organizationId });
      const organization = store.seen("organization", request.organizationId);
      const { rows, pagination } = page(
        Object.entries(organization?.metadata ?? {}),
        request.pagination,
      );
      return { pagination, metadata: rows.map(([key, value]) => ({ key, value })) };
    },

    DeleteOrganizationMetadata(
      { store, caller }: Call,
      request: { organizationId: string; keys?: string[] },
    ) {
      const organization = need(store, request.organizationId, "META-Adf3g");
      caller.need("org.write", { organizationId: organization.id });
      const keys = request.keys ?? [];
      const at = store.push(
        caller.userId,
        keys.map((key) => event(organization.id, "org.metadata.removed", { key })),
      );
      store.patch("organization", organization.id, {
        metadata: Object.fromEntries(
          Object.entries(organization.metadata).filter(([key]) => !keys.includes(key)),
        ),
        changedAt: at,
      });
      return { deletionDate: at };
    },
  };
}

/** @throws ORG-laho2n when the id is taken, V3-DKcYh when the name is. */
export function addOrganization(
  store: Store,
  editor: string,
  id: string,
  name: string,
  domainSuffix: string,
): Organization {
  if (store.get("organization", id)) {
    throw alreadyExists("ORG-laho2n", "Errors.Org.AlreadyExisting");
  }
  const primaryDomain = domainOf(name, domainSuffix);
  claimName(store, id, name, primaryDomain);
  const at = store.push(editor, [
    event(id, "org.added", { name }),
    event(id, "org.domain.added", { domain: primaryDomain }),
    event(id, "org.domain.verified", { domain: primaryDomain }),
    event(id, "org.domain.primary.set", { domain: primaryDomain }),
  ]);
  const organization: Organization = {
    id,
    name,
    state: "active",
    primaryDomain,
    metadata: {},
    createdAt: at,
    changedAt: at,
  };
  store.put("organization", id, organization);
  return organization;
}

const event = (id: string, type: string, payload: Record<string, unknown> = {}) => ({
  aggregateType: "org",
  aggregateId: id,
  type,
  resourceOwner: id,
  payload,
});

/** As ZITADEL makes one of the name: `Acme & Sons` → `acme-sons.auth.example.com`. */
function domainOf(name: string, suffix: string): string {
  const label = name.toLowerCase().replaceAll(/\s+/g, "-").replaceAll(/[^a-z0-9-]/g, "")
    .replaceAll(/-+/g, "-").replaceAll(/^-|-$/g, "");
  return `${label}.${suffix}`;
}

/** Both or neither. */
function claimName(store: Store, id: string, name: string, domain: string): void {
  const key = "Errors.Org.AlreadyExists";
  if (!store.isFree("org_domain", domain, id)) throw alreadyExists("V3-DKcYh", key);
  store.claim("org_name", name, id, key);
  store.claim("org_domain", domain, id, key);
}

function need(store: Store, id: string, errorId: string): Organization {
  const found = store.get("organization", id);
  if (!found) throw notFound(errorId, "Errors.Org.NotFound");
  return found;
}

function setState({ store, caller }: Call, id: string, state: Organization["state"]): object {
  const organization = need(store, id, "ORG-oL9nT");
  caller.need("org.write", { organizationId: id });
  if (organization.state === state) {
    throw failedPrecondition("DOUBLE-orgState", "Errors.Org.AlreadyInThatState");
  }
  const at = store.push(caller.userId, [
    event(id, state === "active" ? "org.reactivated" : "org.deactivated"),
  ]);
  store.patch("organization", id, { state, changedAt: at });
  return { changeDate: at };
}

function fits(row: Organization, query: Query, defaultId: string): boolean {
  if (query.nameQuery) return matches(row.name, query.nameQuery.name, query.nameQuery.method);
  if (query.domainQuery) {
    return matches(row.primaryDomain, query.domainQuery.domain, query.domainQuery.method);
  }
  if (query.stateQuery) return states[row.state] === query.stateQuery.state;
  if (query.idQuery) return row.id === query.idQuery.id;
  if (query.defaultQuery) return row.id === defaultId;
  return true;
}
