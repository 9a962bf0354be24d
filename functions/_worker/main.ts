/**
 * The job process: every task by name, in which pool, how often.
 *
 * Usage: `deno run -A functions/_worker/main.ts`. Environment: GATEHOUSE_DB_URL (role gatehouse_worker), GATEHOUSE_LISTEN
 * (`/health`, `/ready`), GATEHOUSE_PUBLIC_URL, ZITADEL_ISSUER, ZITADEL_PROVISIONER_TOKEN_FILE, ZITADEL_EVENT_READER_TOKEN_FILE,
 * GATEHOUSE_SECRETS_KEY_FILE, GATEHOUSE_BOOTSTRAP_FILE, GATEHOUSE_OUTBOUND_ALLOW and the proxy (docs/proxy.md), GATEHOUSE_AUDIT_KEY_FILE and
 * GATEHOUSE_AUDIT_CHECKPOINT_FILE (the log is signed, checkpoints leave the database), GATEHOUSE_AUDIT_RETENTION_DAYS (how old a month is
 * at least that goes), GATEHOUSE_AUDIT_DIR (sinks of kind file, exports),
 * GATEHOUSE_MAIL_KEY_FILE, GATEHOUSE_MAIL_FROM and GATEHOUSE_SMTP_… (mails). Exit: 0 after SIGTERM or SIGINT, 70 when
 * the database went away (start it again), 1 on anything else.
 */
import type { CronItem } from "graphile-worker";
import { config } from "../_shared/config.ts";
import audit__create_partitions from "./tasks/audit__create_partitions.ts";
import audit__export from "./tasks/audit__export.ts";
import audit__fan_out from "./tasks/audit__fan_out.ts";
import audit__retain from "./tasks/audit__retain.ts";
import audit__seal from "./tasks/audit__seal.ts";
import audit__sequence from "./tasks/audit__sequence.ts";
import audit_exports__expire from "./tasks/audit_exports__expire.ts";
import audit_sinks__find_due from "./tasks/audit_sinks__find_due.ts";
import deliveries__cancel_stranded from "./tasks/deliveries__cancel_stranded.ts";
import deliveries__retain from "./tasks/deliveries__retain.ts";
import endpoint__pump from "./tasks/endpoint__pump.ts";
import endpoints__catch_up from "./tasks/endpoints__catch_up.ts";
import endpoints__find_due from "./tasks/endpoints__find_due.ts";
import event_requests__forget from "./tasks/event_requests__forget.ts";
import instance__reconcile from "./tasks/instance__reconcile.ts";
import jobs__unlock_dead from "./tasks/jobs__unlock_dead.ts";
import mail__send from "./tasks/mail__send.ts";
import mails__retain from "./tasks/mails__retain.ts";
import sign_ins__record_refused from "./tasks/sign_ins__record_refused.ts";
import tenant__reconcile from "./tasks/tenant__reconcile.ts";
import tenants__find_stuck from "./tasks/tenants__find_stuck.ts";
import user__remove from "./tasks/user__remove.ts";
import verification_keys__refresh from "./tasks/verification_keys__refresh.ts";
import web_key__rotate from "./tasks/web_key__rotate.ts";
import widget_permits__forget from "./tasks/widget_permits__forget.ts";
import zitadel__poll_events from "./tasks/zitadel__poll_events.ts";
import { runWorker } from "./worker.ts";

const everyMinute = "* * * * *";
const everyNight = "17 3 * * *";
const dayMs = 86_400_000;

const { dbUrl, dbPool, listen } = config();

await runWorker({
  databaseUrl: dbUrl,
  connections: dbPool,
  listen,
  pools: [
    {
      // Each waits for one receiver, 15 s at worst. Apart, so that slow receivers hold up nothing else.
      name: "deliveries",
      concurrency: 100,
      tasks: { endpoint__pump },
    },
    {
      // Each waits for one sink, 15 s at worst; a failing one rests between.
      name: "sinks",
      concurrency: 50,
      tasks: { audit__fan_out },
    },
    {
      // Each waits for the mail server, a minute at worst.
      name: "mails",
      concurrency: 10,
      tasks: { mail__send },
    },
    {
      name: "work",
      concurrency: 8,
      tasks: {
        audit__create_partitions,
        audit__export,
        audit_exports__expire,
        audit__retain,
        audit__sequence,
        deliveries__cancel_stranded,
        deliveries__retain,
        endpoints__find_due,
        event_requests__forget,
        instance__reconcile,
        jobs__unlock_dead,
        mails__retain,
        sign_ins__record_refused,
        tenant__reconcile,
        tenants__find_stuck,
        user__remove,
        verification_keys__refresh,
        web_key__rotate,
        widget_permits__forget,
        zitadel__poll_events,
      },
      atStart: ["instance__reconcile", "verification_keys__refresh", "audit__create_partitions"],
      cron: [
        sweep("verification_keys__refresh", everyMinute),
        sweep("tenants__find_stuck", everyMinute),
        sweep("deliveries__cancel_stranded", everyMinute),
        sweep("audit__create_partitions", everyNight, dayMs),
        sweep("audit__retain", everyNight, dayMs),
        sweep("deliveries__retain", everyNight, dayMs),
        sweep("event_requests__forget", everyNight, dayMs),
        sweep("mails__retain", everyNight, dayMs),
        sweep("widget_permits__forget", everyNight, dayMs),
        sweep("audit_exports__expire", everyNight, dayMs),
        sweep("web_key__rotate", everyNight, dayMs),
      ],
    },
  ],
  loops: [
    { name: "endpoints__find_due", everyMs: 100, task: endpoints__find_due },
    { name: "endpoints__catch_up", everyMs: 500, task: endpoints__catch_up },
    { name: "audit__sequence", everyMs: 250, task: audit__sequence },
    { name: "audit__seal", everyMs: 1_000, task: audit__seal },
    { name: "audit_sinks__find_due", everyMs: 500, task: audit_sinks__find_due },
    { name: "sign_ins__record_refused", everyMs: 5_000, task: sign_ins__record_refused },
    { name: "zitadel__poll_events", everyMs: 1_000, task: zitadel__poll_events },
  ],
});

/** One at a time of a name; a missed one is made up for within `backfillPeriod`. */
function sweep(task: string, match: string, backfillPeriod = 0): CronItem {
  return { task, match, options: { jobKey: task, backfillPeriod, maxAttempts: 3 } };
}
