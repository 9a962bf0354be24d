// Which external account is whose. [S] internal/command/user_idp_link.go
import { alreadyExists, failedPrecondition, notFound } from "../errors.ts";
import type { IdpLink } from "../model_idps.ts";
import { type Call, details, page, type Pagination, type Service } from "../service.ts";
import type { Store } from "../store.ts";
import { needUser, userEvent } from "./users.ts";

interface WireLink {
  idpId: string;
  userId: string;
  userName?: string;
}

export const idpLinks: Service = {
  AddIDPLink(call: Call, { userId, idpLink }: { userId: string; idpLink: WireLink }) {
    const { store, caller } = call;
    const user = store.get("user", userId);
    if (!user) throw failedPrecondition("COMMAND-vzktar7b7f", "Errors.User.NotFound");
    caller.needFor(user, "user.write");
    const at = addLink(call, userId, idpLink);
    return { details: details(user.organizationId, at) };
  },

  ListIDPLinks({ store, caller }: Call, request: { userId: string; query?: Pagination }) {
    const user = store.seen("user", request.userId);
    if (!user) throw notFound("QUERY-Dfbg2", "Errors.User.NotFound");
    caller.needFor(user, "user.read");
    const { rows, total } = page(
      store.seenAll("idp_link").filter((link) => link.userId === user.id),
      request.query,
    );
    return {
      details: { totalResult: total, timestamp: store.now() },
      result: rows.map(({ idpId, externalUserId, externalUserName }) => ({
        idpId,
        userId: externalUserId,
        userName: externalUserName,
      })),
    };
  },

  RemoveIDPLink(
    { store, caller }: Call,
    request: { userId: string; idpId: string; linkedUserId: string },
  ) {
    const link = store.get("idp_link", linkId(request.idpId, request.linkedUserId));
    if (link?.userId !== request.userId) {
      throw notFound("COMMAND-1M9xR", "Errors.User.ExternalIDP.NotFound");
    }
    const user = needUser(store, link.userId);
    caller.needFor(user, "user.write");
    const at = removeLink(store, caller.userId, link, "removed");
    return { details: details(user.organizationId, at) };
  },
};

const linkId = (idpId: string, externalUserId: string) => `${idpId}/${externalUserId}`;

/** @throws V3-DKcYh when an account is somebody's already */
export function refuseTakenLinks(store: Store, links: WireLink[]): void {
  for (const { idpId, userId } of links) {
    if (!store.get("idp", idpId)) {
      throw failedPrecondition("COMMAND-39nfs", "Errors.IDPConfig.NotExisting");
    }
    if (store.get("idp_link", linkId(idpId, userId))) {
      throw alreadyExists("V3-DKcYh", "Errors.User.ExternalIDP.AlreadyExists");
    }
  }
}

export function addLink({ store, caller }: Call, userId: string, link: WireLink): string {
  const user = needUser(store, userId);
  refuseTakenLinks(store, [link]);
  const id = linkId(link.idpId, link.userId);
  const at = store.push(caller.userId, [
    userEvent(user, "user.human.externalidp.added", {
      idpConfigId: link.idpId,
      userId: link.userId,
      displayName: link.userName ?? "",
    }),
  ]);
  store.put("idp_link", id, {
    id,
    idpId: link.idpId,
    externalUserId: link.userId,
    externalUserName: link.userName ?? "",
    userId,
  });
  return at;
}

export const linkedUser = (store: Store, idpId: string, externalUserId: string) =>
  store.get("idp_link", linkId(idpId, externalUserId))?.userId;

/** `cascade.removed`: the provider went, or the login policy let it go. */
export function removeLink(
  store: Store,
  editor: string,
  link: IdpLink,
  how: "removed" | "cascade.removed",
): string {
  store.remove("idp_link", link.id);
  return store.push(editor, [
    userEvent(needUser(store, link.userId), `user.human.externalidp.${how}`, {
      idpConfigId: link.idpId,
      userId: link.externalUserId,
    }),
  ]);
}

export function removeLinksOf(
  store: Store,
  editor: string,
  of: { idpId: string } | { userId: string },
): void {
  for (const link of store.all("idp_link")) {
    const theirs = "idpId" in of ? link.idpId === of.idpId : link.userId === of.userId;
    if (theirs) removeLink(store, editor, link, "cascade.removed");
  }
}
