import { alreadyExists } from "../errors.ts";
import type { Store } from "../store.ts";

/**
 * A domain policy that changes what user names are unique by moves every name of its organizations to the new key.
 * Checks now, moves when the returned function is called (after the policy is written). @throws V3-DKcYh
 */
export function rekeyUserNames(store: Store, owner: string, mustBeDomain: boolean): () => void {
  const withOwn = new Set(
    store.all("policy").filter((policy) => policy.id.endsWith("/domain")).map((policy) =>
      policy.id.slice(0, -"/domain".length)
    ),
  );
  const users = store.all("user").filter(({ organizationId }) =>
    owner === "instance" ? !withOwn.has(organizationId) : organizationId === owner
  );
  const key = (userName: string, organizationId: string, inOrganization: boolean) =>
    inOrganization ? `${userName}:${organizationId}` : userName;
  for (const { id, userName, organizationId } of users) {
    if (!store.isFree("user_name", key(userName, organizationId, mustBeDomain), id)) {
      throw alreadyExists("V3-DKcYh", "Errors.User.AlreadyExists");
    }
  }
  return () => {
    for (const { id, userName, organizationId } of users) {
      store.release("user_name", key(userName, organizationId, !mustBeDomain), id);
      store.claim(
        "user_name",
        key(userName, organizationId, mustBeDomain),
        id,
        "Errors.User.AlreadyExists",
      );
    }
  };
}
