/**
 * Takes in what ZITADEL did: polls its event store and hands each page to `private.ingest_zitadel_events`, which
 * deduplicates, mirrors users and writes the log in one transaction a page.
 *
 * A loop (every second); also queued by functions/zitadel as a hint to look at once. Several at once do no harm.
 */
import type { JSONValue } from "postgres";
import { config } from "../../_shared/config.ts";
import { eventReader } from "../../_shared/zitadel/event_reader.ts";
import type { EventReader } from "../../_shared/zitadel/types.ts";
import { Nothing, task, type TaskContext } from "../task.ts";

/**
 * ZITADEL stamps an event with the start of its transaction and shows it at the end: it can appear late, behind newer
 * ones. A push times out after 15 s; twice that is read again each time.
 */
const overlapMs = 30_000;
const pageSize = 500;
const aggregateTypes = ["user", "session", "oidc_session"];

let reader: EventReader | undefined;

export default task(Nothing, async (_payload, context) => {
  const { profile, zitadelIssuer: issuer, zitadelUrl: url, eventReaderTokenFile } = config();
  reader ??= eventReader({ profile, issuer, url, tokenFile: eventReaderTokenFile });
  await pollEvents(reader, context);
});

export async function pollEvents(
  events: EventReader,
  { sql, stopping }: Pick<TaskContext, "sql" | "stopping">,
  limit = pageSize,
): Promise<void> {
  const [row] = await sql<[{ cursor: string | null }]>`select private.zitadel_cursor() as cursor`;
  let from = row.cursor && new Date(Date.parse(row.cursor) - overlapMs).toISOString();
  for (;;) {
    const page = await events.listEvents({ from, limit, aggregateTypes });
    if (page.events.length > 0) {
      const rows = page.events as unknown as JSONValue;
      await sql`select private.ingest_zitadel_events(${sql.json(rows)})`;
    }
    if (!page.full || stopping.aborted) return;
    from = page.nextFrom;
  }
}
