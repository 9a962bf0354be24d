// The event store: what happened, in ZITADEL's words, and the search over it.
import type postgres from "postgres";

export interface NewEvent {
  aggregateType: string;
  aggregateId: string;
  type: string;
  /** An organization, or the instance. */
  resourceOwner: string;
  payload?: Record<string, unknown>;
}

export interface EventRow extends Required<NewEvent> {
  sequence: number;
  createdAt: string;
  editor: string;
  inTx: number;
}

export interface Search {
  asc: boolean;
  limit: number;
  from?: string | undefined;
  since?: string | undefined;
  until?: string | undefined;
  sequence?: string | undefined;
  editorUserId?: string | undefined;
  eventTypes: string[];
  aggregateId?: string | undefined;
  aggregateTypes: string[];
  resourceOwner?: string | undefined;
}

export class EventStore {
  /** Of the next push: it is committed, with its early moment, but shows only then. As a long transaction does. */
  lateMs = 0;
  #sql: postgres.Sql;
  #sequences = new Map<string, number>();
  #listeners: ((events: EventRow[]) => void)[] = [];

  constructor(sql: postgres.Sql) {
    this.#sql = sql;
  }

  static async create(sql: postgres.Sql): Promise<void> {
    await sql`create table if not exists double.events (
      created_at timestamptz not null, in_tx int not null, aggregate_type text not null, aggregate_id text not null,
      sequence bigint not null, type text not null, resource_owner text not null, editor text not null,
      payload jsonb not null, visible_at timestamptz not null, primary key (created_at, in_tx),
      unique (aggregate_type, aggregate_id, sequence))`;
  }

  async load(): Promise<void> {
    const rows = await this.#sql`select aggregate_type, aggregate_id, max(sequence) as sequence
      from double.events group by 1, 2`;
    for (const row of rows) {
      this.#sequences.set(`${row.aggregate_type}/${row.aggregate_id}`, Number(row.sequence));
    }
  }

  number(editor: string, createdAt: string, events: NewEvent[]): EventRow[] {
    return events.map((event, inTx) => {
      const key = `${event.aggregateType}/${event.aggregateId}`;
      const sequence = (this.#sequences.get(key) ?? 0) + 1;
      this.#sequences.set(key, sequence);
      return { payload: {}, ...event, sequence, createdAt, editor, inTx };
    });
  }

  async insert(sql: postgres.TransactionSql, events: EventRow[]): Promise<void> {
    if (events.length === 0) return;
    const lateMs = this.lateMs;
    this.lateMs = 0;
    const rows = events.map((event) => ({
      created_at: event.createdAt,
      in_tx: event.inTx,
      aggregate_type: event.aggregateType,
      aggregate_id: event.aggregateId,
      sequence: event.sequence,
      type: event.type,
      resource_owner: event.resourceOwner,
      editor: event.editor,
      payload: event.payload,
    }));
    await sql`insert into double.events
      select created_at, in_tx, aggregate_type, aggregate_id, sequence, type, resource_owner, editor, payload,
        clock_timestamp() + make_interval(secs => ${lateMs / 1000})
      from jsonb_to_recordset(${sql.json(rows as unknown as postgres.JSONValue)}) as e (
        created_at timestamptz, in_tx int, aggregate_type text, aggregate_id text, sequence bigint, type text,
        resource_owner text, editor text, payload jsonb)
      on conflict do nothing`; // a write whose commit was not heard of is repeated
  }

  onPush(listener: (events: EventRow[]) => void): void {
    this.#listeners.push(listener);
  }

  announce(events: EventRow[]): void {
    if (events.length > 0) { for (const listener of this.#listeners) listener(events); }
  }

  /** Moments go as text: the driver would round them to milliseconds. */
  async search(search: Search): Promise<EventRow[]> {
    const sql = this.#sql;
    const after = search.asc ? sql`>` : sql`<`;
    const order = search.asc ? sql`asc` : sql`desc`;
    const rows = await sql`
      select aggregate_type, aggregate_id, sequence, type, resource_owner, editor, payload, in_tx,
        to_char(created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as created_at
      from double.events e where visible_at <= clock_timestamp()
        ${search.from ? sql`and created_at ${after} ${search.from}::text::timestamptz` : sql``}
        ${search.since ? sql`and created_at >= ${search.since}::text::timestamptz` : sql``}
        ${search.until ? sql`and created_at <= ${search.until}::text::timestamptz` : sql``}
        ${search.sequence ? sql`and sequence ${after} ${search.sequence}::text::bigint` : sql``}
        ${search.editorUserId ? sql`and editor = ${search.editorUserId}` : sql``}
        ${search.aggregateId ? sql`and aggregate_id = ${search.aggregateId}` : sql``}
        ${search.resourceOwner ? sql`and resource_owner = ${search.resourceOwner}` : sql``}
        ${search.eventTypes.length ? sql`and type = any (${search.eventTypes})` : sql``}
        ${
      search.aggregateTypes.length
        ? sql`and aggregate_type = any (${search.aggregateTypes})`
        : sql``
    }
      order by e.created_at ${order}, in_tx ${order} limit ${search.limit}`;
    return rows.map((row) => ({
      aggregateType: row.aggregate_type,
      aggregateId: row.aggregate_id,
      sequence: Number(row.sequence),
      type: row.type,
      resourceOwner: row.resource_owner,
      editor: row.editor,
      payload: row.payload,
      createdAt: row.created_at,
      inTx: row.in_tx,
    }));
  }
}
