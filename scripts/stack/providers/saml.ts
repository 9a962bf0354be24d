/**
 * A SAML identity provider, such as ADFS: signed assertions with ADFS's claim names, a persistent subject. It knows a service provider
 * by its metadata, which it fetches at the address that the request gives as its issuer, on this machine only.
 */
import { Buffer } from "node:buffer";
import { randomBytes } from "node:crypto";
import { inflateRawSync } from "node:zlib";
import samlify from "samlify";
import { selfSigned } from "../certificate.ts";
import { page, postingPage, signInPage } from "./page.ts";
import { type Person, personOf, uuidOf } from "./people.ts";
import type { Host } from "./server.ts";

const claims = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/";
const attributes = ["upn", "givenname", "surname", "emailaddress"];
const { SamlLib, Constants } = samlify;
// What is signed is what counts; a schema validator takes Java or a native part.
samlify.setSchemaValidator({ validate: () => Promise.resolve("not validated") });

interface Asked {
  sp: ReturnType<typeof samlify.ServiceProvider>;
  requestId: string;
  relayState: string;
}

export function saml(
  entityId: string,
  keys = selfSigned("Played identity provider"),
): { metadata: string; host: Host } {
  const { certificate, privateKey } = keys;
  const idp = samlify.IdentityProvider({
    entityID: entityId,
    privateKey,
    signingCert: certificate,
    isAssertionEncrypted: false,
    nameIDFormat: [Constants.namespace.format.persistent],
    requestSignatureAlgorithm: "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
    singleSignOnService: [
      { Binding: Constants.namespace.binding.redirect, Location: `${entityId}/sso` },
      { Binding: Constants.namespace.binding.post, Location: `${entityId}/sso` },
    ],
    loginResponseTemplate: {
      context: SamlLib.defaultLoginResponseTemplate.context,
      attributes: attributes.map((name) => ({
        name: `${claims}${name}`,
        valueTag: name,
        nameFormat: "urn:oasis:names:tc:SAML:2.0:attrname-format:uri",
        valueXsiType: "xs:string",
      })),
    },
  });
  const metadata = idp.getMetadata();
  const tickets = new Map<string, Asked>();
  const title = "Corporate directory";
  const action = `${entityId}/signin`;

  async function ask(binding: "post" | "redirect", given: URLSearchParams): Promise<Response> {
    const request = given.get("SAMLRequest") ?? "";
    const text = binding === "post"
      ? atob(request)
      : inflateRawSync(Buffer.from(request, "base64")).toString();
    const issuer = /<(?:\w+:)?Issuer[^>]*>([^<]+)</.exec(text)?.[1] ?? "";
    if (!/^http:\/\/127\.0\.0\.1:\d+\//.test(issuer)) return page(title, "<p>Unknown</p>", 400);
    const sp = samlify.ServiceProvider({ metadata: await (await fetch(issuer)).text() });
    const parsed = await idp.parseLoginRequest(sp, binding, {
      query: Object.fromEntries(given),
      body: Object.fromEntries(given),
    });
    const ticket = randomBytes(16).toString("base64url");
    tickets.set(ticket, {
      sp,
      requestId: (parsed.extract as { request: { id: string } }).request.id,
      relayState: given.get("RelayState") ?? "",
    });
    return signInPage(title, action, ticket);
  }

  async function signIn(form: URLSearchParams): Promise<Response> {
    const ticket = form.get("ticket") ?? "";
    const asked = tickets.get(ticket);
    if (!asked) return page(title, "<p>Begin again</p>", 400);
    const person = personOf(form.get("username") ?? "", form.get("password") ?? "");
    if (!person) return signInPage(title, action, ticket, true);
    tickets.delete(ticket);
    const values = await valuesOf(asked, person, entityId);
    const { context, entityEndpoint } = await idp.createLoginResponse(
      asked.sp,
      { extract: { request: { id: asked.requestId } } },
      "post",
      { email: person.email },
      (template: string) => ({
        id: values.ID!,
        context: SamlLib.replaceTagsByValue(template, values),
      }),
    ) as { context: string; entityEndpoint: string };
    return postingPage(entityEndpoint, { SAMLResponse: context, RelayState: asked.relayState });
  }

  return {
    metadata,
    host: async (exchange) => {
      if (exchange.path === "/metadata") {
        return new Response(metadata, {
          headers: { "content-type": "application/samlmetadata+xml" },
        });
      }
      if (exchange.path === "/sso") {
        return exchange.method === "POST"
          ? await ask("post", await exchange.form())
          : await ask("redirect", exchange.query);
      }
      return exchange.path === "/signin" ? await signIn(await exchange.form()) : null;
    },
  };
}

async function valuesOf(
  { sp, requestId }: Asked,
  person: Person,
  issuer: string,
): Promise<Record<string, string>> {
  const now = Date.now();
  const at = (ms: number) => new Date(now + ms).toISOString();
  const acs = sp.entityMeta.getAssertionConsumerService("post") as string;
  const id = () => `_${crypto.randomUUID()}`;
  return {
    ID: id(),
    AssertionID: id(),
    Destination: acs,
    Audience: sp.entityMeta.getEntityID(),
    EntityID: sp.entityMeta.getEntityID(),
    SubjectRecipient: acs,
    AssertionConsumerServiceURL: acs,
    Issuer: issuer,
    IssueInstant: at(0),
    StatusCode: Constants.StatusCode.Success,
    ConditionsNotBefore: at(-5_000),
    ConditionsNotOnOrAfter: at(300_000),
    SubjectConfirmationDataNotOnOrAfter: at(300_000),
    NameIDFormat: Constants.namespace.format.persistent,
    NameID: await uuidOf("saml", person.key),
    InResponseTo: requestId,
    AuthnStatement: "",
    attrUpn: `${person.key}@acme.corp`,
    attrGivenname: person.givenName,
    attrSurname: person.familyName,
    attrEmailaddress: person.email,
  };
}
