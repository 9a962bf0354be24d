// v1 Management: providers of an organization, as templates. Names are not unique, adding twice makes two. [S] internal/command/org_idp.go
import { selfSigned } from "../../certificate.ts";
import { failedPrecondition, invalidArgument, notFound } from "../errors.ts";
import type { Idp } from "../model_idps.ts";
import { type Call, details, matches, page, type Pagination, type Service } from "../service.ts";
import { removeLinksOf } from "./idp_links.ts";

type Fields = Record<string, unknown>;
type Request = Fields & { id?: string; name?: string; providerOptions?: Fields };
interface Query {
  idpIdQuery?: { id?: string };
  idpNameQuery?: { name?: string; method?: string };
  ownerTypeQuery?: { ownerType?: string };
}

interface Kind {
  type: string;
  member: string;
  /** The event's word for it. */
  event: string;
  secret?: string;
}
const kinds: Record<string, Kind> = {
  Google: { type: "GOOGLE", member: "google", event: "google", secret: "clientSecret" },
  GitHub: { type: "GITHUB", member: "github", event: "github", secret: "clientSecret" },
  GitHubEnterpriseServer: {
    type: "GITHUB_ES",
    member: "githubEs",
    event: "github_es",
    secret: "clientSecret",
  },
  AzureAD: { type: "AZURE_AD", member: "azureAd", event: "azure", secret: "clientSecret" },
  GenericOIDC: { type: "OIDC", member: "oidc", event: "oidc", secret: "clientSecret" },
  SAML: { type: "SAML", member: "saml", event: "saml" },
  LDAP: { type: "LDAP", member: "ldap", event: "ldap.v2", secret: "bindPassword" },
};

function write({ store, caller }: Call, kind: Kind, request: Request) {
  const { id: asked, name = "", providerOptions = {}, ...rest } = request;
  const known = asked === undefined ? undefined : own(store, caller.organizationId, asked);
  const secret = kind.secret === undefined ? undefined : rest[kind.secret] as string | undefined;
  if (kind.secret) delete rest[kind.secret];
  if (kind.type === "SAML") checkSaml(rest);
  const id = known?.id ?? store.newId();
  const kept = secret ?? known?.secret; // an empty one keeps the one before
  const idp: Omit<Idp, "createdAt" | "changedAt"> = {
    id,
    organizationId: caller.organizationId,
    name,
    type: kind.type,
    member: kind.member,
    fields: rest,
    options: providerOptions,
    ...(kept ? { secret: kept } : {}),
    ...(kind.type === "SAML" ? { keys: known?.keys ?? selfSigned("ZITADEL double") } : {}),
  };
  const { createdAt: _created, changedAt: _changed, ...before } = known ?? {} as Idp;
  if (known && JSON.stringify(idp) === JSON.stringify(before)) {
    return { at: known.changedAt, id, organizationId: idp.organizationId }; // no change is success, without an event
  }
  const at = store.push(caller.userId, [{
    aggregateType: "org",
    aggregateId: caller.organizationId,
    type: `org.idp.${kind.event}.${known ? "changed" : "added"}`,
    resourceOwner: caller.organizationId,
    payload: { id, name },
  }]);
  store.put("idp", id, { ...idp, createdAt: known?.createdAt ?? at, changedAt: at });
  return { at, id, organizationId: idp.organizationId };
}

/** ZITADEL fetches `metadataUrl` when the provider is saved, and keeps the XML; ours gives the XML, so the double asks for it. */
function checkSaml(fields: Fields): void {
  if (typeof fields.metadataXml !== "string") {
    throw invalidArgument("SAML-DOUBLEmetadata", "Errors.Project.App.SAMLMetadataMissing");
  }
  if (!/EntityDescriptor/.test(atob(fields.metadataXml))) {
    throw invalidArgument("SAML-DOUBLEmetadata", "Errors.Project.App.SAMLMetadataFormat");
  }
}

function own(store: Call["store"], organizationId: string, id: string): Idp {
  const idp = store.get("idp", id);
  if (idp?.organizationId !== organizationId) {
    throw notFound("ORG-DOUBLEidp", "Errors.Org.IDPConfig.NotExisting");
  }
  return idp;
}

const writing: Service = Object.fromEntries(
  Object.entries(kinds).flatMap(([name, kind]) => [
    [`Add${name}Provider`, (call: Call, request: Request) => {
      const { at, id, organizationId } = write(call, kind, request);
      return { id, details: details(organizationId, at) };
    }],
    [`Update${name}Provider`, (call: Call, request: Request) => {
      const { at, organizationId } = write(call, kind, request);
      return { details: details(organizationId, at) };
    }],
  ]),
);

export const managementIdps: Service = {
  ...writing,

  ListProviders({ store, caller }: Call, request: { query?: Pagination; queries?: Query[] }) {
    const found = store.seenAll("idp").filter((idp) =>
      idp.organizationId === caller.organizationId &&
      (request.queries ?? []).every((query) => fits(idp, query))
    );
    const { rows, total } = page(found, request.query);
    return {
      details: { totalResult: total, viewTimestamp: store.now() },
      result: rows.map(asProvider),
    };
  },

  GetProviderByID({ store, caller }: Call, { id }: { id: string }) {
    const idp = store.seen("idp", id);
    if (idp?.organizationId !== caller.organizationId) {
      throw notFound("QUERY-SAFrt", "Errors.IDPConfig.NotExisting");
    }
    return { idp: asProvider(idp) };
  },

  DeleteProvider({ store, caller }: Call, { id }: { id: string }) {
    const idp = own(store, caller.organizationId, id);
    removeLinksOf(store, caller.userId, { idpId: id });
    for (const link of store.all("login_policy_idp")) {
      if (link.idpId === id) store.remove("login_policy_idp", link.id);
    }
    store.remove("idp", id);
    const at = store.push(caller.userId, [{
      aggregateType: "org",
      aggregateId: idp.organizationId,
      type: "org.idp.removed",
      resourceOwner: idp.organizationId,
      payload: { id },
    }]);
    return { details: details(idp.organizationId, at) };
  },
};

/** zitadel.idp.v2: the one way to read a provider without the manager's API. */
export const idpReader: Service = {
  GetIDPByID({ store, caller }: Call, { id }: { id: string }) {
    const idp = store.seen("idp", id);
    if (!idp) throw notFound("QUERY-SAFrt", "Errors.IDPConfig.NotExisting");
    caller.need("org.idp.read", { organizationId: idp.organizationId });
    const { usePkce: _unknownHere, ...config } = shown(idp); // v4.13's v2 message has no such field
    return {
      idp: {
        id,
        details: details(idp.organizationId, idp.changedAt, idp.createdAt),
        state: "IDP_STATE_ACTIVE",
        name: idp.name,
        type: `IDP_TYPE_${idp.type}`,
        config: { options: idp.options, [idp.member]: config },
      },
    };
  },
};

function fits(idp: Idp, query: Query): boolean {
  if (query.idpIdQuery) return idp.id === query.idpIdQuery.id;
  if (query.idpNameQuery) {
    return matches(idp.name, query.idpNameQuery.name ?? "", query.idpNameQuery.method);
  }
  return query.ownerTypeQuery?.ownerType !== "IDP_OWNER_TYPE_SYSTEM";
}

const asProvider = (idp: Idp) => ({
  id: idp.id,
  details: details(idp.organizationId, idp.changedAt, idp.createdAt),
  state: "IDP_STATE_ACTIVE",
  name: idp.name,
  owner: "IDP_OWNER_TYPE_ORG",
  type: `PROVIDER_TYPE_${idp.type}`,
  config: { options: idp.options, [idp.member]: shown(idp) },
});

/** What a provider was given, without its secret; requests and answers name their fields alike. */
const shown = ({ fields }: Idp) => fields;

/** @throws COMMAND-39n221fs */
export function needIdp(store: Call["store"], id: string): Idp {
  const idp = store.get("idp", id);
  if (!idp) throw failedPrecondition("COMMAND-39n221fs", "Errors.IDPConfig.NotExisting");
  return idp;
}
