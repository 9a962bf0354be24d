/** The portal's few questions to PostgREST, through supabase-js as any customer would ask them. */
import { createClient, type PostgrestError } from "@supabase/supabase-js";
import type { PortalConfig } from "./config.ts";
import type { SignedIn } from "./sign_in.ts";

export interface Tenant {
  id: string;
  slug: string;
  name: string;
  kind: "platform" | "customer";
  status: "provisioning" | "active" | "suspended" | "archived";
  organization_id: string | null;
  login_domain: string | null;
  created_at: string;
  activated_at: string | null;
}

export interface Step {
  name: string;
  state: "pending" | "ok" | "skipped" | "error";
  attempts: number;
  last_error: { slug: string; detail: string; at: string } | null;
  started_at: string | null;
  settled_at: string | null;
}

export interface App {
  id: string;
  name: string;
  kind: "web" | "spa" | "native";
  state: "pending" | "active" | "error";
  client_id: string | null;
  redirect_uris: string[];
}

export interface NewTenant {
  slug: string;
  name: string;
  admin: { email: string; given_name: string; family_name: string } | null;
  app: { name: string; kind: string; redirect_uris: string[]; post_logout_uris: string[] } | null;
}

/** A refusal by PostgREST; `slug` is stable, `detail` is for people. */
export class ApiError extends Error {
  readonly slug: string;

  constructor(error: PostgrestError) {
    const forbidden = error.code === "42501"; // Postgres's own words name functions, not what was wanted
    super(forbidden ? "You may not do this" : error.details || error.message);
    this.slug = forbidden ? "not_allowed" : error.message;
  }
}

export type TenantsApi = ReturnType<typeof tenantsApi>;

export function tenantsApi(config: PortalConfig, signedIn: SignedIn) {
  const apiUrl = config.restUrl.replace(/\/rest\/v1$/, ""); // supabase-js appends /rest/v1 itself
  const supabase = createClient(apiUrl, config.anonKey, { accessToken: signedIn.accessToken });

  return {
    /** Mirrors the person who signed in, so that rights can be found; tells what the person may. */
    async startSession(): Promise<{ mayCreateTenants: boolean }> {
      unwrap(await supabase.rpc("start_session"));
      const { assignments } = unwrap(await supabase.rpc("whoami")) as {
        assignments: { role: string }[];
      };
      return { mayCreateTenants: assignments.some(({ role }) => role === "platform_admin") };
    },

    async listTenants(): Promise<Tenant[]> {
      return unwrap(
        await supabase.from("tenants")
          .select(
            "id,slug,name,kind,status,organization_id,login_domain,created_at,activated_at",
          )
          .order("created_at", { ascending: false }).limit(200),
      ) as Tenant[];
    },

    async createTenant(input: NewTenant): Promise<Tenant> {
      return unwrap(await supabase.rpc("create_tenant", input)) as Tenant;
    },

    /** Looks at the tenant's twin in ZITADEL again, from the first step that is not as it should be. */
    async reconcileTenant(tenantId: string): Promise<void> {
      unwrap(await supabase.rpc("reconcile_tenant", { tenant_id: tenantId }));
    },

    /** One tenant with what its page shows; null when it is gone. */
    async getTenant(
      tenantId: string,
    ): Promise<{ tenant: Tenant; steps: Step[]; apps: App[] } | null> {
      const [tenants, steps, apps] = await Promise.all([
        supabase.from("tenants").select(
          "id,slug,name,kind,status,organization_id,login_domain,created_at,activated_at",
        ).eq("id", tenantId),
        supabase.from("provisioning_steps")
          .select("name,state,attempts,last_error,started_at,settled_at")
          .eq("tenant_id", tenantId).order("position"),
        supabase.from("apps").select("id,name,kind,state,client_id,redirect_uris")
          .eq("tenant_id", tenantId).order("name"),
      ]);
      const tenant = (unwrap(tenants) as Tenant[])[0];
      if (!tenant) return null;
      return { tenant, steps: unwrap(steps) as Step[], apps: unwrap(apps) as App[] };
    },
  };
}

function unwrap<T>(answer: { data: T; error: PostgrestError | null }): T {
  if (answer.error) throw new ApiError(answer.error);
  return answer.data;
}
