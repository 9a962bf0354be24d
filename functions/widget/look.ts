import { z } from "zod";
import type { Sql } from "../_shared/db.ts";
import { Look } from "./contract.ts";

/** The ways that a tenant may switch off; what its organization's settings forbid stays off either way. */
export const flowNames = ["password", "passkey", "email_code", "register", "reset"] as const;
export type FlowName = typeof flowNames[number];

/** A published version as its address serves it. */
export const PublishedDocument = z.object({
  /** `logoUrl` is relative to this function. */
  look: Look,
  /** Offered languages; the first is the default. */
  languages: z.array(z.string()).min(1),
  flows: z.record(z.enum(flowNames), z.boolean()),
  /** Shown where an account is made. */
  termsUrl: z.string().optional(),
  privacyUrl: z.string().optional(),
});
type Document = z.output<typeof PublishedDocument>;

/** What a tenant published for its sign-in, for all applications or for the one that asks. */
export interface Published extends Document {
  /** SHA-256 of what `GET /config/<hash>.json` answers, in hex. */
  hash: string;
}

export interface Looks {
  /** The application's own, else the tenant's; null when nothing is published: the widget's defaults, every flow on but `email_code`. */
  find(tenantId: string, appId: string | null): Promise<Published | null>;
}

/** `publicUrl`: of Gatehouse, without a slash at the end; logos are ours to serve. */
export function databaseLooks(sql: () => Sql, publicUrl: string): Looks {
  return {
    async find(tenantId, appId) {
      const [row] = await sql()<{ found: { hash: string; document: Document } | null }[]>`
        select private.widget_look(${tenantId}, ${appId}) as found`;
      if (!row?.found) return null;
      const { hash, document } = row.found;
      const { logoUrl } = document.look;
      const look = logoUrl === undefined ? document.look : {
        ...document.look,
        logoUrl: `${publicUrl}/functions/v1/widget/${logoUrl}`,
      };
      return { ...document, hash, look };
    },
  };
}

/** A tenant's look alone. */
export async function loadLook(
  looks: Looks,
  tenantId: string,
  appId: string | null,
): Promise<Look | null> {
  return (await looks.find(tenantId, appId))?.look ?? null;
}
