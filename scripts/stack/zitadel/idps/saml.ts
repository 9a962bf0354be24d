/**
 * A SAML service provider: requests by POST or redirect, responses by POST. ZITADEL reads the subject and hands the attributes on as
 * they are. [S] internal/idp/providers/saml
 */
import { SAML, ValidateInResponseTo } from "@node-saml/node-saml";
import samlify from "samlify";
import { ApiError, invalidArgument } from "../errors.ts";
import type { ExternalPerson, Idp } from "../model_idps.ts";
import type { Begun } from "./begin.ts";
import type { Idps } from "./reach.ts";

interface SamlFields {
  metadataXml?: string;
  binding?: string;
  withSignedRequest?: boolean;
  nameIdFormat?: string;
  transientMappingAttributeName?: string;
}

const formats: Record<string, string> = {
  EMAIL_ADDRESS: "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress",
  PERSISTENT: "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent",
  TRANSIENT: "urn:oasis:names:tc:SAML:2.0:nameid-format:transient",
  UNSPECIFIED: "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified",
};

const root = ({ issuer }: Idps, idp: Idp) => `${issuer}/idps/${idp.id}/saml`;

/** `requestId`: of the request that is made, or that a response must answer. */
function serviceProvider(idps: Idps, idp: Idp, requestId: string): SAML {
  const fields = idp.fields as SamlFields;
  const { entityMeta } = samlify.IdentityProvider({ metadata: atob(fields.metadataXml ?? "") });
  const binding = fields.binding === "SAML_BINDING_REDIRECT" ? "redirect" : "post";
  const certificate = entityMeta.getX509Certificate("signing") as string | string[];
  const format = (fields.nameIdFormat ?? "").replace("SAML_NAME_ID_FORMAT_", "");
  return new SAML({
    entryPoint: entityMeta.getSingleSignOnService(binding) as string,
    issuer: `${root(idps, idp)}/metadata`,
    callbackUrl: `${root(idps, idp)}/acs`,
    idpCert: certificate,
    idpIssuer: entityMeta.getEntityID(),
    audience: `${root(idps, idp)}/metadata`,
    identifierFormat: formats[format] ?? formats.PERSISTENT!,
    wantAssertionsSigned: true,
    wantAuthnResponseSigned: false, // an assertion's signature is enough, as for crewjam/saml
    disableRequestedAuthnContext: true,
    authnRequestBinding: binding === "post" ? "HTTP-POST" : "HTTP-Redirect",
    skipRequestCompression: binding === "post", // only the redirect binding deflates
    signatureAlgorithm: "sha256",
    ...(fields.withSignedRequest ? { privateKey: idp.keys!.privateKey } : {}),
    generateUniqueId: () => requestId,
    validateInResponseTo: ValidateInResponseTo.always,
    cacheProvider: {
      saveAsync: (_key, value) => Promise.resolve({ value, createdAt: Date.now() }),
      getAsync: (key) => Promise.resolve(key === requestId ? new Date().toISOString() : null),
      removeAsync: (key) => Promise.resolve(key),
    },
  });
}

export async function samlRequest(idps: Idps, idp: Idp, relayState: string): Promise<Begun> {
  const requestId = `id-${crypto.randomUUID()}`;
  const saml = serviceProvider(idps, idp, requestId);
  const parameters = { requestId };
  if ((idp.fields as SamlFields).binding === "SAML_BINDING_REDIRECT") {
    const authUrl = await saml.getAuthorizeUrlAsync(relayState, undefined, {});
    return { step: { authUrl }, parameters };
  }
  const fields = await saml.getAuthorizeMessageAsync(relayState);
  return {
    step: {
      formData: {
        url: saml.options.entryPoint!,
        fields: { SAMLRequest: String(fields.SAMLRequest), RelayState: relayState },
      },
    },
    parameters,
  };
}

/** @throws ApiError SAML-ajl3irfs: not signed by the provider, not for us, not now, or no answer to our request */
export async function personOfResponse(
  idps: Idps,
  idp: Idp,
  requestId: string,
  response: string,
): Promise<ExternalPerson> {
  let profile;
  try {
    const answer = await serviceProvider(idps, idp, requestId).validatePostResponseAsync({
      SAMLResponse: response,
    });
    profile = answer.profile;
  } catch (cause) {
    throw refusedResponse(cause);
  }
  if (!profile) throw refusedResponse("no assertion");
  const attributes = Object.fromEntries(
    Object.entries((profile.attributes ?? {}) as Record<string, unknown>).map((
      [name, value],
    ) => [name, (Array.isArray(value) ? value : [value]).map(String)]),
  );
  const id = profile.nameIDFormat === formats.TRANSIENT
    ? mapped(attributes, idp.fields as SamlFields)
    : profile.nameID;
  return {
    id,
    userName: "",
    human: { givenName: "", familyName: "", email: "", emailVerified: false },
    raw: { id, attributes },
    access: { saml: { assertion: btoa(profile.getAssertionXml?.() ?? "") } },
  };
}

/** A transient subject is new each time: an attribute says who it is. */
function mapped(attributes: Record<string, string[]>, fields: SamlFields): string {
  const values = attributes[fields.transientMappingAttributeName ?? ""] ?? [];
  if (values.length !== 1) {
    throw invalidArgument("SAML-swwg2", "Errors.Intent.MissingSingleMappingAttribute");
  }
  return values[0]!;
}

function refusedResponse(cause: unknown): ApiError {
  const error = invalidArgument("SAML-ajl3irfs", "Errors.Intent.ResponseInvalid");
  error.cause = cause;
  return error;
}

/** What is handed to the provider's administrator. */
export function spMetadata(idps: Idps, idp: Idp): string {
  return serviceProvider(idps, idp, "").generateServiceProviderMetadata(
    null,
    idp.keys!.certificate,
  );
}
