import type { Sql } from "../_shared/db.ts";

/** Who asks for a sign-in, and whose it is: `private.widget_client`, `private.widget_tenant`. */
export interface WidgetClient {
  /** `account`: no application, the person's own page. */
  kind: "portal" | "app" | "account";
  tenantId: string;
  tenantName: string;
  tenantStatus: string;
  organizationId: string | null;
  appId: string | null;
  appName: string;
  enabled: boolean;
  /** Whether people may sign in within the application's own pages. */
  inlineEnabled: boolean;
  /** Of its redirect URIs. */
  inlineOrigins: string[];
}

/** Where a login name belongs: `private.find_login_organization`. */
export interface LoginOrganization {
  tenantId: string;
  organizationId: string | null;
  tenantStatus: string;
}

export interface Clients {
  find(clientId: string): Promise<WidgetClient | null>;
  /** By id or slug. */
  findTenant(tenant: string): Promise<WidgetClient | null>;
  /** For the portal only, where people of every tenant sign in. */
  findLoginOrganization(loginName: string): Promise<LoginOrganization | null>;
  /** Whether an application has pages of this origin. */
  isAppOrigin(origin: string): Promise<boolean>;
  /** By ZITADEL's id: whether the person administers anything. */
  isAdministrator(userId: string): Promise<boolean>;
}

export function databaseClients(sql: () => Sql): Clients {
  return {
    async find(clientId) {
      const [row] = await sql()<{ client: WidgetClient | null }[]>`
        select private.widget_client(${clientId}) as client`;
      return row?.client ?? null;
    },
    async findTenant(tenant) {
      const [row] = await sql()<{ client: WidgetClient | null }[]>`
        select private.widget_tenant(${tenant}) as client`;
      return row?.client ?? null;
    },
    async findLoginOrganization(loginName) {
      const [row] = await sql()<{ organization: LoginOrganization | null }[]>`
        select private.find_login_organization(${loginName}) as organization`;
      return row?.organization ?? null;
    },
    async isAppOrigin(origin) {
      const [row] = await sql()<{ known: boolean }[]>`
        select private.is_app_origin(${origin}) as known`;
      return row?.known ?? false;
    },
    async isAdministrator(userId) {
      const [row] = await sql()<{ administers: boolean }[]>`
        select private.is_administrator(${userId}) as administers`;
      return row?.administers ?? true;
    },
  };
}
