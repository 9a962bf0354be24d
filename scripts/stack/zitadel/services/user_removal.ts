import type { User } from "../model.ts";
import type { Store } from "../store.ts";
import { removeLinksOf } from "./idp_links.ts";
import { userNameKey } from "./login_names.ts";
import { grantKey } from "./project_removal.ts";

/** With tokens, roles and authorizations. */
export function removeUser(store: Store, editor: string, user: User): string {
  for (const token of store.all("token")) {
    if (token.userId === user.id) store.remove("token", token.id);
  }
  for (const administrator of store.all("administrator")) {
    if (administrator.userId === user.id) store.remove("administrator", administrator.id);
  }
  for (const authorization of store.all("authorization")) {
    if (authorization.userId === user.id) {
      store.release("user_grant", grantKey(authorization));
      store.remove("authorization", authorization.id);
    }
  }
  removeLinksOf(store, editor, { userId: user.id });
  store.release("user_name", userNameKey(store, user.organizationId, user.userName));
  store.remove("user", user.id);
  return store.push(editor, [{
    aggregateType: "user",
    aggregateId: user.id,
    type: "user.removed",
    resourceOwner: user.organizationId,
    payload: { userName: user.userName },
  }]);
}
