// Who may manage what in ZITADEL (administrators), and who has which role of a project (authorizations).
import type { Wire } from "./call.ts";
import { awaited, listAll, sameSet, updated, written } from "./ensure.ts";
import type { Provisioner } from "./types.ts";

const permissionService = "zitadel.internal_permission.v2.InternalPermissionService";
const authorizationService = "zitadel.authorization.v2.AuthorizationService";

interface Administrator {
  user?: { id?: string };
  roles?: string[];
}
interface Authorization {
  id: string;
  roles?: { key: string }[];
}

export function access(wire: Wire) {
  return {
    async ensureAdministrator({ userId, resource, roles }) {
      const read = async () =>
        (await listAll<Administrator>(async (pagination) =>
          (await wire.connect<{ administrators?: Administrator[] }>(
            permissionService,
            "ListAdministrators",
            { pagination, filters: [{ inUserIdsFilter: { ids: [userId] } }, { resource }] },
          )).administrators
        ))[0] ?? null;
      const body = { userId, resource, roles };
      let found = await read();
      if (found === null) {
        const made = await written(
          wire.connect(permissionService, "CreateAdministrator", body),
          "already_exists", // INSTA-pFDwe, ORG-poWwe or PROJECT-PtXi1
        );
        if (made) return { id: userId, changed: true };
        found = await awaited(read);
      }
      if (sameSet(found?.roles ?? [], roles)) return { id: userId, changed: false };
      const changed = await updated(
        wire.connect(permissionService, "UpdateAdministrator", body),
        async () => sameSet((await read())?.roles ?? [], roles),
      );
      return { id: userId, changed };
    },

    async ensureAuthorization({ userId, projectId, orgId, roleKeys }) {
      const read = async () =>
        (await wire.connect<{ authorizations?: Authorization[] }>(
          authorizationService,
          "ListAuthorizations",
          {
            pagination: { limit: 1 },
            filters: [
              { inUserIds: { ids: [userId] } },
              { projectId: { id: projectId } },
              { organizationId: { id: orgId } },
            ],
          },
        )).authorizations?.[0] ?? null;
      const keys = (authorization: Authorization | null) =>
        (authorization?.roles ?? []).map((role) => role.key);
      let found = await read();
      if (found === null) {
        const create = wire.connect<{ id: string }>(authorizationService, "CreateAuthorization", {
          userId,
          projectId,
          organizationId: orgId,
          roleKeys,
        });
        if (await written(create, "already_exists", "V3-DKcYh")) {
          return { id: (await create).id, changed: true };
        }
        found = await awaited(read);
      }
      const id = found?.id ?? "";
      if (sameSet(keys(found), roleKeys)) return { id, changed: false };
      const changed = await updated(
        wire.connect(authorizationService, "UpdateAuthorization", { id, roleKeys }),
        async () => sameSet(keys(await read()), roleKeys),
      );
      return { id, changed };
    },
  } satisfies Partial<Provisioner>;
}
