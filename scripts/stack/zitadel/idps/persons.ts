// What each kind of provider says, and what ZITADEL makes of it.
import type { ExternalPerson } from "../model_idps.ts";

type Claims = Record<string, unknown>;
const string = (claims: Claims, name: string) =>
  typeof claims[name] === "string" ? claims[name] as string : "";

/** OpenID Connect; Google's preferred name is the address. */
export function fromClaims(claims: Claims, type: string): ExternalPerson {
  const email = string(claims, "email");
  return {
    id: string(claims, "sub"),
    userName: type === "GOOGLE" ? email : string(claims, "preferred_username"),
    human: {
      givenName: string(claims, "given_name"),
      familyName: string(claims, "family_name"),
      displayName: string(claims, "name"),
      nickName: string(claims, "nickname"),
      ...(string(claims, "locale") ? { preferredLanguage: string(claims, "locale") } : {}),
      email,
      emailVerified: claims.email_verified === true,
    },
    raw: claims,
  };
}

/** One name, no address where it is private; and always verified, says ZITADEL, since GitHub verifies. */
export function fromGithub(user: Claims): ExternalPerson {
  const login = string(user, "login");
  return {
    id: String(user.id),
    userName: login,
    human: {
      givenName: "",
      familyName: "",
      displayName: string(user, "name"),
      nickName: login,
      email: string(user, "email"),
      emailVerified: true,
    },
    raw: user,
  };
}

/** Microsoft Graph's /me. Without a mailbox the user principal name stands for the address. */
export function fromMicrosoft(user: Claims, emailVerified: boolean): ExternalPerson {
  const name = string(user, "userPrincipalName");
  return {
    id: string(user, "id"),
    userName: name,
    human: {
      givenName: string(user, "givenName"),
      familyName: string(user, "surname"),
      displayName: string(user, "displayName"),
      ...(string(user, "preferredLanguage")
        ? { preferredLanguage: string(user, "preferredLanguage") }
        : {}),
      email: string(user, "mail") || name,
      emailVerified,
    },
    raw: user,
  };
}
