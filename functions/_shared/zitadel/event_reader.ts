import { wire } from "./call.ts";
import { ZitadelError } from "./errors.ts";
import { allowedPayload } from "./event_fields.ts";
import type { EventReader, ZitadelConfig, ZitadelEvent } from "./types.ts";

interface WireEvent {
  editor?: { userId?: string };
  aggregate?: { id?: string; type?: { type?: string }; resourceOwner?: string };
  sequence?: string;
  creationDate?: string;
  payload?: Record<string, unknown>;
  type?: { type?: string };
}

const maxLimit = 1000;

/** ZITADEL's event store, ascending. The credential of an IAM_OWNER_VIEWER. */
export function eventReader(config: ZitadelConfig): EventReader {
  const { rest } = wire(config);

  const page = async (body: object, limit: number) =>
    ((await rest<{ events?: WireEvent[] }>("POST", "/admin/v1/events/_search", {
      asc: true,
      ...body,
      limit,
    })).events ?? []).map(readEvent);

  return {
    async listEvents({ from = null, limit = 500, aggregateTypes = [], eventTypes = [] }) {
      if (limit < 1 || limit > maxLimit || aggregateTypes.length > 10 || eventTypes.length > 30) {
        throw new ZitadelError({
          code: "invalid_argument",
          message: "A page holds 1 to 1000 events of at most 10 aggregate types and 30 event types",
        });
      }
      const body = { ...(from === null ? {} : { from }), aggregateTypes, eventTypes };
      let events = await page(body, limit);
      let full = events.length === limit;
      if (full && limit < maxLimit && oneMoment(events)) {
        events = await page(body, maxLimit); // `from` is exclusive: stepping past a cut moment would lose its rest
        full = events.length === maxLimit;
      }
      if (full && oneMoment(events)) {
        throw new ZitadelError({
          code: "out_of_range",
          message: `More than ${maxLimit} events share the moment ${events[0]?.createdAt}`,
        });
      }
      return { events, nextFrom: nextFrom(events, full) ?? from, full };
    },
  };
}

/** All events of one push share a moment, and a full page may end inside it: then the next page starts before that moment. */
function nextFrom(events: ZitadelEvent[], full: boolean): string | null {
  const last = events.at(-1)?.createdAt;
  if (last === undefined) return null;
  if (!full) return last;
  return events.findLast((event) => event.createdAt !== last)?.createdAt ?? null;
}

const oneMoment = (events: ZitadelEvent[]) => events.at(0)?.createdAt === events.at(-1)?.createdAt;

function readEvent(event: WireEvent): ZitadelEvent {
  const type = event.type?.type ?? "";
  return {
    aggregateType: event.aggregate?.type?.type ?? "",
    aggregateId: event.aggregate?.id ?? "",
    sequence: event.sequence ?? "0",
    type,
    createdAt: event.creationDate ?? "",
    resourceOwner: event.aggregate?.resourceOwner ?? "",
    editorUserId: event.editor?.userId ?? "",
    payload: allowedPayload(type, event.payload ?? {}),
  };
}
