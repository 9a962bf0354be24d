import type { Application, Project } from "../model.ts";
import type { Store } from "../store.ts";

/** With everything that hangs on it. */
export function removeProject(store: Store, editor: string, project: Project): string {
  for (const application of store.all("application")) {
    if (application.projectId === project.id) dropApplication(store, application);
  }
  for (const authorization of store.all("authorization")) {
    if (authorization.projectId === project.id) {
      store.release("user_grant", grantKey(authorization));
      store.remove("authorization", authorization.id);
    }
  }
  store.release("project_name", `${project.organizationId}:${project.name}`);
  store.remove("project", project.id);
  return store.push(editor, [{
    aggregateType: "project",
    aggregateId: project.id,
    type: "project.removed",
    resourceOwner: project.organizationId,
    payload: { name: project.name },
  }]);
}

/** Without an event of its own: the caller has one. */
export function dropApplication(store: Store, application: Application): void {
  store.release("application_name", `${application.projectId}:${application.name}`);
  store.remove("application", application.id);
}

export const grantKey = (grant: { userId: string; projectId: string; organizationId: string }) =>
  `${grant.organizationId}:${grant.userId}:${grant.projectId}`;
