// Where oidc-provider keeps what it makes: grants, codes, refresh tokens. Clients are ZITADEL's applications.
import type postgres from "postgres";
import type { Store } from "../store.ts";
import { clientMetadata } from "./clients.ts";

type Payload = Record<string, unknown> & { grantId?: string };

/** Browser sessions of the library are never used: ZITADEL has its own. */
const unkept = new Set(["Session", "Interaction"]);

/** Nobody refreshes beyond the end of the session that they signed in with. */
function sessionLives(store: Store, oidcSessionId: string): boolean {
  const { sessionId = "" } = store.get("oidc_session", oidcSessionId) ?? {};
  const session = store.get("session", sessionId);
  return session?.state === "active" &&
    (session.expiresAt === undefined || Date.parse(session.expiresAt) > Date.now());
}

export function adapterFor(store: Store) {
  const { sql } = store;
  return class Adapter {
    readonly #model: string;
    constructor(model: string) {
      this.#model = model;
    }

    async upsert(id: string, payload: Payload, expiresIn?: number): Promise<void> {
      if (unkept.has(this.#model)) return;
      const expiresAt = expiresIn === undefined ? null : new Date(Date.now() + expiresIn * 1000);
      await sql`insert into double.oidc (model, id, payload, grant_id, expires_at)
        values (${this.#model}, ${id}, ${sql.json(payload as postgres.JSONValue)}, ${
        payload.grantId ?? null
      }, ${expiresAt})
        on conflict (model, id) do update
        set payload = excluded.payload, grant_id = excluded.grant_id, expires_at = excluded.expires_at`;
    }

    async find(id: string): Promise<Payload | undefined> {
      if (this.#model === "Client") return clientMetadata(store, id);
      if (unkept.has(this.#model)) return undefined;
      const [row] = await sql`select payload, consumed_at from double.oidc
        where model = ${this.#model} and id = ${id} and (expires_at is null or expires_at > now())`;
      if (!row) return undefined;
      // ZITADEL refuses an old refresh token and leaves its successor alone; the library would revoke the whole grant.
      if (this.#model === "RefreshToken") {
        if (row.consumed_at !== null || !sessionLives(store, row.payload.grantId)) return undefined;
      }
      return {
        ...row.payload,
        ...(row.consumed_at === null
          ? {}
          : { consumed: Math.floor(row.consumed_at.getTime() / 1000) }),
      };
    }

    findByUid(): Promise<undefined> {
      return Promise.resolve(undefined);
    }

    findByUserCode(): Promise<undefined> {
      return Promise.resolve(undefined);
    }

    async consume(id: string): Promise<void> {
      await sql`update double.oidc set consumed_at = now() where model = ${this.#model} and id = ${id}`;
    }

    async destroy(id: string): Promise<void> {
      await sql`delete from double.oidc where model = ${this.#model} and id = ${id}`;
    }

    async revokeByGrantId(grantId: string): Promise<void> {
      await sql`delete from double.oidc where grant_id = ${grantId}`;
    }
  };
}
