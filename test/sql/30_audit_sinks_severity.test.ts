// SNK: how grave an event is in syslog is said of each type of the catalogue, and of none by accident.
import assert from "node:assert/strict";
import {
  knownSeverity,
  severities,
  severityOf,
} from "../../functions/_shared/sinks/syslog_severity.ts";
import { suiteDatabase } from "../support/suite.ts";

const database = suiteDatabase();
const names = async () =>
  (await database().sql<{ name: string }[]>`select name from public.event_types order by name`)
    .map(({ name }) => name);

Deno.test("SNK-40 every type of the catalogue has a severity that somebody chose (else: syslog_severity.ts)", async () => {
  assert.deepEqual((await names()).filter((name) => knownSeverity(name) === null), []);
});

Deno.test("SNK-41 what is wrong with the seal calls for somebody, what was refused warns, what is gone is noticed", async () => {
  const { alert, critical, warning, notice, informational } = severities;
  const graver = Object.fromEntries(
    (await names()).map((name) => [name, severityOf(name)] as const)
      .filter(([, severity]) => severity < notice),
  );
  assert.deepEqual(graver, {
    ...graver, // what is added later beside these is told by its name
    "audit.forked": alert,
    "audit.key_changed": critical,
    "audit_sink.event_skipped": warning,
    "audit_sink.events_dropped": warning,
    "user.locked": warning,
    "user.sign_in_failed": warning,
  });
  for (const [type, severity] of Object.entries(graver)) {
    if (severity < warning) assert.match(type, /^audit\./);
  }
  const chosen: [string, number][] = [
    ["user.unlocked", informational],
    ["user.signed_in", informational],
    ["tenant.provisioning", informational],
    ["user.erased", notice],
    ["user.factor_removed", notice],
    ["app.deleted", notice],
    ["audit.dropped", notice],
    ["audit.seal_broken", critical],
    ["custom.door.access_denied", warning],
    ["custom.constructor", informational],
    ["custom.done", informational],
  ];
  for (const [type, severity] of chosen) assert.equal(severityOf(type), severity, type);
});
