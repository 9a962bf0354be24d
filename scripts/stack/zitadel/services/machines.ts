// Credentials of machine users: personal access tokens, secrets, keys.
import { Buffer } from "node:buffer";
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { hash } from "../caller.ts";
import { failedPrecondition } from "../errors.ts";
import type { User } from "../model.ts";
import { type Call, page, type Pagination, type Service } from "../service.ts";
import type { Store } from "../store.ts";
import { needUser, userEvent } from "./users.ts";

export const machines: Service = {
  AddPersonalAccessToken(
    call: Call,
    { userId, expirationDate }: { userId: string; expirationDate: string },
  ) {
    const user = needMachine(call, userId);
    const made = addToken(call.store, call.caller.userId, user, expirationDate);
    return { creationDate: made.createdAt, tokenId: made.id, token: made.token };
  },

  RemovePersonalAccessToken(
    call: Call,
    { userId, tokenId }: { userId: string; tokenId: string },
  ) {
    const user = needMachine(call, userId);
    const found = call.store.all("token").find((token) =>
      token.userId === userId && token.tokenId === tokenId
    );
    if (found) call.store.remove("token", found.id);
    return { deletionDate: record(call, user, "user.pat.removed", { tokenId }) };
  },

  ListPersonalAccessTokens(
    { store, caller }: Call,
    request: { pagination?: Pagination; filters?: { userIdFilter?: { id?: string } }[] },
  ) {
    const found = store.seenAll("token").filter((token) => {
      const user = store.get("user", token.userId);
      return token.personal && user !== undefined &&
        (user.id === caller.userId ||
          caller.may("user.read", { organizationId: user.organizationId })) &&
        (request.filters ?? []).every(({ userIdFilter }) =>
          userIdFilter === undefined || userIdFilter.id === token.userId
        );
    });
    const { rows, pagination } = page(found, request.pagination);
    return {
      pagination,
      result: rows.map((token) => ({
        id: token.tokenId,
        userId: token.userId,
        organizationId: store.get("user", token.userId)!.organizationId,
        creationDate: token.createdAt,
        changeDate: token.createdAt,
        expirationDate: token.expiresAt,
      })),
    };
  },

  AddSecret(call: Call, { userId }: { userId: string }) {
    const user = needMachine(call, userId);
    const clientSecret = randomBytes(48).toString("base64url");
    const at = record(call, user, "user.machine.secret.set", { hashedSecret: "$2a$04$never" });
    patchMachine(call.store, user, { secretHash: hash(clientSecret) }, at);
    return { creationDate: at, clientSecret };
  },

  RemoveSecret(call: Call, { userId }: { userId: string }) {
    const user = needMachine(call, userId);
    const { secretHash: _removed, ...machine } = user.machine;
    const at = record(call, user, "user.machine.secret.removed");
    call.store.patch("user", user.id, { machine, changedAt: at });
    return { deletionDate: at };
  },

  AddKey(
    call: Call,
    request: { userId: string; expirationDate: string; publicKey?: string },
  ) {
    const user = needMachine(call, request.userId);
    const keyId = call.store.newId();
    let publicKey = Buffer.from(request.publicKey ?? "", "base64").toString();
    let keyContent = "";
    if (publicKey === "") {
      const pair = generateKeyPairSync("rsa", {
        modulusLength: 2048,
        publicKeyEncoding: { type: "spki", format: "pem" },
        privateKeyEncoding: { type: "pkcs1", format: "pem" },
      });
      publicKey = pair.publicKey;
      const content = { type: "serviceaccount", keyId, key: pair.privateKey, userId: user.id };
      keyContent = Buffer.from(JSON.stringify(content)).toString("base64");
    }
    const at = record(call, user, "user.machine.key.added", {
      keyId,
      expirationDate: request.expirationDate,
      publicKey,
    });
    patchMachine(call.store, user, {
      keys: { ...user.machine.keys, [keyId]: { publicKey, expiresAt: request.expirationDate } },
    }, at);
    return { creationDate: at, keyId, ...(keyContent ? { keyContent } : {}) };
  },

  RemoveKey(call: Call, { userId, keyId }: { userId: string; keyId: string }) {
    const user = needMachine(call, userId);
    const { [keyId]: _removed, ...keys } = user.machine.keys;
    const at = record(call, user, "user.machine.key.removed", { keyId });
    patchMachine(call.store, user, { keys }, at);
    return { deletionDate: at };
  },
};

/** Kept by its hash; shown this once. */
export function addToken(store: Store, editor: string, user: User, expiresAt: string) {
  const token = randomBytes(54).toString("base64url");
  const tokenId = store.newId();
  const createdAt = store.push(editor, [
    userEvent(user, "user.pat.added", { tokenId, expiration: expiresAt, scopes: ["openid"] }),
  ]);
  const id = hash(token);
  store.put("token", id, {
    id,
    tokenId,
    userId: user.id,
    expiresAt,
    personal: true,
    createdAt,
    forApi: true,
  });
  return { id: tokenId, token, createdAt };
}

function record(
  call: Call,
  user: User,
  type: string,
  payload: Record<string, unknown> = {},
): string {
  return call.store.push(call.caller.userId, [userEvent(user, type, payload)]);
}

function patchMachine(
  store: Store,
  user: User,
  changes: Partial<NonNullable<User["machine"]>>,
  changedAt: string,
): void {
  store.patch("user", user.id, { machine: { ...user.machine!, ...changes }, changedAt });
}

function needMachine({ store, caller }: Call, id: string) {
  const user = needUser(store, id);
  caller.needFor(user, "user.write");
  if (!user.machine) throw failedPrecondition("COMMAND-bBdfD", "Errors.User.NotMachine");
  return { ...user, machine: user.machine };
}
