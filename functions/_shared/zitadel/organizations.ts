import type { Wire } from "./call.ts";
import { anyChanged, awaited, orNull, updated, written } from "./ensure.ts";
import { isZitadelError, ZitadelError } from "./errors.ts";
import type { Organization, Provisioner } from "./types.ts";

const service = "zitadel.org.v2.OrganizationService";

interface Listed {
  result?: { id: string; name: string; state?: string; primaryDomain?: string }[];
}
interface DomainPolicy {
  isDefault?: boolean;
  userLoginMustBeDomain?: boolean;
  validateOrgDomains?: boolean;
  smtpSenderAddressMatchesInstanceDomain?: boolean;
}

export function organizations(wire: Wire) {
  async function search(query: object): Promise<Organization | null> {
    const { result } = await wire.connect<Listed>(service, "ListOrganizations", {
      query: { limit: 1 },
      queries: [query],
    });
    const found = result?.[0];
    return found === undefined ? null : {
      id: found.id,
      name: found.name,
      state: found.state === "ORGANIZATION_STATE_INACTIVE" ? "inactive" : "active",
      primaryDomain: found.primaryDomain ?? "",
    };
  }
  const byId = (id: string) => search({ idQuery: { id } });

  async function add(id: string, name: string): Promise<boolean> {
    try {
      await wire.connect(service, "AddOrganization", { name, organizationId: id });
      return true;
    } catch (error) {
      if (!isZitadelError(error, "already_exists")) throw error;
      // The id is taken: by us, in a run whose write our read did not see yet. The name: by us, or by somebody else.
      if (error.id === "V3-DKcYh") {
        const holder = await search({ nameQuery: { name, method: "TEXT_QUERY_METHOD_EQUALS" } });
        if (holder !== null && holder.id !== id) throw error;
      }
      if (!await awaited(() => byId(id))) throw error;
      return false;
    }
  }

  async function setMetadata(orgId: string, asked: Record<string, string>): Promise<boolean> {
    if (Object.keys(asked).length === 0) return false;
    const { metadata = [] } = await wire.connect<{ metadata?: { key: string; value?: string }[] }>(
      service,
      "ListOrganizationMetadata",
      { organizationId: orgId, pagination: { limit: 1000 } },
      { settle: true },
    );
    const known = new Map(metadata.map(({ key, value }) => [key, value ?? ""]));
    const missing = Object.entries(asked)
      .map(([key, value]) => ({ key, value: base64(value) }))
      .filter(({ key, value }) => known.get(key) !== value);
    if (missing.length === 0) return false;
    await wire.connect(service, "SetOrganizationMetadata", {
      organizationId: orgId,
      metadata: missing,
    });
    return true;
  }

  async function customDomainPolicy(orgId: string): Promise<DomainPolicy & { own: boolean }> {
    const { policy = {}, isDefault } = await wire.rest<
      { policy?: DomainPolicy; isDefault?: boolean }
    >("GET", `/admin/v1/orgs/${encodeURIComponent(orgId)}/policies/domain`, undefined, {
      settle: true,
    });
    return { ...policy, own: !(isDefault ?? policy.isDefault ?? false) };
  }

  return {
    getOrganization: byId,

    async getDefaultOrganization() {
      const found = await search({ defaultQuery: {} });
      if (found) return found;
      throw new ZitadelError({ code: "not_found", message: "ZITADEL has no default organization" });
    },

    async ensureOrganization({ id, name, metadata = {} }) {
      const found = await byId(id);
      const changes = [found === null && await add(id, name)];
      if (found !== null && found.name !== name) {
        changes.push(
          await updated(
            wire.connect(service, "UpdateOrganization", { organizationId: id, name }),
            async () => (await byId(id))?.name === name,
          ),
        );
      }
      changes.push(await setMetadata(id, metadata));
      return anyChanged(id, changes);
    },

    async ensureDomainPolicy(orgId, { userLoginMustBeDomain }) {
      const path = `/admin/v1/orgs/${encodeURIComponent(orgId)}/policies/domain`;
      const {
        own,
        validateOrgDomains = false,
        smtpSenderAddressMatchesInstanceDomain = false,
        ...found
      } = await customDomainPolicy(orgId);
      if ((found.userLoginMustBeDomain ?? false) === userLoginMustBeDomain) {
        return { id: orgId, changed: false };
      }
      const asAsked = async () =>
        ((await customDomainPolicy(orgId)).userLoginMustBeDomain ?? false) ===
          userLoginMustBeDomain;
      const body = {
        userLoginMustBeDomain,
        validateOrgDomains,
        smtpSenderAddressMatchesInstanceDomain,
      };
      const changed = own
        ? await updated(wire.rest("PUT", path, body), asAsked)
        : await written(wire.rest("POST", path, body), "already_exists");
      return { id: orgId, changed };
    },

    async ensureOrganizationState(orgId, state) {
      const asAsked = async () => (await byId(orgId))?.state === state;
      if (await asAsked()) return { id: orgId, changed: false };
      const method = state === "active" ? "ActivateOrganization" : "DeactivateOrganization";
      const changed = await updated(
        wire.connect(service, method, { organizationId: orgId }),
        asAsked,
      );
      return { id: orgId, changed };
    },

    async removeOrganization(orgId) {
      await orNull(wire.connect(service, "DeleteOrganization", { organizationId: orgId }));
    },
  } satisfies Partial<Provisioner>;
}

const base64 = (text: string) =>
  btoa(Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte)).join(""));
