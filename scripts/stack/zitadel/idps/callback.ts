// Where browsers come back from providers: /idps/callback, /idps/{id}/saml/acs, and SAML's metadata. [S] internal/api/idp/idp.go
import { ApiError } from "../errors.ts";
import type { ExternalPerson, Idp, Intent } from "../model_idps.ts";
import type { Answer } from "../oidc/endpoints.ts";
import { fail, succeed } from "../services/intents.ts";
import type { Store } from "../store.ts";
import { personOfCode } from "./oauth.ts";
import type { Idps } from "./reach.ts";
import { personOfResponse, spMetadata } from "./saml.ts";

/** `form`: of the query or of a form that was posted. */
export async function answerIdps(
  store: Store,
  idps: Idps,
  path: string,
  form: URLSearchParams,
): Promise<Answer> {
  const saml = /^\/idps\/(\d+)\/saml\/(metadata|acs|certificate)$/.exec(path);
  if (path === "/idps/callback") return await callback(store, idps, form);
  const idp = saml ? store.get("idp", saml[1]!) : undefined;
  if (!saml || !idp) return refused("Errors.IDPConfig.NotExisting");
  if (idp.type !== "SAML") return refused("Errors.Intent.IDPInvalid (SAML-ui9wyux0hp)");
  if (saml[2] === "certificate") return { status: 200, body: idp.keys!.certificate };
  if (saml[2] === "metadata") {
    return {
      status: 200,
      headers: { "content-type": "application/samlmetadata+xml" },
      body: spMetadata(idps, idp),
    };
  }
  return await comeBack(store, idps, form.get("RelayState") ?? "", (intent) => {
    // A response that answers another provider's intent is none of this one's.
    if (intent.idpId !== idp.id) throw new Error("Errors.Intent.IDPInvalid");
    return personOfResponse(
      idps,
      idp,
      intent.parameters.requestId ?? "",
      form.get("SAMLResponse") ?? "",
    );
  });
}

async function callback(store: Store, idps: Idps, form: URLSearchParams): Promise<Answer> {
  const state = form.get("state") ?? "";
  if (state === "") return refused("Errors.Intent.StateMissing (IDP-Hk38e)");
  return await comeBack(store, idps, state, async (intent, idp) => {
    const error = form.get("error");
    if (error) throw new Said(error, form.get("error_description") ?? "");
    return await personOfCode(idps, idp, intent, form.get("code") ?? "");
  });
}

/** What the provider itself answered. */
class Said extends Error {
  constructor(readonly error: string, readonly description: string) {
    super(error);
  }
}

async function comeBack(
  store: Store,
  idps: Idps,
  id: string,
  personOf: (intent: Intent, idp: Idp) => Promise<ExternalPerson>,
): Promise<Answer> {
  const intent = store.get("intent", id);
  if (!intent) return refused("Errors.Intent.NotStarted (IDP-gy3ctgkqe7)");
  if (intent.state !== "started") {
    return failure(intent, "IDP-Sfrgs", "Errors.Intent.NotStarted");
  }
  try {
    const idp = store.get("idp", intent.idpId);
    if (!idp) throw new Error("Errors.IDPConfig.NotExisting");
    const person = await personOf(intent, idp);
    if (store.get("intent", id)!.state !== "started") throw new Error("Errors.Intent.NotStarted");
    const { token, userId } = succeed(store, idps, id, person);
    const url = new URL(intent.successUrl);
    url.searchParams.set("id", id);
    url.searchParams.set("token", token);
    if (userId) url.searchParams.set("user", userId);
    return redirect(url);
  } catch (error) {
    if (store.get("intent", id)!.state === "started") fail(store, id, (error as Error).message);
    if (error instanceof Said) return failure(intent, error.error, error.description);
    if (error instanceof ApiError) return failure(intent, error.id ?? error.code, error.key);
    return failure(intent, (error as Error).message, "");
  } finally {
    await store.flush();
  }
}

function failure(intent: Intent, error: string, description: string): Answer {
  if (intent.failureUrl === "") return refused(error);
  const url = new URL(intent.failureUrl);
  url.searchParams.set("id", intent.id);
  url.searchParams.set("error", error);
  url.searchParams.set("error_description", description);
  return redirect(url);
}

const redirect = (url: URL): Answer => ({ status: 302, headers: { location: url.href } });
const refused = (body: string): Answer => ({ status: 400, body });
