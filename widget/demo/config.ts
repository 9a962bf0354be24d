import { z } from "zod";

/** Where the storefront listens, and as which application it signs people in. */
export interface StorefrontConfig {
  issuer: string;
  /** Empty until the application is provisioned: the shop then says that it is not open yet. */
  clientId: string;
  /** Narrows sign-in to one organization. */
  organizationId: string | undefined;
  /** The widget's script: `…/functions/v1/widget/gatehouse.js`. */
  widgetUrl: string;
}

const Settings = z.object({
  issuer: z.url(),
  clientId: z.string().default(""),
  organizationId: z.string().optional(),
  widgetUrl: z.url(),
});

/** The environment; what stands in the file STOREFRONT_CONFIG wins, and is read at each call: the client id is known only later. */
export async function readConfig(env = Deno.env.toObject()): Promise<StorefrontConfig> {
  const file = env.STOREFRONT_CONFIG ? await readJson(env.STOREFRONT_CONFIG) : {};
  const { issuer, clientId, organizationId, widgetUrl } = Settings.parse({
    issuer: env.STOREFRONT_ISSUER,
    clientId: env.STOREFRONT_CLIENT_ID,
    organizationId: env.STOREFRONT_ORG_ID,
    widgetUrl: env.STOREFRONT_WIDGET_URL,
    ...file,
  });
  return { issuer, clientId, organizationId, widgetUrl };
}

async function readJson(path: string): Promise<Record<string, unknown>> {
  try {
    return JSON.parse(await Deno.readTextFile(path));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return {};
    throw error;
  }
}
