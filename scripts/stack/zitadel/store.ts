/**
 * The double's state: in memory, written to Postgres before an answer leaves, read back at the next start. One process owns it,
 * and a handler changes it without waiting in between, so nothing is ever half seen.
 * Reads that ZITADEL answers from a projection go through `seen…`, which is late by `lagMs`.
 */
import postgres from "postgres";
import { alreadyExists } from "./errors.ts";
import type { Kind, Kinds } from "./model.ts";
import { type EventRow, EventStore, type NewEvent } from "./events.ts";

interface Version {
  at: number;
  value: unknown;
}

export class Store {
  readonly sql: postgres.Sql;
  readonly events: EventStore;
  lagMs: number;
  #objects = new Map<Kind, Map<string, Version[]>>();
  #dirty = new Map<string, { kind: Kind; id: string }>();
  #newEvents: EventRow[] = [];
  #writing: Promise<void> = Promise.resolve();
  #lastMicros = 0;
  #counter = 0;

  private constructor(sql: postgres.Sql, lagMs: number) {
    this.sql = sql;
    this.lagMs = lagMs;
    this.events = new EventStore(sql);
  }

  static async open(url: string, lagMs: number): Promise<Store> {
    const sql = postgres(url, { max: 4, onnotice: () => {} });
    await sql`create schema if not exists double`;
    await sql`create table if not exists double.objects (
      kind text not null, id text not null, data jsonb not null, primary key (kind, id))`;
    await EventStore.create(sql);
    await sql`create table if not exists double.oidc (
      model text not null, id text not null, payload jsonb not null, grant_id text, expires_at timestamptz,
      consumed_at timestamptz, primary key (model, id))`;
    await sql`create index if not exists oidc_grant on double.oidc (grant_id)`;
    const store = new Store(sql, lagMs);
    for (const { kind, id, data } of await sql`select kind, id, data from double.objects`) {
      store.#versions(kind as Kind, id as string).push({ at: 0, value: data });
    }
    await store.events.load();
    return store;
  }

  async close(): Promise<void> {
    await this.flush();
    await this.sql.end();
  }

  get<K extends Kind>(kind: K, id: string): Kinds[K] | undefined {
    return this.#objects.get(kind)?.get(id)?.at(-1)?.value as Kinds[K] | undefined;
  }

  all<K extends Kind>(kind: K): Kinds[K][] {
    return [...this.#objects.get(kind)?.keys() ?? []].flatMap((id) => this.get(kind, id) ?? []);
  }

  /** As the projection shows it: late by `lagMs`. */
  seen<K extends Kind>(kind: K, id: string): Kinds[K] | undefined {
    const until = Date.now() - this.lagMs;
    return this.#objects.get(kind)?.get(id)?.findLast(({ at }) => at <= until)?.value as
      | Kinds[K]
      | undefined;
  }

  seenAll<K extends Kind>(kind: K): Kinds[K][] {
    return [...this.#objects.get(kind)?.keys() ?? []].flatMap((id) => this.seen(kind, id) ?? []);
  }

  put<K extends Kind>(kind: K, id: string, value: Kinds[K]): void {
    this.#set(kind, id, value);
  }

  /** `changes` over what is there. */
  patch<K extends Kind>(kind: K, id: string, changes: Partial<Kinds[K]>): Kinds[K] {
    const now = this.get(kind, id);
    if (now === undefined) throw new Error(`There is no ${kind} "${id}"`);
    const value = { ...now, ...changes };
    this.#set(kind, id, value);
    return value;
  }

  remove(kind: Kind, id: string): void {
    this.#set(kind, id, undefined);
  }

  /** ZITADEL compares lower case, instance-wide per type. @throws V3-DKcYh */
  claim(type: string, value: string, holder: string, key: string): void {
    const id = `${type}/${value.toLowerCase()}`;
    const found = this.get("unique", id);
    if (found !== undefined && found.holder !== holder) throw alreadyExists("V3-DKcYh", key);
    this.#set("unique", id, { id, holder });
  }

  /** Another holder's claim stays. */
  release(type: string, value: string, holder?: string): void {
    const id = `${type}/${value.toLowerCase()}`;
    if (holder === undefined || this.get("unique", id)?.holder === holder) {
      this.#set("unique", id, undefined);
    }
  }

  isFree(type: string, value: string, holder: string): boolean {
    const found = this.get("unique", `${type}/${value.toLowerCase()}`);
    return found === undefined || found.holder === holder;
  }

  /** Events of one push share their moment, as ZITADEL's do. */
  push(editor: string, events: NewEvent[]): string {
    const createdAt = this.now();
    this.#newEvents.push(...this.events.number(editor, createdAt, events));
    return createdAt;
  }

  /** Ever later, in microseconds. */
  now(): string {
    const micros = Math.max(
      Math.floor((performance.timeOrigin + performance.now()) * 1000),
      this.#lastMicros + 1,
    );
    this.#lastMicros = micros;
    const millis = Math.floor(micros / 1000);
    return new Date(millis).toISOString().replace(
      "Z",
      `${String(micros % 1000).padStart(3, "0")}Z`,
    );
  }

  /** 18 to 19 digits, as ZITADEL's: more than a JavaScript number holds. */
  newId(): string {
    this.#counter = (this.#counter + 1) % 0x400000;
    return String((BigInt(Date.now() - 1_680_000_000_000) << 22n) + BigInt(this.#counter));
  }

  /** Everything changed so far is in Postgres when this returns; also whose handler threw, as wrong passwords are kept. */
  flush(): Promise<void> {
    const objects = [...this.#dirty.values()];
    const events = this.#newEvents;
    this.#dirty = new Map();
    this.#newEvents = [];
    if (objects.length === 0 && events.length === 0) return this.#writing;
    this.#writing = this.#writing.then(async () => {
      await retried(() => this.#write(objects, events));
      this.events.announce(events);
    });
    return this.#writing;
  }

  async #write(objects: { kind: Kind; id: string }[], events: EventRow[]): Promise<void> {
    await this.sql.begin(async (sql) => {
      for (const { kind, id } of objects) {
        const value = this.get(kind, id);
        if (value === undefined) {
          await sql`delete from double.objects where kind = ${kind} and id = ${id}`;
          continue;
        }
        const data = sql.json(value as unknown as postgres.JSONValue);
        await sql`insert into double.objects values (${kind}, ${id}, ${data})
          on conflict (kind, id) do update set data = excluded.data`;
      }
      await this.events.insert(sql, events);
    });
  }

  #versions(kind: Kind, id: string): Version[] {
    let ofKind = this.#objects.get(kind);
    if (!ofKind) this.#objects.set(kind, ofKind = new Map());
    let versions = ofKind.get(id);
    if (!versions) ofKind.set(id, versions = []);
    return versions;
  }

  #set(kind: Kind, id: string, value: unknown): void {
    const versions = this.#versions(kind, id);
    const now = Date.now();
    const shown = versions.findLastIndex(({ at }) => at <= now - Math.max(this.lagMs, 10_000));
    versions.splice(0, Math.max(shown, 0)); // only what a late reader may still be shown is kept
    versions.push({ at: now, value });
    this.#dirty.set(`${kind}/${id}`, { kind, id });
  }
}

/** A restart of Postgres is survived: 10 s of trying. */
async function retried(write: () => Promise<void>): Promise<void> {
  for (let attempt = 1;; attempt++) {
    try {
      return await write();
    } catch (error) {
      if (attempt === 40) throw error;
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
  }
}
