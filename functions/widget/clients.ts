import type { Sql } from "../_shared/db.ts";

/** Which application an auth request is for, and whose it is: `private.widget_client`. */
export interface WidgetClient {
  kind: "portal" | "app";
  tenantId: string;
  tenantName: string;
  tenantStatus: string;
  organizationId: string | null;
  appId: string | null;
  appName: string;
  enabled: boolean;
}

/** Where a login name belongs: `private.find_login_organization`. */
export interface LoginOrganization {
  tenantId: string;
  organizationId: string | null;
  tenantStatus: string;
}

export interface Clients {
  find(clientId: string): Promise<WidgetClient | null>;
  /** For the portal only, where people of every tenant sign in. */
  findLoginOrganization(loginName: string): Promise<LoginOrganization | null>;
}

export function databaseClients(sql: () => Sql): Clients {
  return {
    async find(clientId) {
      const [row] = await sql()<{ client: WidgetClient | null }[]>`
        select private.widget_client(${clientId}) as client`;
      return row?.client ?? null;
    },
    async findLoginOrganization(loginName) {
      const [row] = await sql()<{ organization: LoginOrganization | null }[]>`
        select private.find_login_organization(${loginName}) as organization`;
      return row?.organization ?? null;
    },
  };
}
