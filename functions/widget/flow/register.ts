/**
 * An account of one's own, where the organization lets people make one. Whether the address has an account already is told to nobody
 * but the address: the same screen waits for a code, and the mail says what there is.
 */
import { Problem } from "../../_shared/problem.ts";
import { isZitadelError } from "../../_shared/zitadel/errors.ts";
import type { LoginSettings, User } from "../../_shared/zitadel/types.ts";
import type { State } from "../contract.ts";
import { complexityOf } from "./change_password.ts";
import { requireStrong } from "./complexity.ts";
import { type Flow, isAbout, makeSession, nowSeconds } from "./flow.ts";
import type { ActionOf, Handler } from "./handlers.ts";
import { lasting } from "./lasting.ts";
import { forget, type Home } from "./memory.ts";
import { wayNotAllowed } from "./next.ts";
import { passkeysFit } from "./passkey.ts";
import { knownHome } from "./people.ts";
import { mailTo } from "./resend.ts";
import { waysOf } from "./start.ts";
import { awaitCode, mailVerification, showAwaited } from "./verify_email.ts";

interface Place {
  home: Home;
  settings: LoginSettings;
}

/** @throws {Problem} way_not_allowed: also at the portal, where nobody's organization is known */
async function placeOf(flow: Flow): Promise<Place> {
  const home = knownHome(flow);
  const settings = home && await flow.parts.zitadel.loginSettings(home.organizationId);
  if (!home || !settings || !waysOf(flow, settings).register) throw wayNotAllowed(false);
  return { home, settings };
}

export const showRegister: Handler<"show_register"> = async (flow): Promise<State> => {
  const { home, settings } = await placeOf(flow);
  const { organizationId } = home;
  return {
    screen: "register",
    complexity: await complexityOf(flow, organizationId),
    passkey: settings.passkeysAllowed && passkeysFit(flow),
    ...await termsOf(flow, organizationId),
  };
};

/** What the tenant published, else what its organization says. */
async function termsOf({ parts, published }: Flow, organizationId: string) {
  const legal = await parts.zitadel.legalSettings(organizationId);
  const termsUrl = published?.termsUrl ?? legal.tosLink;
  const privacyUrl = published?.privacyUrl ?? legal.privacyPolicyLink;
  return { ...(termsUrl ? { termsUrl } : {}), ...(privacyUrl ? { privacyUrl } : {}) };
}

/** On the screen `register`. */
export const register: Handler<"register"> = async (flow, action): Promise<State> => {
  const { home, settings } = await placeOf(flow);
  const { organizationId } = home;
  const { password, acceptTerms } = action;
  if ((await termsOf(flow, organizationId)).termsUrl && !acceptTerms) {
    throw new Problem("terms_not_accepted", "An account takes the terms to be accepted", {
      pointers: [{ pointer: "#/acceptTerms", detail: "must be true" }],
    });
  }
  if (password !== undefined) {
    if (!settings.allowLocalAuthentication) throw wayNotAllowed(true);
    requireStrong(await complexityOf(flow, organizationId), password, "#/password");
  } else if (!settings.passkeysAllowed || !passkeysFit(flow)) throw wayNotAllowed(false);
  forget(flow.memory);
  const made = await lasting.like(async () => await makePerson(flow, home, action));
  if (made === undefined) await tellThatThereIsOne(flow, home, action.email);
  awaitCode(flow, action.email, action.email.toLowerCase(), made !== undefined);
  return showAwaited(flow);
};

/** Undefined: the address has an account. */
async function makePerson(
  flow: Flow,
  home: Home,
  { givenName, familyName, email, password }: ActionOf<"register">,
): Promise<User | undefined> {
  const { zitadel } = flow.parts;
  const orgId = home.organizationId;
  if ((await zitadel.findUsers({ orgId, loginName: email, byEmail: true })).length > 0) return;
  const { language } = flow.memory;
  const made = await zitadel.createUser({
    ...{ orgId, givenName, familyName, email },
    ...(language === undefined ? {} : { preferredLanguage: language }),
    ...(password === undefined ? {} : { password }),
  }).catch((error) => {
    if (isZitadelError(error, "already_exists")) return undefined;
    throw error;
  });
  if (made === undefined) return;
  const user = newUser(made.userId, orgId, { givenName, familyName, email, language });
  const session = await makeSession(flow, {
    userId: user.id,
    ...(password === undefined ? {} : { password }),
  });
  isAbout(flow, user, session, home.tenantId);
  if (password !== undefined) flow.memory.proven.password = nowSeconds(flow);
  else flow.memory.changed.registered = true;
  await mailVerification(flow, user, home.tenantId, made.emailCode ?? "");
  return user;
}

/** As they were just made: reads lag behind. */
function newUser(
  id: string,
  orgId: string,
  { language, ...named }: {
    givenName: string;
    familyName: string;
    email: string;
    language: string | undefined;
  },
): User {
  return {
    id,
    orgId,
    kind: "human",
    state: "active",
    userName: named.email,
    loginNames: [named.email],
    preferredLoginName: named.email,
    profile: {
      ...named,
      displayName: `${named.givenName} ${named.familyName}`,
      emailVerified: false,
      passwordChangeRequired: false,
      ...(language === undefined ? {} : { preferredLanguage: language }),
    },
  };
}

async function tellThatThereIsOne(flow: Flow, home: Home, email: string): Promise<void> {
  const orgId = home.organizationId;
  const [user] = await flow.parts.zitadel.findUsers({ orgId, loginName: email, byEmail: true });
  // Of another's login name the address may be a different one: then nobody is told.
  if (user?.profile?.email.toLowerCase() !== email.toLowerCase()) return;
  await mailTo(flow, user, home.tenantId, 60 * 60, { kind: "already_registered" });
}
