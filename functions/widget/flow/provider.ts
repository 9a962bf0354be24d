/** Going to a provider and coming back; a directory is asked on the spot. Who it is then: provider_person.ts. */
import { Problem } from "../../_shared/problem.ts";
import { directoryRefused } from "../../_shared/zitadel/intents.ts";
import type { IntentToken, StartedIntent } from "../../_shared/zitadel/types.ts";
import type { State } from "../contract.ts";
import type { SignInProvider } from "../providers.ts";
import { type Flow, refused } from "./flow.ts";
import type { Handler } from "./handlers.ts";
import type { Home } from "./memory.ts";
import { wayNotAllowed } from "./next.ts";
import { homeOf, knownHome } from "./people.ts";
import { signInByIntent } from "./provider_person.ts";
import { showStart } from "./start.ts";

/** What the widget is told of one. */
export const shown = ({ idpId: id, kind, name }: SignInProvider) => ({ id, kind, name });

/** @throws {Problem} way_not_allowed */
export async function needProvider(
  { parts }: Flow,
  home: Home,
  idpId: string,
): Promise<SignInProvider> {
  const [settings, providers] = await Promise.all([
    parts.zitadel.loginSettings(home.organizationId),
    parts.providers.list(home.tenantId),
  ]);
  const found = providers.find((provider) => provider.idpId === idpId);
  if (settings.allowExternalIdp && found) return found;
  throw wayNotAllowed(false);
}

export const provider: Handler<"provider"> = async (flow, { providerId }): Promise<State> => {
  const home = knownHome(flow);
  if (home === undefined) throw wayNotAllowed(false);
  return await goTo(flow, home, await needProvider(flow, home, providerId));
};

async function goTo(
  flow: Flow,
  home: Home,
  provider: SignInProvider,
  loginHint?: string,
): Promise<State> {
  const { memory, parts } = flow;
  if (provider.kind === "ldap") {
    memory.pending = { kind: "ldap", idpId: provider.idpId, home };
    return { screen: "ldap", provider: shown(provider) };
  }
  // The way back leads to our page, where an inline flow's memory is not.
  if (memory.mode === "inline") throw wayNotAllowed(false);
  const ticket = crypto.randomUUID();
  const back = new URL(`${parts.publicUrl}/functions/v1/widget/return`);
  back.search = new URLSearchParams({ flow: memory.ref, ticket }).toString();
  const started = await parts.intents.startIntent({
    idpId: provider.idpId,
    urls: {
      successUrl: back.href,
      failureUrl: back.href,
      ...(loginHint === undefined ? {} : { loginHint }),
    },
  });
  memory.external = { idpId: provider.idpId, ticket, home };
  return external(started);
}

function external(started: StartedIntent): State {
  if ("authUrl" in started) return { screen: "external", url: started.authUrl };
  if ("formPost" in started) return { screen: "external", ...started.formPost };
  throw new Problem("internal", "ZITADEL asked a directory where it was to send the browser");
}

/** A name with a domain leads to the provider of that domain; any other, known or not, to the first screen. */
export const discover: Handler<"discover"> = async (flow, { loginName }): Promise<State> => {
  const domain = loginName.toLowerCase().split("@").at(-1)!;
  const home = await homeOf(flow, loginName).catch((error) => {
    if (error instanceof Problem && error.slug === "credentials_refused") return undefined;
    throw error;
  });
  if (home && loginName.includes("@")) {
    const { allowExternalIdp } = await flow.parts.zitadel.loginSettings(home.organizationId);
    const providers = allowExternalIdp ? await flow.parts.providers.list(home.tenantId) : [];
    const found = providers.find(({ trustedDomains }) => trustedDomains.includes(domain));
    if (found && !(flow.memory.mode === "inline" && found.kind !== "ldap")) {
      return await goTo(flow, home, found, loginName);
    }
  }
  return await showStart(flow, loginName);
};

/** On the screen `ldap`. */
export const ldap: Handler<"ldap"> = async (flow, { username, password }): Promise<State> => {
  const { pending } = flow.memory;
  if (pending?.kind !== "ldap") return await showStart(flow);
  flow.suspect = { tenantId: pending.home.tenantId, loginName: username };
  const found = await needProvider(flow, pending.home, pending.idpId);
  const started = await flow.parts.intents.startIntent({
    idpId: found.idpId,
    ldap: { username, password },
  }).catch((error) => {
    if (directoryRefused(error)) throw refused(error);
    throw error;
  });
  if (!("intent" in started)) return external(started);
  const { id, token } = started.intent;
  return await signInByIntent(flow, pending.home, found, { id, token });
};

/** Back from the provider: only to the browser that was sent there, for the provider it was sent to, once. */
export const intent: Handler<"intent"> = async (flow, { id, token, ticket }): Promise<State> => {
  const { external } = flow.memory;
  if (external === undefined || external.ticket !== ticket) throw foreign();
  const found = await needProvider(flow, external.home, external.idpId);
  const shown: IntentToken = { id, token };
  delete flow.memory.external;
  return await signInByIntent(flow, external.home, found, shown);
};

const foreign = () =>
  new Problem("intent_refused", "This browser did not ask the provider for this answer");

export const intentFailed: Handler<"intent_failed"> = async (flow): Promise<State> => {
  delete flow.memory.external;
  return await showStart(flow);
};
