// Which of its providers an organization lets people sign in by.
import type { Wire } from "./call.ts";
import { orNull, written } from "./ensure.ts";
import type { ProviderCalls } from "./types.ts";

const path = "/management/v1/policies/login";

interface LoginPolicy {
  isDefault?: boolean;
  details?: unknown;
  idps?: unknown;
  allowExternalIdp?: boolean;
  secondFactors?: string[];
  multiFactors?: string[];
  [field: string]: unknown;
}

export function loginPolicyProviders(wire: Wire) {
  /** A policy of the organization's own starts from what is sent, not from the instance's: every field is sent, lifetimes too. */
  async function ensureOwnPolicy(orgId: string): Promise<boolean> {
    const { policy = {}, isDefault } = await wire.rest<
      { policy?: LoginPolicy; isDefault?: boolean }
    >("GET", path, undefined, { orgId, settle: true });
    const { details: _details, isDefault: marked, idps: _idps, ...fields } = policy;
    if (isDefault ?? marked ?? false) {
      return await written(
        wire.rest("POST", path, { ...fields, allowExternalIdp: true }, { orgId }),
        "already_exists",
        "Org-Dgfb2",
      );
    }
    if (fields.allowExternalIdp) return false;
    const { secondFactors: _second, multiFactors: _multi, ...changeable } = fields; // these have calls of their own
    return await written(
      wire.rest("PUT", path, { ...changeable, allowExternalIdp: true }, { orgId }),
      "failed_precondition", // it is so already, and our read was older
    );
  }

  async function isActive(orgId: string, idpId: string): Promise<boolean> {
    const { result = [] } = await wire.rest<{ result?: { idpId?: string }[] }>(
      "POST",
      `${path}/idps/_search`,
      { query: { limit: 1000 } },
      { orgId },
    );
    return result.some((link) => link.idpId === idpId);
  }

  return {
    async ensureProviderActive(orgId, idpId) {
      const own = await ensureOwnPolicy(orgId);
      if (await isActive(orgId, idpId)) return { id: idpId, changed: own };
      const added = await written(
        wire.rest("POST", `${path}/idps`, { idpId, ownerType: "IDP_OWNER_TYPE_ORG" }, { orgId }),
        "already_exists",
        "Org-2B0ps",
      );
      return { id: idpId, changed: own || added };
    },

    async deactivateProvider(orgId, idpId) {
      await orNull(wire.rest("DELETE", `${path}/idps/${idpId}`, undefined, { orgId }));
    },
  } satisfies Partial<ProviderCalls>;
}
