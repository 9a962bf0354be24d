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

/** Proof of one external sign-in: `idpIntent` of createSession. Good once, for at most an hour; whoever holds both halves may use it: keep it on the server. */
export interface IntentToken {
  id: string;
  token: string;
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
  /** Empty: the provider names none (GitHub with a private address, a directory without the attribute). */
  email: string;
  /**
   * The provider vouches for it. False for SAML and most directories: their word counts for the domains that the tenant has proven
   * and gave this provider (`trustedDomains` of private.sign_in_providers). Nobody is found by an address that neither vouches for.
   */
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

/** Credential: IAM_LOGIN_CLIENT. */
export interface IntentClient {
  /**
   * The providers in the organization's login policy; empty when it allows none at all. One that we disabled stays in it, since
   * taking it out would unlink everybody: which ones to show is private.sign_in_providers' to say.
   */
  activeProviders(orgId: string): Promise<ActiveProvider[]>;
  /**
   * Begins a sign-in at a provider. With `urls` the browser comes back to `successUrl?id=&token=[&user=]` or to
   * `failureUrl?id=&error=&error_description=`; both are the caller's own pages: put a flow's reference in, not a secret.
   * @throws {ZitadelError} of `ldap`: `directoryRefused` in intents.ts tells wrong credentials from a directory that is away.
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
   * @throws {ZitadelError} `permission_denied`: not this intent's token; `failed_precondition`: used, expired, or never succeeded.
   */
  retrieveIntent(intent: IntentToken): Promise<RetrievedIntent>;
}
