import type { User } from "../model.ts";
import type { Store } from "../store.ts";
import { policyOf } from "./policies.ts";

const mustBeDomain = (store: Store, organizationId: string) =>
  policyOf(store, organizationId, "domain").values.userLoginMustBeDomain === true;

/** By what a user name is unique: the whole instance, or its organization under userLoginMustBeDomain. */
export function userNameKey(store: Store, organizationId: string, userName: string): string {
  return mustBeDomain(store, organizationId) ? `${userName}:${organizationId}` : userName;
}

export function loginNames(
  store: Store,
  user: Pick<User, "organizationId" | "userName">,
): string[] {
  const domain = store.get("organization", user.organizationId)?.primaryDomain;
  return mustBeDomain(store, user.organizationId)
    ? [`${user.userName}@${domain}`]
    : [user.userName];
}
