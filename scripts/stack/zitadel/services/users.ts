import { failedPrecondition, notFound } from "../errors.ts";
import type { User } from "../model.ts";
import { type Call, details, page, type Pagination, type Service } from "../service.ts";
import type { Store } from "../store.ts";
import { addLink, refuseTakenLinks } from "./idp_links.ts";
import { userNameKey } from "./login_names.ts";
import { checkComplexity, hashPassword } from "./passwords.ts";
import { coded, newCode } from "./codes.ts";
import { setPassword } from "./credentials.ts";
import { removeUser } from "./user_removal.ts";
import { asUser, userFits, type UserQuery } from "./user_view.ts";

import type { Create, Update } from "./user_requests.ts";

export const users: Service = {
  async CreateUser(call: Call, request: Create) {
    const { store, caller } = call;
    const { organizationId, human, machine } = request;
    caller.need("user.write", { organizationId });
    if (!store.get("organization", organizationId)) {
      throw failedPrecondition("COMMAND-55M9f", "Errors.Org.NotFound");
    }
    if (human?.password) checkComplexity(store, organizationId, human.password.password);
    const passwordHash = human?.password
      ? await hashPassword(human.password.password)
      : human?.hashedPassword?.hash;
    // From here on nothing waits: what was checked still holds when it is written.
    const id = request.userId ?? store.newId();
    if (store.get("user", id)) {
      throw failedPrecondition(
        human ? "COMMAND-7yiox1isql" : "COMMAND-k2una",
        "Errors.User.AlreadyExisting",
      );
    }
    const userName = request.username ?? human?.email.email ?? id;
    refuseTakenLinks(store, human?.idpLinks ?? []);
    store.claim(
      "user_name",
      userNameKey(store, organizationId, userName),
      id,
      "Errors.User.AlreadyExists",
    );
    const event = (type: string, payload: Record<string, unknown> = {}) => ({
      aggregateType: "user",
      aggregateId: id,
      type,
      resourceOwner: organizationId,
      payload,
    });
    const base = { id, organizationId, userName, state: "active" as const, metadata: {} };
    if (machine) {
      const description = machine.description ?? "";
      const at = store.push(caller.userId, [
        event("user.machine.added", { userName, name: machine.name, description }),
      ]);
      store.put("user", id, {
        ...base,
        sequence: 1,
        createdAt: at,
        changedAt: at,
        machine: {
          ...machine,
          description,
          accessTokenType: tokenType(machine.accessTokenType),
          keys: {},
        },
      });
      return { id, creationDate: at };
    }
    const { profile, email } = human!;
    const displayName = profile.displayName || `${profile.givenName} ${profile.familyName}`;
    const emailCode = email.isVerified ? undefined : newCode(store, "verifyEmail");
    const events = [
      event("user.human.added", {
        userName,
        firstName: profile.givenName,
        lastName: profile.familyName,
        displayName,
        preferredLanguage: profile.preferredLanguage ?? "en",
        email: email.email,
        ...(passwordHash ? { encodedHash: passwordHash } : {}),
      }),
      emailCode
        ? event("user.human.email.code.added", coded(emailCode))
        : event("user.human.email.verified"),
    ];
    const at = store.push(caller.userId, events);
    store.put("user", id, {
      ...base,
      sequence: events.length,
      createdAt: at,
      changedAt: at,
      human: {
        preferredLanguage: "en",
        ...profile,
        displayName,
        email: email.email,
        emailVerified: email.isVerified ?? false,
        ...(emailCode ? { emailCode } : {}),
        ...(passwordHash ? { passwordHash, passwordChangedAt: at } : {}),
        passwordChangeRequired: human?.password?.changeRequired ?? false,
        failedAttempts: 0,
      },
    });
    for (const link of human?.idpLinks ?? []) addLink(call, id, link);
    return {
      id,
      creationDate: at,
      ...(email.returnCode && emailCode ? { emailCode: emailCode.code } : {}),
    };
  },

  async UpdateUser(call: Call, request: Update) {
    const { store, caller } = call;
    const { human, machine } = needUser(store, request.userId);
    caller.needFor(needUser(store, request.userId), "user.write");
    const { organizationId } = needUser(store, request.userId);
    // Nobody vouches for their own address, or sets a password without the old one.
    if (request.human?.email?.isVerified) caller.need("user.write", { organizationId });
    if (request.human?.password) caller.need("user.credential.write", { organizationId });
    const password = request.human?.password?.password;
    if (password) {
      await setPassword(call, request.userId, password.password, password.changeRequired);
    }
    const user = needUser(store, request.userId);
    let at = store.now();
    const record = (type: string, payload: Record<string, unknown> = {}) => {
      at = store.push(caller.userId, [userEvent(user, type, payload)]);
    };
    if (request.username !== undefined && request.username !== user.userName) {
      const key = userNameKey(store, user.organizationId, request.username);
      store.claim("user_name", key, user.id, "Errors.User.AlreadyExists");
      store.release("user_name", userNameKey(store, user.organizationId, user.userName), user.id);
      record("user.username.changed", { userName: request.username });
      store.patch("user", user.id, { userName: request.username, changedAt: at });
    }
    const { profile, email } = request.human ?? {};
    let emailCode: string | undefined;
    if (human && profile) {
      const merged = { ...human, ...profile };
      if (!profile.displayName && (profile.givenName || profile.familyName)) {
        merged.displayName = `${merged.givenName} ${merged.familyName}`;
      }
      if (JSON.stringify(merged) !== JSON.stringify(human)) {
        record("user.human.profile.changed", {
          firstName: merged.givenName,
          lastName: merged.familyName,
          nickName: merged.nickName,
          displayName: merged.displayName,
          preferredLanguage: merged.preferredLanguage,
        });
        patchHuman(store, user.id, merged, at);
      }
    }
    if (human && email && email.email !== human.email) {
      record("user.human.email.changed", { email: email.email });
      const made = email.isVerified ? undefined : newCode(store, "verifyEmail");
      if (made) record("user.human.email.code.added", coded(made));
      else record("user.human.email.verified");
      emailCode = made?.code;
      patchHuman(store, user.id, {
        email: email.email,
        emailVerified: made === undefined,
        emailCode: made,
      }, at);
    } else if (human && email?.isVerified && !human.emailVerified) {
      record("user.human.email.verified"); // of an address that stays, anything else is passed over
      patchHuman(store, user.id, { emailVerified: true, emailCode: undefined }, at);
    }
    if (machine && request.machine) {
      record("user.machine.changed", { ...request.machine });
      const accessTokenType = request.machine.accessTokenType === undefined
        ? machine.accessTokenType
        : tokenType(request.machine.accessTokenType);
      store.patch("user", user.id, {
        machine: { ...machine, ...request.machine, accessTokenType },
        changedAt: at,
      });
    }
    return { changeDate: at, ...(email?.returnCode && emailCode ? { emailCode } : {}) };
  },

  GetUserByID({ store, caller }: Call, { userId }: { userId: string }) {
    const user = store.seen("user", userId);
    if (!user) throw notFound("QUERY-Dfbg2", "Errors.User.NotFound");
    caller.needFor(user, "user.read");
    return { details: details(user.organizationId, user.changedAt), user: asUser(store, user) };
  },

  ListUsers({ store, caller }: Call, request: { query?: Pagination; queries?: UserQuery[] }) {
    const found = store.seenAll("user").filter((user) =>
      (user.id === caller.userId ||
        caller.may("user.read", { organizationId: user.organizationId })) &&
      (request.queries ?? []).every((query) => userFits(store, user, query))
    );
    const { rows, total } = page(found, request.query);
    return {
      details: { totalResult: total, timestamp: store.now() },
      result: rows.map((user) => asUser(store, user)),
    };
  },

  DeleteUser({ store, caller }: Call, { userId }: { userId: string }) {
    const user = store.get("user", userId);
    if (!user) throw notFound("COMMAND-bd4ir1mblj", "Errors.User.NotFound");
    caller.need("user.delete", { organizationId: user.organizationId });
    return { details: details(user.organizationId, removeUser(store, caller.userId, user)) };
  },

  DeactivateUser: (call: Call, { userId }: { userId: string }) =>
    setState(
      call,
      userId,
      "user.deactivated",
      "inactive",
      (state) =>
        state === "inactive" ? ["COMMAND-5gunjw0cd7", "Errors.User.AlreadyInactive"] : null,
    ),
  ReactivateUser: (call: Call, { userId }: { userId: string }) =>
    setState(
      call,
      userId,
      "user.reactivated",
      "active",
      (state) => state !== "inactive" ? ["COMMAND-s5qqcz97hf", "Errors.User.NotInactive"] : null,
    ),
  LockUser: (call: Call, { userId }: { userId: string }) =>
    setState(
      call,
      userId,
      "user.locked",
      "locked",
      (state) =>
        state === "locked" ? ["COMMAND-lgws8wtsqf", "Errors.User.ShouldBeActiveOrInitial"] : null,
    ),
  UnlockUser: (call: Call, { userId }: { userId: string }) =>
    setState(
      call,
      userId,
      "user.unlocked",
      "active",
      (state) => state !== "locked" ? ["COMMAND-olb9vb0oca", "Errors.User.NotLocked"] : null,
    ),
};

export function needUser(store: Store, id: string): User {
  const found = store.get("user", id);
  if (!found) throw notFound("COMMAND-m8zzq", "Errors.User.NotFound");
  return found;
}

export const userEvent = (user: User, type: string, payload: Record<string, unknown> = {}) => ({
  aggregateType: "user",
  aggregateId: user.id,
  type,
  resourceOwner: user.organizationId,
  payload,
});

export function patchHuman(
  store: Store,
  id: string,
  changes: Partial<NonNullable<User["human"]>>,
  changedAt: string,
): void {
  const user = store.get("user", id)!;
  const human = { ...user.human!, ...changes };
  store.patch("user", id, { human, changedAt, sequence: user.sequence + 1 });
}

type TokenType = NonNullable<User["machine"]>["accessTokenType"];
const tokenType = (given?: string): TokenType =>
  given === "ACCESS_TOKEN_TYPE_JWT" ? given : "ACCESS_TOKEN_TYPE_BEARER";

function setState(
  { store, caller }: Call,
  id: string,
  type: string,
  state: User["state"],
  refusal: (state: User["state"]) => [id: string, key: string] | null,
) {
  const user = needUser(store, id);
  caller.need("user.write", { organizationId: user.organizationId });
  const refused = refusal(user.state);
  if (refused) throw failedPrecondition(...refused);
  const at = store.push(caller.userId, [userEvent(user, type)]);
  const unlocked = user.human && type === "user.unlocked"
    ? { human: { ...user.human, failedAttempts: 0, failedChecks: {} } }
    : {};
  store.patch("user", id, { state, changedAt: at, ...unlocked });
  return { details: details(user.organizationId, at) };
}
