// How grave an event is to who watches the syslog (RFC 5424, 6.2.1): by its type, else by the last word of it.
// test/sql/30_audit_sinks_severity.test.ts holds the whole catalogue to these tables.

export const severities = { alert: 1, critical: 2, warning: 4, notice: 5, informational: 6 };
const { alert, critical, warning, notice, informational } = severities;

const byType = new Map([
  ["audit.forked", alert], // somebody has changed the sealed log
  ["audit.key_changed", critical], // as planned, or somebody else signs now
  ["audit.dropped", notice], // retention
  ["audit_sink.events_dropped", warning], // this record, or another, has a gap
  ["audit_sink.event_skipped", warning],
]);

const byWord = new Map([
  ...words(warning, "failed refused locked denied"),
  ...words(notice, "deleted removed erased"),
  ...words(
    informational,
    "activated added archived changed created deactivated disabled downloaded in issued out",
  ),
  ...words(
    informational,
    "provisioning published reactivated replayed resumed rewound rotated suspended test tested",
  ),
  ...words(informational, "unlocked updated verified"),
]);

function words(severity: number, text: string): [string, number][] {
  return text.split(" ").map((word) => [word, severity]);
}

/** Null: nobody has said how grave it is, as of the types that tenants name themselves. */
export function knownSeverity(type: string): number | null {
  const word = type.slice(Math.max(type.lastIndexOf("."), type.lastIndexOf("_")) + 1);
  return byType.get(type) ??
    // What the log says of itself is a fault of the seal unless it is named above.
    (type.startsWith("audit.") ? critical : byWord.get(word) ?? null);
}

/** `PRI` of an event's message, without the facility. */
export function severityOf(type: string): number {
  return knownSeverity(type) ?? informational;
}
