// Which providers an organization's login policy lets people sign in by.
import { alreadyExists, invalidArgument, notFound } from "../errors.ts";
import { type Call, details, page, type Pagination, type Service } from "../service.ts";
import { removeLinksOf } from "./idp_links.ts";
import { policyOf } from "./policies.ts";

export const managementPolicyIdps: Service = {
  ListLoginPolicyIDPs({ store, caller }: Call, request: { query?: Pagination }) {
    const { rows, total } = page(active(store, caller.organizationId), request.query);
    return {
      details: { totalResult: total, viewTimestamp: store.now() },
      result: rows.map(({ id, name, type }) => ({
        idpId: id,
        idpName: name,
        idpType: type === "OIDC" ? "IDP_TYPE_OIDC" : "IDP_TYPE_UNSPECIFIED",
      })),
    };
  },

  AddIDPToLoginPolicy({ store, caller }: Call, { idpId }: { idpId: string }) {
    const owner = caller.organizationId;
    if (!store.get("policy", `${owner}/login`)) {
      throw notFound("Org-GVDfe", "Errors.Org.LoginPolicy.NotFound");
    }
    if (store.get("idp", idpId)?.organizationId !== owner) {
      throw invalidArgument("Org-3N9fs", "Errors.IDPConfig.NotExisting");
    }
    const id = `${owner}/${idpId}`;
    if (store.get("login_policy_idp", id)) {
      throw alreadyExists("Org-2B0ps", "Errors.Org.LoginPolicy.IDP.AlreadyExists");
    }
    store.put("login_policy_idp", id, { id, idpId });
    return { details: details(owner, policyEvent({ store, caller }, "added", idpId)) };
  },

  RemoveIDPFromLoginPolicy({ store, caller }: Call, { idpId }: { idpId: string }) {
    const owner = caller.organizationId;
    const id = `${owner}/${idpId}`;
    if (!store.get("login_policy_idp", id)) {
      throw notFound("ORG-39fjs", "Errors.Org.LoginPolicy.IDP.NotExisting");
    }
    store.remove("login_policy_idp", id);
    removeLinksOf(store, caller.userId, { idpId }); // [S] internal/api/grpc/management/policy_login.go
    return { details: details(owner, policyEvent({ store, caller }, "removed", idpId)) };
  },
};

export const activeIdps: Service = {
  /** Only what the policy allows as a whole: without allowExternalIdp there is none. */
  GetActiveIdentityProviders(
    { store, caller }: Call,
    { ctx }: { ctx?: { orgId?: string; instance?: boolean } },
  ) {
    const owner = ctx?.orgId ?? caller.organizationId;
    const allowed = policyOf(store, owner, "login", true).values.allowExternalIdp === true;
    const found = allowed && !ctx?.instance ? active(store, owner) : [];
    return {
      details: { totalResult: String(found.length), timestamp: store.now() },
      identityProviders: found.map(({ id, name, type, options }) => ({
        id,
        name,
        type: `IDENTITY_PROVIDER_TYPE_${type}`,
        options,
      })),
    };
  },
};

function active(store: Call["store"], owner: string) {
  return store.seenAll("login_policy_idp")
    .filter(({ id }) => id.startsWith(`${owner}/`))
    .flatMap(({ idpId }) => store.seen("idp", idpId) ?? []);
}

function policyEvent(
  { store, caller }: Pick<Call, "store" | "caller">,
  verb: "added" | "removed",
  idpId: string,
): string {
  return store.push(caller.userId, [{
    aggregateType: "org",
    aggregateId: caller.organizationId,
    type: `org.policy.login.idpprovider.${verb}`,
    resourceOwner: caller.organizationId,
    payload: { idpConfigId: idpId },
  }]);
}
