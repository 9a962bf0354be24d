// What holds for the instance: features, OIDC lifetimes, trusted domains, and the v1 event list.
import { alreadyExists, invalidArgument, noChanges } from "../errors.ts";
import { type Call, details, page, type Pagination, type Service } from "../service.ts";

const event = (call: Call, type: string, payload: Record<string, unknown>) =>
  call.store.push(call.caller.userId, [{
    aggregateType: type.startsWith("feature.") ? "feature" : "instance",
    aggregateId: call.instance.id,
    type,
    resourceOwner: call.instance.id,
    payload,
  }]);

const seenInstance = ({ store }: Call) =>
  store.seen("instance", "instance") ?? store.get("instance", "instance")!;

export const features: Service = {
  GetInstanceFeatures(call: Call, { inheritance = false }: { inheritance?: boolean }) {
    const { loginV2: { set, ...loginV2 } } = seenInstance(call);
    return {
      details: details(call.instance.id, call.store.now()),
      ...(set || inheritance
        ? { loginV2: { ...loginV2, source: set ? "SOURCE_INSTANCE" : "SOURCE_SYSTEM" } }
        : {}),
    };
  },

  SetInstanceFeatures(call: Call, request: { loginV2?: { required?: boolean; baseUri?: string } }) {
    const { store } = call;
    const { required = false, baseUri } = request.loginV2 ?? {};
    const loginV2 = { required, ...(baseUri ? { baseUri } : {}), set: true };
    // What stays as it is makes no event, and is no error here.
    const same =
      JSON.stringify(store.get("instance", "instance")!.loginV2) === JSON.stringify(loginV2);
    if (!request.loginV2 || same) return { details: details(call.instance.id, store.now()) };
    const payload = { Value: { required, base_uri: baseUri ?? null } };
    const at = event(call, "feature.instance.login_v2.set", payload);
    store.patch("instance", "instance", { loginV2 });
    return { details: details(call.instance.id, at) };
  },
};

export const oidcSettings: Service = {
  GetOIDCSettings(call: Call) {
    const { oidcSettings, createdAt } = seenInstance(call);
    return { settings: { ...oidcSettings, details: details(call.instance.id, createdAt) } };
  },
  AddOIDCSettings() {
    throw alreadyExists("COMMAND-d9nlw", "Errors.OIDCSettings.AlreadyExists");
  },
  UpdateOIDCSettings(call: Call, request: Record<string, string>) {
    const present = call.store.get("instance", "instance")!.oidcSettings;
    const names = Object.keys(present);
    if (names.some((name) => request[name] === undefined)) {
      throw invalidArgument("DOUBLE-oidcSettings", "Errors.Invalid.Argument");
    }
    if (names.every((name) => present[name] === request[name])) throw noChanges("COMMAND-8JJ2d");
    const at = event(call, "instance.oidc.settings.changed", { ...request });
    call.store.patch("instance", "instance", { oidcSettings: request });
    return { details: details(call.instance.id, at) };
  },
};

export const trustedDomains: Service = {
  GetInstance(call: Call) {
    call.caller.need("iam.read");
    const { id, createdAt } = seenInstance(call);
    return {
      instance: {
        id,
        name: "ZITADEL",
        version: "v4.13.0",
        state: "STATE_RUNNING",
        creationDate: createdAt,
        changeDate: createdAt,
      },
    };
  },
  AddTrustedDomain(call: Call, { trustedDomain }: { trustedDomain: string }) {
    call.caller.need("iam.write");
    const { trustedDomains } = call.store.get("instance", "instance")!;
    if (trustedDomains[trustedDomain]) {
      throw alreadyExists("COMMAND-hg42a", "Errors.Instance.Domain.AlreadyExists");
    }
    const at = event(call, "instance.trusted_domain.added", { domain: trustedDomain });
    call.store.patch("instance", "instance", {
      trustedDomains: { ...trustedDomains, [trustedDomain]: at },
    });
    return { creationDate: at };
  },
  RemoveTrustedDomain(call: Call, { trustedDomain }: { trustedDomain: string }) {
    call.caller.need("iam.write");
    const { [trustedDomain]: _removed, ...rest } =
      call.store.get("instance", "instance")!.trustedDomains;
    const at = event(call, "instance.trusted_domain.removed", { domain: trustedDomain });
    call.store.patch("instance", "instance", { trustedDomains: rest });
    return { deletionDate: at };
  },
  ListTrustedDomains(call: Call, request: { pagination?: Pagination }) {
    call.caller.need("iam.read");
    const all = Object.entries(seenInstance(call).trustedDomains);
    const { rows, pagination } = page(all, request.pagination);
    return {
      pagination,
      trustedDomain: rows.map(([domain, creationDate]) => ({
        instanceId: call.instance.id,
        domain,
        creationDate,
      })),
    };
  },
};

interface EventSearch {
  sequence?: string;
  limit?: number;
  asc?: boolean;
  editorUserId?: string;
  eventTypes?: string[];
  aggregateId?: string;
  aggregateTypes?: string[];
  resourceOwner?: string;
  range?: { since?: string; until?: string };
  from?: string;
}

export const eventList: Service = {
  async ListEvents({ store }: Call, request: EventSearch) {
    const { limit = 0, asc = false, eventTypes = [], aggregateTypes = [], range, ...rest } =
      request;
    if (limit > 1000) throw invalidArgument("DOUBLE-eventLimit", "Errors.Query.LimitExceeded");
    await store.flush();
    const rows = await store.events.search({
      ...rest,
      since: range?.since,
      until: range?.until,
      asc,
      limit: limit || 100,
      eventTypes,
      aggregateTypes,
    });
    return {
      events: rows.map((row) => ({
        editor: {
          userId: row.editor,
          displayName: store.get("user", row.editor)?.userName ?? row.editor,
          service: "zitadel-double",
        },
        aggregate: {
          id: row.aggregateId,
          type: { type: row.aggregateType, localized: {} },
          resourceOwner: row.resourceOwner,
        },
        sequence: String(row.sequence),
        creationDate: row.createdAt,
        payload: row.payload,
        type: { type: row.type, localized: {} },
      })),
    };
  },
};

export const myOrganization: Service = {
  GetMyOrg({ store, caller }: Call) {
    const row = store.get("organization", caller.organizationId)!;
    return {
      org: {
        id: row.id,
        details: details(row.id, row.changedAt, row.createdAt),
        state: row.state === "active" ? "ORG_STATE_ACTIVE" : "ORG_STATE_INACTIVE",
        name: row.name,
        primaryDomain: row.primaryDomain,
      },
    };
  },
};
