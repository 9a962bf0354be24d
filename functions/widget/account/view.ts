/** What the account page shows, read anew with every answer. */
import type { IdpLink, Session } from "../../_shared/zitadel/types.ts";
import type { Account } from "../account_contract.ts";
import { complexityOf } from "../flow/change_password.ts";
import { allLanguages } from "../flow/open.ts";
import { passkeysFit } from "../flow/webauthn.ts";
import { provenBy } from "../policy.ts";
import type { Visit } from "./visit.ts";

export async function viewOf(visit: Visit): Promise<Account> {
  const { flow, settings, user: { id: userId, orgId } } = visit;
  const { parts: { zitadel }, client, published } = flow;
  const [user, methods, passkeys, keys, links, sessions, complexity, providers] = await Promise.all(
    [
      zitadel.getUser(userId),
      zitadel.authenticationMethods(userId),
      zitadel.listPasskeys(userId),
      zitadel.listU2f(userId),
      zitadel.listIdpLinks(userId),
      zitadel.searchSessions({ userId }),
      complexityOf(flow, orgId),
      offeredProviders(visit),
    ],
  );
  const { preferredLoginName: loginName, profile } = user ?? visit.user;
  const has = (method: typeof methods[number]) => methods.includes(method);
  const languages = published?.languages ?? allLanguages;
  const language = profile?.preferredLanguage ?? "";
  return {
    tenantName: client.tenantName,
    profile: {
      displayName: profile?.displayName ?? "",
      givenName: profile?.givenName ?? "",
      familyName: profile?.familyName ?? "",
      loginName,
      email: profile?.email ?? "",
      emailVerified: profile?.emailVerified ?? false,
      language: languages.includes(language) ? language : languages[0]!,
    },
    password: settings.allowLocalAuthentication
      ? {
        set: has("password"),
        ...(profile?.passwordChangedAt ? { changedAt: profile.passwordChangedAt } : {}),
        complexity,
      }
      : null,
    secondFactors: {
      totp: has("totp"),
      emailCode: has("otp_email"),
      recoveryCodes: recoveryCodes(visit, methods),
      allowed: allowedFactors(visit),
      required: factorRequired(visit),
    },
    keys: [
      ...passkeys.filter(({ ready }) => ready).map(({ id, name }) => ({
        ...{ id, name, kind: "passkey" as const },
      })),
      ...keys.filter(({ ready }) => ready).map(({ id, name }) => ({
        ...{ id, name, kind: "security_key" as const },
      })),
    ],
    passkeys: settings.passkeysAllowed && settings.allowLocalAuthentication && passkeysFit(flow),
    providers: withLinks(providers, links),
    sessions: sessions.filter(isSignIn).map((session) => ({
      id: session.id,
      current: session.id === visit.account.id,
      userAgent: session.userAgent?.description ?? "",
      ...(session.userAgent?.ip ? { address: session.userAgent.ip } : {}),
      createdAt: session.createdAt,
      lastActiveAt: session.changedAt ?? session.createdAt,
    })),
    languages,
    look: published && {
      tokens: published.look.tokens,
      ...(published.look.logoUrl ? { logoUrl: published.look.logoUrl } : {}),
      texts: published.look.texts,
    },
  };
}

/** Somebody who only typed the name has a session too, in which nothing was shown. */
export const isSignIn = (session: Session): boolean => Object.keys(provenBy(session)).length > 0;

export const secondFactors = ["totp", "otp_email", "u2f"] as const;

/** Whether there are some: how many are unused ZITADEL does not tell. Of no use without another factor. */
function recoveryCodes({ settings }: Visit, methods: Visit["methods"]): boolean | null {
  const other = secondFactors.some((factor) => methods.includes(factor));
  return settings.secondFactors.includes("recovery_code") && other
    ? methods.includes("recovery_code")
    : null;
}

type Allowed = Account["secondFactors"]["allowed"][number];

export function allowedFactors({ settings, flow }: Visit): Allowed[] {
  const takes = (factor: typeof settings.secondFactors[number]) =>
    settings.secondFactors.includes(factor);
  return [
    ...(takes("totp") ? ["totp"] as const : []),
    ...(takes("otp_email") && flow.parts.mailer.available ? ["email_code"] as const : []),
    ...(takes("u2f") && passkeysFit(flow) ? ["security_key"] as const : []),
  ];
}

/** Of somebody who came by a provider, where that counts for two, none is. */
export function factorRequired({ settings, session }: Visit): boolean {
  return settings.forceMfa ||
    settings.forceMfaLocalOnly && provenBy(session).provider === undefined;
}

type Offered = Omit<Account["providers"][number], "linked">;

/** Who may not be linked to is not offered. */
export async function offeredProviders({ flow, settings, user }: Visit): Promise<Offered[]> {
  if (!settings.allowExternalIdp) return [];
  const [shown, active] = await Promise.all([
    flow.parts.providers.list(flow.client.tenantId),
    flow.parts.intents.activeProviders(user.orgId),
  ]);
  return active.map(({ idpId, kind, name, options }) => ({
    id: idpId,
    kind: kind === "other" ? "oidc" : kind,
    name,
    offered: options.linkingAllowed && shown.some((provider) => provider.idpId === idpId),
  }));
}

function withLinks(providers: Offered[], links: IdpLink[]): Account["providers"] {
  const linked = (idpId: string) => {
    const link = links.find((one) => one.idpId === idpId);
    return link ? { externalId: link.externalUserId, userName: link.externalUserName } : null;
  };
  const known = providers.map((provider) => ({ ...provider, linked: linked(provider.id) }));
  const gone = links.filter(({ idpId }) => !providers.some(({ id }) => id === idpId));
  return [
    ...known.filter((provider) => provider.offered || provider.linked),
    ...gone.map(({ idpId, externalUserName }) => ({
      ...{ id: idpId, kind: "oidc" as const, name: externalUserName, offered: false },
      linked: linked(idpId),
    })),
  ];
}
