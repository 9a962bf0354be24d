// What the handlers of a person's credentials share.
import { failedPrecondition, notFound } from "../errors.ts";
import type { User } from "../model.ts";
import type { Human } from "../model_people.ts";
import type { Call } from "../service.ts";
import type { Store } from "../store.ts";
import { needUser, patchHuman, userEvent } from "./users.ts";

export type Person = User & { human: Human };

export function needHuman(store: Store, id: string): Person {
  const user = needUser(store, id);
  if (!user.human) throw failedPrecondition("COMMAND-G8dh3", "Errors.User.NotHuman");
  return { ...user, human: user.human };
}

/** As a projection shows them. */
export function seeHuman({ store, caller }: Call, id: string): Person {
  const user = store.seen("user", id);
  if (!user?.human) throw notFound("QUERY-Dfbg2", "Errors.User.NotFound");
  caller.needFor(user, "user.read");
  return { ...user, human: user.human };
}

export type Change = [type: string, payload?: Record<string, unknown>];

/** Events `user.human.<type>` in one push, and the person as they are after it. */
export function change(
  { store, caller }: Call,
  user: User,
  events: Change[],
  changes: Partial<Human>,
): string {
  const at = store.push(
    caller.userId,
    events.map(([type, payload]) => userEvent(user, `user.human.${type}`, payload)),
  );
  patchHuman(store, user.id, changes, at);
  return at;
}
