// A user as the API shows one, and the search over them.
import type { User } from "../model.ts";
import { details, matches } from "../service.ts";
import type { Store } from "../store.ts";
import { loginNames } from "./login_names.ts";

export interface UserQuery {
  userNameQuery?: { userName: string; method?: string };
  firstNameQuery?: { firstName: string; method?: string };
  lastNameQuery?: { lastName: string; method?: string };
  displayNameQuery?: { displayName: string; method?: string };
  emailQuery?: { emailAddress?: string; method?: string };
  stateQuery?: { state?: string };
  typeQuery?: { type?: string };
  loginNameQuery?: { loginName: string; method?: string };
  inUserIdsQuery?: { userIds?: string[] };
  organizationIdQuery?: { organizationId: string };
  inUserEmailsQuery?: { userEmails?: string[] };
  orQuery?: { queries?: UserQuery[] };
  andQuery?: { queries?: UserQuery[] };
  notQuery?: { query?: UserQuery };
}

export const userStates = {
  active: "USER_STATE_ACTIVE",
  inactive: "USER_STATE_INACTIVE",
  locked: "USER_STATE_LOCKED",
} as const;

export function asUser(store: Store, user: User): object {
  const names = loginNames(store, user);
  const common = {
    userId: user.id,
    state: userStates[user.state],
    username: user.userName,
    loginNames: names,
    preferredLoginName: names[0] ?? "",
  };
  const { human, machine } = user;
  return {
    ...common,
    details: {
      ...details(user.organizationId, user.changedAt, user.createdAt),
      sequence: String(user.sequence),
    },
    ...(human
      ? {
        human: {
          ...common,
          profile: {
            givenName: human.givenName,
            familyName: human.familyName,
            ...(human.nickName === undefined ? {} : { nickName: human.nickName }),
            displayName: human.displayName,
            preferredLanguage: human.preferredLanguage,
            gender: human.gender ?? "GENDER_UNSPECIFIED",
          },
          email: { email: human.email, isVerified: human.emailVerified },
          phone: { phone: human.phone ?? "", isVerified: human.phoneVerified ?? false },
          passwordChangeRequired: human.passwordChangeRequired,
          ...(human.passwordChangedAt ? { passwordChanged: human.passwordChangedAt } : {}),
          ...(human.mfaInitSkippedAt ? { mfaInitSkipped: human.mfaInitSkippedAt } : {}),
        },
      }
      : {}),
    ...(machine
      ? {
        machine: {
          name: machine.name,
          description: machine.description,
          hasSecret: machine.secretHash !== undefined,
          accessTokenType: machine.accessTokenType,
        },
      }
      : {}),
  };
}

export function userFits(store: Store, user: User, query: UserQuery): boolean {
  const within = (nested: UserQuery) => userFits(store, user, nested);
  const text = (have: string | undefined, want: string, method?: string) =>
    have !== undefined && matches(have, want, method);
  const { human } = user;
  if (query.userNameQuery) {
    return text(user.userName, query.userNameQuery.userName, query.userNameQuery.method);
  }
  if (query.firstNameQuery) {
    return text(human?.givenName, query.firstNameQuery.firstName, query.firstNameQuery.method);
  }
  if (query.lastNameQuery) {
    return text(human?.familyName, query.lastNameQuery.lastName, query.lastNameQuery.method);
  }
  if (query.displayNameQuery) {
    return text(
      human?.displayName,
      query.displayNameQuery.displayName,
      query.displayNameQuery.method,
    );
  }
  if (query.emailQuery) {
    return text(human?.email, query.emailQuery.emailAddress ?? "", query.emailQuery.method);
  }
  if (query.stateQuery) return userStates[user.state] === query.stateQuery.state;
  if (query.typeQuery) return (human ? "TYPE_HUMAN" : "TYPE_MACHINE") === query.typeQuery.type;
  const login = query.loginNameQuery;
  if (login) {
    return loginNames(store, user).some((name) => text(name, login.loginName, login.method));
  }
  if (query.inUserIdsQuery) return (query.inUserIdsQuery.userIds ?? []).includes(user.id);
  if (query.organizationIdQuery) {
    return user.organizationId === query.organizationIdQuery.organizationId;
  }
  if (query.inUserEmailsQuery) {
    return (query.inUserEmailsQuery.userEmails ?? []).includes(human?.email ?? "");
  }
  if (query.orQuery) return (query.orQuery.queries ?? []).some(within);
  if (query.andQuery) return (query.andQuery.queries ?? []).every(within);
  if (query.notQuery?.query) return !within(query.notQuery.query);
  throw new Error(`The double does not know the user query ${JSON.stringify(query)}`);
}
