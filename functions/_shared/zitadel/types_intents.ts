// Signing in by somebody else's word: inputs and answers of intents.ts.

/** As the provider's own kind; `github` stands for GitHub Enterprise Server too. */
export type ExternalKind =
  | "google"
  | "github"
  | "microsoft"
  | "oidc"
  | "saml"
  | "ldap"
  /** A kind that Gatehouse does not make: somebody made it in ZITADEL itself. */
  | "other";

/** What the organization's administrator allowed for one provider. ZITADEL enforces none of it: the caller must. */
export interface LinkingOptions {
  /** Somebody who is known already may link an external account. */
  linkingAllowed: boolean;
  /** Somebody unknown may make an account, by a form that the person sees. */
  creationAllowed: boolean;
  /** Somebody unknown gets an account at once, from what the provider says. */
  autoCreation: boolean;
  /** At each sign-in the profile is set from what the provider says. */
  autoUpdate: boolean;
  /** Whom an external account is linked to without asking: the user with the same verified e-mail, or the same user name. */
  autoLinking: "none" | "username" | "email";
}

export interface ActiveProvider {
  /** ZITADEL's id: `providers.idp_id` of our row. */
  idpId: string;
  name: string;
  kind: ExternalKind;
  options: LinkingOptions;
}

/** Proof of one external sign-in. Good once, for at most an hour; whoever holds both halves may use it: keep it on the server. */
export interface IntentToken {
  intentId: string;
  intentToken: string;
}

export type StartedIntent =
  /** Send the browser there. */
  | { authUrl: string }
  /** Post these fields there from the browser: SAML's POST binding. */
  | { formPost: { url: string; fields: Record<string, string> } }
  /** LDAP: the directory took user name and password; go on with retrieveIntent. */
  | { intent: IntentToken & { userId?: string } };

/** What the provider says about the person, in the words of createHuman. */
export interface SuggestedUser {
  userName: string;
  givenName: string;
  familyName: string;
  displayName: string;
  /** Empty: the provider names none (GitHub with a private address and no scope for it, LDAP without the attribute). */
  email: string;
  /** Said by the provider, or set for it by the administrator (Microsoft's `emailVerified`). Never linked by when false. */
  emailVerified: boolean;
  preferredLanguage?: string;
}

export interface RetrievedIntent {
  idpId: string;
  /** The person as the provider knows them: what a link is made of. */
  external: { userId: string; userName: string };
  /** The user that this external account is linked to, in whatever organization: check that it is the flow's. */
  linkedUserId?: string;
  suggested: SuggestedUser;
  options: LinkingOptions;
}

/** One external account of one user. An external account belongs to one user in the whole instance. */
export interface IdpLink {
  idpId: string;
  /** The account's id at the provider, not the user's. */
  externalUserId: string;
  externalUserName: string;
}

/** Credential: IAM_LOGIN_CLIENT. */
export interface IntentClient {
  /** The providers that the organization's login policy allows; empty when it allows none at all. */
  activeProviders(orgId: string): Promise<ActiveProvider[]>;
  /**
   * Begins a sign-in at a provider. With `urls` the browser comes back to `successUrl?id=&token=[&user=]` or to
   * `failureUrl?id=&error=&error_description=`; both are the caller's own pages: put a flow's reference in, not a secret.
   * @throws {ZitadelError} of `ldap`, when the directory refuses: `externalRefusal` in intents.ts says which way.
   */
  startIntent(
    input:
      & { idpId: string }
      & (
        | { urls: { successUrl: string; failureUrl: string; loginHint?: string } }
        | { ldap: { username: string; password: string } }
      ),
  ): Promise<StartedIntent>;
  /**
   * Who came back. Reading does not use the intent up: createSession or setSession with `idpIntent` does.
   * @throws {ZitadelError} `permission_denied` for a wrong or expired token, `failed_precondition` for an intent that was
   * used or never succeeded.
   */
  retrieveIntent(intent: IntentToken): Promise<RetrievedIntent>;
  /** @throws {ZitadelError} `already_exists`, V3-DKcYh: the account is somebody's already; `platform_user_refused` */
  addLink(userId: string, link: IdpLink): Promise<void>;
  listLinks(userId: string): Promise<IdpLink[]>;
  /** Of a link that is not there: nothing happens. @throws {ZitadelError} `platform_user_refused` */
  removeLink(userId: string, link: Pick<IdpLink, "idpId" | "externalUserId">): Promise<void>;
}
