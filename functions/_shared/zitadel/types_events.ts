// What event_reader.ts gives.

/** One event of ZITADEL's store. The payload holds only fields on event_fields.ts's list for its type. */
export interface ZitadelEvent {
  aggregateType: string;
  aggregateId: string;
  /** Counts within its aggregate only; as text. */
  sequence: string;
  type: string;
  /** RFC 3339 with microseconds; text, because a JavaScript Date would round it. */
  createdAt: string;
  /** An organization, or the instance. */
  resourceOwner: string;
  editorUserId: string;
  payload: Record<string, unknown>;
}

export interface EventPage {
  events: ZitadelEvent[];
  /** `createdAt` of the last event, or the `from` asked for. Poll again from here minus an overlap of at least 30 s. */
  nextFrom: string | null;
  /** The page was full: there may be more. */
  full: boolean;
}

/** Credential: IAM_OWNER_VIEWER. */
export interface EventReader {
  /** Ascending, strictly after `from`; at most 1000 (default 500). */
  listEvents(
    input: {
      from?: string | null;
      limit?: number;
      aggregateTypes?: string[];
      eventTypes?: string[];
    },
  ): Promise<EventPage>;
}
