import type { Wire } from "./call.ts";
import { anyChanged, awaited, listAll, orNull, updated, written } from "./ensure.ts";
import { ZitadelError } from "./errors.ts";
import type { Provisioner } from "./types.ts";

const service = "zitadel.project.v2.ProjectService";

interface Project {
  organizationId: string;
  name: string;
  projectRoleAssertion?: boolean;
  projectAccessRequired?: boolean;
  authorizationRequired?: boolean;
}
interface Role {
  key: string;
  displayName?: string;
}

export function projects(wire: Wire) {
  const get = async (projectId: string) =>
    (await orNull(wire.connect<{ project: Project }>(service, "GetProject", { projectId })))
      ?.project ?? null;

  const roles = (projectId: string) =>
    listAll<Role>(async (pagination) =>
      (await wire.connect<{ projectRoles?: Role[] }>(service, "ListProjectRoles", {
        projectId,
        pagination,
      })).projectRoles
    );

  return {
    async ensureProject({ orgId, id, name, ...flags }) {
      const asked = {
        name,
        projectRoleAssertion: flags.projectRoleAssertion ?? false,
        projectAccessRequired: flags.projectAccessRequired ?? false,
        authorizationRequired: flags.authorizationRequired ?? false,
      };
      const differences = (found: Project) =>
        Object.fromEntries(
          Object.entries(asked).filter(([key, value]) =>
            (found[key as keyof typeof asked] ?? false) !== value
          ),
        );
      let found = await get(id);
      if (found === null) {
        const made = await written(
          wire.connect(service, "CreateProject", {
            organizationId: orgId,
            projectId: id,
            ...asked,
          }),
          "already_exists",
          "COMMAND-opamwu",
        );
        if (made) return { id, changed: true };
        found = await awaited(() => get(id));
      }
      if (found === null || found.organizationId !== orgId) {
        throw new ZitadelError({
          code: "already_exists",
          id: "COMMAND-opamwu",
          message: `Project "${id}" is taken outside organization "${orgId}"`,
        });
      }
      const differing = differences(found);
      if (Object.keys(differing).length === 0) return { id, changed: false };
      const changed = await updated(
        wire.connect(service, "UpdateProject", { projectId: id, ...differing }),
        async () => {
          const now = await get(id);
          return now !== null && Object.keys(differences(now)).length === 0;
        },
      );
      return { id, changed };
    },

    async ensureRoles(projectId, asked, { exact = false } = {}) {
      const found = new Map((await roles(projectId)).map((role) => [role.key, role.displayName]));
      const changes: boolean[] = [];
      for (const { key, displayName } of asked) {
        const body = { projectId, roleKey: key, displayName };
        if (!found.has(key)) {
          const add = wire.connect(service, "AddProjectRole", body);
          changes.push(await written(add, "already_exists", "V3-DKcYh"));
        } else if (found.get(key) !== displayName) {
          changes.push(
            await updated(
              wire.connect(service, "UpdateProjectRole", body),
              async () =>
                (await roles(projectId)).some((role) =>
                  role.key === key && role.displayName === displayName
                ),
            ),
          );
        }
      }
      for (const key of exact ? found.keys() : []) {
        if (asked.some((role) => role.key === key)) continue;
        await orNull(wire.connect(service, "RemoveProjectRole", { projectId, roleKey: key }));
        changes.push(true);
      }
      return anyChanged(projectId, changes);
    },

    async removeProject(projectId) {
      await orNull(wire.connect(service, "DeleteProject", { projectId }));
    },
  } satisfies Partial<Provisioner>;
}
