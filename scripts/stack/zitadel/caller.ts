// Who calls, and what they may: bearer token → user → manager roles.
import { createHash } from "node:crypto";
import { ApiError, permissionDenied } from "./errors.ts";
import type { AccessToken, Resource } from "./model.ts";
import { roleMay } from "./roles.ts";
import type { Store } from "./store.ts";

export const hash = (secret: string) => createHash("sha256").update(secret).digest("base64url");

const unauthenticated = (id: string | undefined, key: string) =>
  new ApiError("unauthenticated", id, key);

/** A token of ours in our words: from the store, or from a signed JWT. */
export type VerifyToken = (token: string) => Promise<
  Pick<AccessToken, "userId" | "forApi"> | null
>;

export class Caller {
  readonly userId: string;
  /** The caller's own organization, or the one that `x-zitadel-orgid` names. */
  readonly organizationId: string;
  #store: Store;

  constructor(store: Store, userId: string, organizationId: string) {
    this.#store = store;
    this.userId = userId;
    this.organizationId = organizationId;
  }

  /** On the instance, or through a role on this organization or project. */
  may(permission: string, on: { organizationId?: string; projectId?: string } = {}): boolean {
    return this.#store.all("administrator").some(({ userId, resource, roles }) =>
      userId === this.userId && covers(resource, on) &&
      roles.some((role) => roleMay(role, permission))
    );
  }

  need(permission: string, on: { organizationId?: string; projectId?: string } = {}): void {
    if (this.may(permission, on)) return;
    const any = this.#store.all("administrator").some(({ userId }) => userId === this.userId);
    throw any
      ? permissionDenied("AUTH-Swrgg2", "No matching permissions found")
      : permissionDenied("AUTH-AWfge", "No matching permissions found");
  }

  /** Users may do some things to themselves. */
  needFor(user: { id: string; organizationId: string }, permission: string): void {
    if (user.id !== this.userId) {
      this.need(permission, { organizationId: user.organizationId });
    }
  }
}

function covers(resource: Resource, on: { organizationId?: string; projectId?: string }): boolean {
  if (resource.kind === "instance") return true;
  if (resource.kind === "organization") return resource.id === on.organizationId;
  return resource.id === on.projectId;
}

export async function authenticate(
  store: Store,
  verify: VerifyToken,
  headers: { authorization?: string | undefined; organization?: string | undefined },
): Promise<Caller> {
  const bearer = /^Bearer (\S+)$/i.exec(headers.authorization ?? "")?.[1];
  if (bearer === undefined) throw unauthenticated(undefined, "auth header missing");
  const token = await verify(bearer);
  const user = token && store.get("user", token.userId);
  // A token whose audience lacks ZITADEL's own project opens nothing here.
  if (!user || user.state !== "active" || !token.forApi) {
    throw unauthenticated("AUTH-7fs1e", "Errors.Token.Invalid");
  }
  if (headers.organization !== undefined && !store.get("organization", headers.organization)) {
    throw permissionDenied("AUTH-Bs7Ds", "Organisation doesn't exist");
  }
  return new Caller(store, user.id, headers.organization ?? user.organizationId);
}
