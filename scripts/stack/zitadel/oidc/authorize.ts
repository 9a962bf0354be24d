// /oauth/v2/authorize: oidc-provider judges the request, ZITADEL's auth request is made of it, the browser goes to the sign-in page.
import type { AuthRequest } from "../model.ts";
import { applicationOf, event } from "../services/oidc.ts";
import type { Store } from "../store.ts";
import type { Context } from "./library.ts";

/** Parameters that the library would treat in its own way ride along under these names. */
const aside = { scope: "zitadel_scope", prompt: "zitadel_prompt", max_age: "zitadel_max_age" };
export const extraParameters = [...Object.values(aside), "zitadel_hint"];

/** The library is asked for a plain new sign-in; what was really asked for is ZITADEL's and the sign-in page's business. */
export function setAside(url: URL): string {
  const query = new URLSearchParams(url.search);
  const prompts = words(query.get("prompt"));
  if (prompts.includes("none") && prompts.length > 1) return `${url.pathname}?${query}`; // refused by the library
  for (const [name, kept] of Object.entries(aside)) {
    const value = query.get(name);
    if (value !== null) query.set(kept, value);
    query.delete(name);
  }
  const hint = query.get("id_token_hint");
  if (hint !== null) query.set("zitadel_hint", hint);
  query.delete("id_token_hint");
  const scopes = (url.searchParams.get("scope") ?? "").split(" ");
  query.set("scope", scopes.includes("openid") ? "openid" : "");
  query.set("prompt", "login");
  return `${url.pathname}?${query}`;
}

const words = (text: string | null | undefined) => (text ?? "").split(" ").filter(Boolean);

type Parameters = Record<string, string | undefined>;

/** Makes the auth request and answers the sign-in page's address. */
export async function toSignIn(
  store: Store,
  context: Context,
  parameters: Parameters,
): Promise<string> {
  const instance = store.get("instance", "instance")!;
  const application = applicationOf(store, parameters.client_id ?? "")!;
  const id = `V2_${store.newId()}`;
  const { required, baseUri } = instance.loginV2;
  const hintUserId = subjectOf(parameters.zitadel_hint);
  const loginClient = context.get("x-zitadel-login-client");
  // Who names a login client gets ZITADEL's newer auth request, whatever instance and application say.
  if (!loginClient && !required && application.oidc.loginVersion?.loginV1) {
    return `/ui/login/login?authRequestID=${store.newId()}`;
  }
  const prompt = words(parameters.zitadel_prompt);
  // [S] zitadel/oidc op.ValidateAuthReqPrompt: a login that is asked for must be fresh
  const maxAge = prompt.includes("login") ? "0" : parameters.zitadel_max_age;
  const request: Omit<AuthRequest, "createdAt" | "changedAt"> = {
    id,
    state: "added",
    clientId: application.clientId,
    scope: words(parameters.zitadel_scope),
    redirectUri: parameters.redirect_uri!,
    ...(parameters.state ? { responseState: parameters.state } : {}),
    ...(parameters.nonce ? { nonce: parameters.nonce } : {}),
    prompt,
    uiLocales: words(parameters.ui_locales),
    ...(parameters.login_hint ? { loginHint: parameters.login_hint } : {}),
    ...(hintUserId ? { hintUserId } : {}),
    ...(maxAge ? { maxAge: Number(maxAge) } : {}),
    ...(parameters.code_challenge ? { codeChallenge: parameters.code_challenge } : {}),
    loginClient,
  };
  const at = store.push(loginClient || "LOGIN", [event(instance.id, id, "auth_request.added", {
    login_client: loginClient,
    client_id: request.clientId,
    redirect_uri: request.redirectUri,
    scope: request.scope,
    ...(request.codeChallenge
      ? { code_challenge: { Challenge: request.codeChallenge, Method: 1 } }
      : {}),
  })]);
  store.put("auth_request", id, { ...request, createdAt: at, changedAt: at });
  await store.flush();
  // While the instance demands Login V2 its address wins and an application's own is not looked at.
  const base = required ? baseUri : application.oidc.loginVersion?.loginV2?.baseUri ?? baseUri;
  return base
    ? `${base.replace(/\/+$/, "")}/login?authRequest=${id}`
    : `/ui/v2/login/login?authRequest=${id}`;
}

/** Unverified, as a hint is. */
function subjectOf(token: string | undefined): string | undefined {
  try {
    return JSON.parse(atob((token ?? "").split(".")[1]!.replaceAll("-", "+").replaceAll("_", "/")))
      .sub;
  } catch {
    return undefined;
  }
}
