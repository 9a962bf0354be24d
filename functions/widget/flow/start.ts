/** The first screen, and the ways that lead on from it. */
import type { LoginSettings } from "../../_shared/zitadel/types.ts";
import type { State } from "../contract.ts";
import { firstsOf } from "../policy.ts";
import { emailCodeAlone } from "./facts.ts";
import { type Flow } from "./flow.ts";
import { forget } from "./memory.ts";
import { endSession } from "./next.ts";
import { passkeysFit } from "./passkey.ts";
import { knownHome } from "./people.ts";
import { shown } from "./provider.ts";

type Start = Extract<State, { screen: "start" }>;
type Ways = Omit<Start["ways"], "discovery">;

/** What the tenant left switched on, and its organization allows. Of the portal, where nobody's organization is known yet: the former. */
export function waysOf(flow: Flow, settings: LoginSettings | undefined): Ways {
  const { published, parts, memory } = flow;
  const on = published?.flows ?? everything;
  const firsts = settings && firstsOf(settings, emailCodeAlone(flow));
  const allowed = (first: "password" | "passkey" | "email_code") =>
    firsts === undefined || firsts.includes(first);
  const mail = parts.mailer.available;
  // Nobody sets another password under the eyes of a customer's page. A program, which sends no origin, draws the form itself.
  const own = memory.mode !== "inline" || memory.origin === undefined;
  return {
    password: on.password && allowed("password"),
    passkey: on.passkey && allowed("passkey") && passkeysFit(flow),
    emailCode: emailCodeAlone(flow) && allowed("email_code"),
    register: on.register && (settings?.allowRegister ?? false) && mail,
    reset: own && mail && on.reset && on.password && allowed("password") &&
      !settings?.hidePasswordReset,
  };
}

const everything = { password: true, passkey: true, register: true, reset: true };

export async function showStart(flow: Flow, loginHint?: string): Promise<State> {
  const { parts, memory } = flow;
  const home = knownHome(flow);
  const settings = home && await parts.zitadel.loginSettings(home.organizationId);
  const hint = loginHint ?? memory.person?.loginName ?? flow.request?.loginHint;
  const offered = home && settings?.allowExternalIdp
    ? await parts.providers.list(home.tenantId)
    : [];
  const providers = offered.map(shown);
  // A name is asked for by itself only where its domain may decide.
  const discovery = flow.client.kind === "portal" ||
    offered.some(({ trustedDomains }) => trustedDomains.length > 0);
  const inline = memory.mode === "inline";
  return {
    screen: "start",
    ...(hint ? { loginHint: hint } : {}),
    ways: { ...waysOf(flow, settings), discovery },
    // A provider leads the browser away from the customer's page: only a directory is asked from here.
    providers: inline ? providers.filter(({ kind }) => kind === "ldap") : providers,
    redirectInstead: inline &&
      (!passkeysFit(flow) || providers.some(({ kind }) => kind !== "ldap")),
  };
}

/** Everything shown so far is given up. */
export async function startOver(flow: Flow): Promise<State> {
  const { memory: { session }, remembered } = flow;
  // A session that the browser is signed in with elsewhere stays.
  if (session && !remembered.find(session.id)) await endSession(flow, { sessionId: session.id });
  forget(flow.memory);
  return await showStart(flow);
}
