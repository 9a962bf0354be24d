/**
 * Whose account an external one is: linked already, linked now, made now, or nobody's. ZITADEL enforces none of the provider's
 * options: they are kept here. An address counts only where it is vouched for, at the provider and here: else somebody could
 * register another's address beforehand and be handed their sign-in.
 */
import { Problem } from "../../_shared/problem.ts";
import { isZitadelError } from "../../_shared/zitadel/errors.ts";
import type {
  IntentToken,
  RegisterInput,
  RetrievedIntent,
  User,
} from "../../_shared/zitadel/types.ts";
import type { State } from "../contract.ts";
import type { SignInProvider } from "../providers.ts";
import { type Flow, isAbout, makeSession, nowSeconds, refused } from "./flow.ts";
import type { Handler } from "./handlers.ts";
import type { Home } from "./memory.ts";
import { next } from "./next.ts";
import { isCredentialRefusal } from "./password.ts";
import { needProvider } from "./provider.ts";

interface Came {
  flow: Flow;
  home: Home;
  provider: SignInProvider;
  intent: IntentToken;
  said: RetrievedIntent;
}

export async function signInByIntent(
  flow: Flow,
  home: Home,
  provider: SignInProvider,
  intent: IntentToken,
): Promise<State> {
  const said = await retrieve(flow, intent);
  if (said.idpId !== provider.idpId) throw intentRefused();
  const came = { flow, home, provider, intent, said };
  const user = await linkedUser(came) ?? await linkNow(came) ?? await makeAtOnce(came);
  if (user !== undefined) return await signIn(came, user);
  if (said.options.creationAllowed) return complete(came);
  throw new Problem(
    "external_account_unknown",
    `Nobody here has this account at "${provider.name}", and none may be made`,
  );
}

async function retrieve({ parts }: Flow, intent: IntentToken): Promise<RetrievedIntent> {
  return await parts.intents.retrieveIntent(intent).catch((error) => {
    const gone = isCredentialRefusal(error) || isZitadelError(error, "permission_denied");
    throw gone ? intentRefused(error) : error;
  });
}

/** @throws {Problem} credentials_refused: an external account belongs to one user of the whole instance, and that one is elsewhere */
async function linkedUser({ flow, home, said }: Came): Promise<User | undefined> {
  if (said.linkedUserId === undefined) return undefined;
  const user = await flow.parts.zitadel.getUser(said.linkedUserId);
  if (user?.orgId !== home.organizationId) throw refused();
  return user;
}

async function linkNow({ flow, home, provider, said }: Came): Promise<User | undefined> {
  const { zitadel } = flow.parts;
  const orgId = home.organizationId;
  const { suggested, options: { autoLinking } } = said;
  if (autoLinking === "none") return undefined;
  if (autoLinking === "username" && anybodysNames.includes(provider.kind)) return undefined;
  const loginName = autoLinking === "email" ? suggested.email : suggested.userName;
  if (loginName === "" || autoLinking === "email" && !vouched(provider, said)) return undefined;
  const [user, ...others] = await zitadel.findUsers({
    orgId,
    loginName,
    byEmail: autoLinking === "email",
  });
  if (user?.kind !== "human" || user.orgId !== orgId || others.length > 0) return undefined;
  const same = autoLinking === "username" || user.profile?.emailVerified &&
      user.profile.email.toLowerCase() === suggested.email.toLowerCase();
  if (!same) return undefined;
  await zitadel.addIdpLink(user.id, linkOf(said));
  return user;
}

/** Where anybody may call themselves as they like. */
const anybodysNames: SignInProvider["kind"][] = ["google", "github"];

/** Without a form, where what the provider says is enough for an account. */
async function makeAtOnce(came: Came): Promise<User | undefined> {
  const { said: { options, suggested }, provider, said } = came;
  const whole = suggested.email && suggested.givenName && suggested.familyName;
  if (!options.autoCreation || !whole || !vouched(provider, said)) return undefined;
  return await makeUser(came, suggested);
}

/** The form: what the provider says, to be looked over. */
function complete({ flow, home, provider, intent, said: { suggested } }: Came): State {
  const { idpId: id, kind, name } = provider;
  flow.memory.pending = { kind: "complete_account", idpId: id, home, intent };
  const { givenName, familyName, email } = suggested;
  return {
    screen: "complete_account",
    provider: { id, kind, name },
    givenName,
    familyName,
    email,
  };
}

/** On the screen `complete_account`. */
export const completeAccount: Handler<"register"> = async (flow, action): Promise<State> => {
  const { pending } = flow.memory;
  if (pending?.kind !== "complete_account") return await next(flow);
  const { home, intent } = pending;
  const provider = await needProvider(flow, home, pending.idpId);
  const said = await retrieve(flow, intent);
  if (!said.options.creationAllowed) throw intentRefused();
  const came = { flow, home, provider, intent, said };
  const { givenName, familyName, email } = action;
  return await signIn(came, await makeUser(came, { givenName, familyName, email }));
};

async function makeUser(
  { flow, home, provider, said }: Came,
  named: Pick<RegisterInput, "givenName" | "familyName" | "email">,
): Promise<User> {
  const { zitadel } = flow.parts;
  const orgId = home.organizationId;
  const { email, preferredLanguage } = said.suggested;
  const emailVerified = vouched(provider, said) &&
    named.email.toLowerCase() === email.toLowerCase();
  const { userId } = await zitadel.createUser({
    ...{ orgId, givenName: named.givenName, familyName: named.familyName, email: named.email },
    ...(preferredLanguage ? { preferredLanguage } : {}),
    emailVerified,
    idpLinks: [linkOf(said)],
  }).catch((error) => {
    // Said to nobody but who the provider vouches for.
    if (isZitadelError(error, "already_exists")) {
      throw new Problem("account_exists", "An account with this name or address is there", {
        cause: error,
      });
    }
    throw error;
  });
  const displayName = `${named.givenName} ${named.familyName}`;
  // What was just made: reads lag behind.
  return {
    id: userId,
    orgId,
    kind: "human",
    state: "active",
    userName: named.email,
    loginNames: [named.email],
    preferredLoginName: named.email,
    profile: { ...named, displayName, emailVerified, passwordChangeRequired: false },
  };
}

async function signIn({ flow, home, intent, said }: Came, user: User): Promise<State> {
  const { zitadel } = flow.parts;
  const made = await makeSession(flow, { userId: user.id, idpIntent: intent }).catch((error) => {
    throw isCredentialRefusal(error) ? refused(error) : error;
  });
  isAbout(flow, user, made, home.tenantId);
  flow.memory.proven.provider = nowSeconds(flow);
  const { givenName, familyName } = said.suggested;
  const differs = givenName !== user.profile?.givenName || familyName !== user.profile?.familyName;
  if (said.options.autoUpdate && givenName && familyName && differs) {
    await zitadel.updateProfile(user.id, { givenName, familyName });
  }
  return await next(flow);
}

/** By the provider itself, or by the tenant for the domain of the address. */
function vouched({ trustedDomains }: SignInProvider, { suggested }: RetrievedIntent): boolean {
  const domain = suggested.email.toLowerCase().split("@").at(-1)!;
  return suggested.email !== "" && (suggested.emailVerified || trustedDomains.includes(domain));
}

const linkOf = ({ idpId, external }: RetrievedIntent) => ({
  idpId,
  externalUserId: external.userId,
  externalUserName: external.userName,
});

const intentRefused = (cause?: unknown) =>
  new Problem("intent_refused", "The provider's answer is not good any more", { cause });
