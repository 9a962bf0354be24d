// Links of a user to what they are called at other providers.
import { listAll } from "./ensure.ts";
import type { LoginWire } from "./platform_guard.ts";
import type { CredentialCalls, IdpLink } from "./types.ts";
import { userService } from "./users.ts";

interface WireLink {
  idpId?: string;
  userId?: string;
  userName?: string;
}

export const wireLink = (link: IdpLink): WireLink => ({
  idpId: link.idpId,
  userId: link.externalUserId,
  userName: link.externalUserName,
});

const readLink = ({ idpId = "", userId = "", userName = "" }: WireLink): IdpLink => ({
  idpId,
  externalUserId: userId,
  externalUserName: userName,
});

export function idpLinks({ connect }: LoginWire) {
  return {
    async listIdpLinks(userId) {
      const links = await listAll<WireLink>(async (query) =>
        (await connect<{ result?: WireLink[] }>(userService, "ListIDPLinks", { userId, query }))
          .result
      );
      return links.map(readLink);
    },

    async addIdpLink(userId, link) {
      await connect(userService, "AddIDPLink", { userId, idpLink: wireLink(link) });
    },

    async removeIdpLink(userId, { idpId, externalUserId }) {
      await connect(userService, "RemoveIDPLink", {
        userId,
        idpId,
        linkedUserId: externalUserId,
      });
    },
  } satisfies Partial<CredentialCalls>;
}
